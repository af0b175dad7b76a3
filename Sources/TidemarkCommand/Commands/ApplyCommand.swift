import ArgumentParser
import Tidemark
import TidemarkJSON

struct ApplyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Submit operations, one JSON object a line.",
    discussion: """
      {"op":"create|update|delete","model":"Post","id":"p1","fields":{"title":"Hi"},
       "actor":{"sub":"u1","groups":["Admins"],"provider":"userPools"},
       "at":"2026-01-02T03:04:05.678Z","tx":"t1"}

      In fields a plain value sets a register, {"add":2} adds to a counter, {"add":["a"],
      "remove":["b"]} edits a set. Consecutive lines with the same tx are one transaction; a line \
      without tx is its own. A line is answered when it is durable.

      A file is checked whole before its first line is applied, so a bad line leaves the store as it \
      was. From standard input, or a file that is a pipe, lines are applied as they come; the first \
      bad line ends it, and what was answered before stays. A transaction from there ends with the \
      next line of another, at the end, or when nothing more comes for 50 ms; the one that a bad \
      line may have belonged to is not applied.
      """)

  @OptionGroup var store: StoreArgument

  @Argument(help: "The file of operations; - for standard input.")
  var file: String

  @Option(
    help: ArgumentHelp(
      "full: what was answered survives a power cut; relaxed: the end of the process.",
      valueName: "full|relaxed"))
  var durability = Durability.full

  @OptionGroup var common: CommonOptions

  func run() throws {
    var options = StoreOptions()
    options.durability = durability
    options.customAuthorizer = try self.store.custom.authorizer()
    let store = try Store.open(at: self.store.directory, options: options)
    let schema = try store.schema
    var reader = try LineReader(file, lineByteCountMax: Operation.byteCountMax)
    let isStream = !reader.isRegular
    if !isStream {
      try check(&reader, schema)
      try reader.rewind()
    }
    var applier = Applier(store, isJSON: common.json)
    let started = ContinuousClock.now
    do {
      while let line = try reader.next() {
        guard !line.isEmpty else { continue }
        let operation = try read(line, reader.lineNumber, schema)
        try applier.add(operation, line: reader.lineNumber)
        if isStream, !reader.isReady(waitMilliseconds: 0) {
          try applier.commitComplete()
          if applier.hasOpen, !reader.isReady(waitMilliseconds: 50) { try applier.commit() }
        }
      }
      try applier.commit()
    } catch let error as CommandError where error.status == .usage {
      let dropped = applier.dropOpen()
      try applier.commit()
      let how =
        dropped.map { "nothing of its transaction was applied: mend it and go on from line \($0)" }
        ?? "what came before it was applied: mend it and go on from there"
      throw CommandError(.usage, "\(error.message); \(how)")
    } catch let error as StoreError where error.cause == nil && applier.lastLine > 0 {
      throw CommandError(
        ExitStatus(error),
        "\(error.message); the lines up to \(applier.lastLine) were answered and stay: go on after them"
      )
    }
    if !common.json { applier.summarize(ContinuousClock.now - started) }
    if applier.rejectedCount > 0 { throw ExitCode(ExitStatus.no.rawValue) }
  }

  /// Reads the whole file without applying anything.
  private func check(_ reader: inout LineReader, _ schema: Schema) throws {
    do {
      while let line = try reader.next() {
        if !line.isEmpty { _ = try read(line, reader.lineNumber, schema) }
      }
    } catch let error as CommandError where error.status == .usage {
      throw CommandError(.usage, "\(error.message); nothing was applied")
    }
  }

  private func read(
    _ line: [UInt8], _ number: Int, _ schema: Schema
  ) throws -> Tidemark.Operation {
    do {
      return try Operation(json: line, schema: schema)
    } catch {
      throw CommandError(.usage, "line \(number): \(error.message) (\(error.code.rawValue))")
    }
  }
}

/// Collects operations into transactions, transactions into commits, and answers when they are durable.
struct Applier {
  private let store: Store
  private let isJSON: Bool
  private var transactions: [[Tidemark.Operation]] = []
  private var lines: [[Int]] = []
  private var operationCount = 0
  /// True while the last transaction may go on.
  private(set) var hasOpen = false
  private(set) var acceptedCount = 0
  private(set) var rejectedCount = 0
  /// The last line that was answered.
  private(set) var lastLine = 0
  private var pendingCount = 0
  /// Events that delete rules have added.
  private var impliedCount = 0

  /// Operations in one commit, so that answers come while a long file is applied.
  private static let commitOperationCountMax = 2000

  init(_ store: Store, isJSON: Bool) {
    self.store = store
    self.isJSON = isJSON
  }

  mutating func add(_ operation: Tidemark.Operation, line: Int) throws {
    let label = operation.transactionLabel
    let goesOn =
      hasOpen && label != nil
      && transactions.last?.first?.transactionLabel.map { $0.hasSameBytes(as: label ?? "") } == true
    if goesOn {
      transactions[transactions.count - 1].append(operation)
      lines[lines.count - 1].append(line)
    } else {
      if operationCount >= Applier.commitOperationCountMax { try commit() }
      transactions.append([operation])
      lines.append([line])
    }
    operationCount += 1
    hasOpen = label != nil
  }

  /// Commits every transaction that is known to be whole.
  mutating func commitComplete() throws {
    guard hasOpen, let open = transactions.popLast(), let openLines = lines.popLast() else {
      return try commit()
    }
    try commit()
    transactions = [open]
    lines = [openLines]
    operationCount = open.count
    hasOpen = true
  }

  /// Forgets the transaction that a bad line may have belonged to.
  /// - Returns: its first line.
  mutating func dropOpen() -> Int? {
    guard hasOpen else { return nil }
    hasOpen = false
    transactions.removeLast()
    return lines.removeLast().first
  }

  mutating func commit() throws {
    hasOpen = false
    operationCount = 0
    guard !transactions.isEmpty else { return }
    defer {
      transactions.removeAll(keepingCapacity: true)
      lines.removeAll(keepingCapacity: true)
    }
    let receipts = try store.submit(transactions: transactions)
    for (receipt, lines) in zip(receipts, lines) {
      for (index, line) in lines.enumerated() { try answer(receipt, index, line) }
    }
    try Output.flush()
  }

  private mutating func answer(_ receipt: TransactionReceipt, _ index: Int, _ line: Int) throws {
    switch receipt.decision {
    case .accepted: acceptedCount += 1
    case .pending: pendingCount += 1
    case .rejected: rejectedCount += 1
    }
    lastLine = line
    let reason = receipt.reasons.isEmpty ? nil : receipt.reasons[index]
    let implied = receipt.impliedDots.isEmpty ? [] : receipt.impliedDots[index]
    impliedCount += implied.count
    if isJSON {
      var builder = JSONLine()
      builder.beginObject()
      builder.append("line", line)
      if !receipt.dots.isEmpty { builder.append("dot", receipt.dots[index].description) }
      builder.append("decision", receipt.decision.rawValue)
      if !implied.isEmpty {
        builder.append("implied", Value.list(implied.map { .string($0.description) }))
      }
      builder.append("reason", ifGiven: reason?.code)
      builder.append("rule", ifGiven: reason?.rule)
      builder.append("message", ifGiven: reason?.message)
      builder.endObject()
      try Output.line(builder.bytes)
    } else if let reason {
      let rule = reason.rule.map { " by \($0)" } ?? ""
      Output.text(
        "line \(line): \(Text.red("rejected"))\(rule): \(Text.visible(reason.message)) (\(reason.code))"
      )
    }
  }

  func summarize(_ duration: Duration) {
    let count = acceptedCount + pendingCount + rejectedCount
    let seconds = duration.seconds
    let rate = seconds > 0 ? Int(Double(count) / seconds) : 0
    let implied = impliedCount == 0 ? "" : "; \(impliedCount) events by delete rules"
    Output.text(
      "\(count) operations: \(acceptedCount) accepted, \(pendingCount) pending, \(rejectedCount) rejected; \(rate) a second\(implied)"
    )
  }
}

extension Duration {
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
