import ArgumentParser
import Tidemark
import TidemarkJSON

struct RejectionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rejections",
    abstract: "Show what was refused: a device's own events, or all that an authority refused.")

  @OptionGroup var store: StoreArgument

  @Option(help: "Note that this rejection has been dealt with.")
  var acknowledge: Dot?

  @Option(help: "Submit the transaction of this rejected event again; the new one cites the old.")
  var resubmit: Dot?

  @Option(help: "With --resubmit: fields of that event to give otherwise, as a JSON object.")
  var fields: String?

  @Option(name: .customLong("as"), help: PrincipalArgument.readerHelp)
  var principal: PrincipalArgument?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if fields != nil, resubmit == nil { throw ValidationError("--fields goes with --resubmit") }
  }

  func run() throws {
    let store = try store.open()
    if let resubmit { return try submitAgain(resubmit, store) }
    if let acknowledge {
      try store.acknowledge(acknowledge)
      if !common.json { Output.text("\(acknowledge) is acknowledged") }
      return
    }
    let rejections = try store.rejections(as: principal?.principal)
    if common.json {
      for rejection in rejections { try Output.line(json(rejection)) }
      return
    }
    if rejections.isEmpty { Output.text("nothing was refused") }
    for rejection in rejections { show(rejection) }
  }

  private func submitAgain(_ dot: Dot, _ store: Store) throws {
    let line = try store.logLine(dot)
    let place = Int(dot.seq - line.transactionDot.seq)
    do {
      let receipt = try store.resubmit(dot) { operations in
        guard let fields, operations.indices.contains(place) else { return }
        for change in try changes(fields, operations[place], store.schema) {
          operations[place].changes.removeAll { $0.name.hasSameBytes(as: change.name) }
          operations[place].changes.append(change)
        }
      }
      guard common.json else {
        return Output.text(
          "\(dot) was submitted again as \(receipt.dots[place]), \(receipt.decision.rawValue)")
      }
      for dot in receipt.dots {
        var builder = JSONLine()
        builder.beginObject()
        builder.append("dot", dot.description)
        builder.append("cites", line.transactionDot.description)
        builder.append("decision", receipt.decision.rawValue)
        builder.endObject()
        try Output.line(builder.bytes)
      }
    } catch let refusal as AuthorizationError {
      throw CommandError(.no, "\(refusal); nothing was written, and \(dot) stays as it was")
    }
  }

  /// Fields as an operation of the event's kind would give them.
  private func changes(
    _ text: String, _ operation: Tidemark.Operation, _ schema: Schema
  ) throws -> [Tidemark.Operation.Change] {
    guard let given = try? JSONReader.read(text), case .object = given else {
      throw CommandError(.usage, "--fields is a JSON object, as {\"title\":\"Hi\"}")
    }
    // An update takes any fields; what a create must give it has already.
    let line = Value.object([
      .init("op", "update"), .init("model", .string(operation.model)),
      .init("id", .string(operation.id.string)), .init("fields", given),
    ])
    do {
      return try Operation(json: Array(JSONWriter.text(line).utf8), schema: schema).changes
    } catch {
      throw CommandError(.usage, "--fields: \(error.message) (\(error.code.rawValue))")
    }
  }

  /// Sentences, not a table's cells: why it was refused is what its author wants to read whole.
  private func show(_ rejection: Rejection) {
    let line = rejection.line
    var head = Text.bold("\(line.dot)")
    if let event = line.event {
      head += Text.visible(
        "  \(line.eventKindName) of \(line.recordName) by \(event.principal.name)")
    } else {
      head += "  its content is no longer kept here"
    }
    Output.text(head + (rejection.isAcknowledged ? Text.dim("  acknowledged") : ""))
    if let again = rejection.resubmitted { Output.text("    submitted again as \(again)") }
    if !line.writtenText.isEmpty { Output.text("    it said: \(Text.visible(line.writtenText))") }
    if let reason = line.reason {
      Output.text("    \(Text.red(reason.code)): \(Text.visible(reason.message))")
      if let rule = reason.rule { Output.text("    by the rule \(Text.visible(rule))") }
    }
    for text in undone(rejection) { Output.text("    undone: \(Text.visible(text))") }
    if !rejection.dependents.isEmpty {
      let dots = rejection.dependents.map(\.description).joined(separator: ", ")
      Output.text("    written since by who had seen it: \(dots)")
    }
  }

  /// The fields that the tombstone changed in the view.
  private func undone(_ rejection: Rejection) -> [String] {
    func value(_ name: String, _ members: [Value.Member]) -> Value? {
      members.first { $0.name == name }?.value
    }
    func text(_ value: Value?) -> String {
      value.map { Text.shortened($0.text, to: 36) } ?? "—"
    }
    let added = rejection.after.filter { value($0.name, rejection.before) == nil }
    return (rejection.before + added).compactMap { member in
      let before = value(member.name, rejection.before)
      let after = value(member.name, rejection.after)
      return before == after ? nil : "\(member.name): \(text(before)) → \(text(after))"
    }
  }

  private func json(_ rejection: Rejection) -> [UInt8] {
    let line = rejection.line
    var builder = JSONLine()
    builder.beginObject()
    builder.append("dot", line.dot.description)
    builder.append("tx", line.transaction)
    if let event = line.event {
      if let model = line.model { builder.append("model", model.name) }
      builder.append("id", event.id.string)
      builder.append("kind", line.eventKindName)
      if let model = line.model { Operation.appendFields(event.changes, of: model, to: &builder) }
      event.principal.appendJSON("actor", to: &builder)
    }
    builder.append("reason", line.reason?.code ?? "")
    builder.append("rule", ifGiven: line.reason?.rule)
    builder.append("message", line.reason?.message ?? "")
    if let policy = line.policy { builder.append("policy", policy.description) }
    if let decided = line.decided { builder.append("decided", decided.milliseconds) }
    builder.append("before", Value.object(rejection.before))
    builder.append("after", Value.object(rejection.after))
    builder.append("dependents", Value.list(rejection.dependents.map { .string("\($0)") }))
    builder.append("acknowledged", rejection.isAcknowledged)
    builder.append("resubmitted", ifGiven: rejection.resubmitted?.description)
    builder.endObject()
    return builder.bytes
  }
}
