internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

/// What a check of a store found.
public struct VerifyReport: Sendable {
  public struct Problem: Hashable, Sendable {
    /// Stable: `checksum`, `hash`, `gap`, `causality`, `stamp`, `chain`, `index`, `view`, `count`.
    public let code: String
    public let message: String
  }

  public fileprivate(set) var eventCount = 0
  public fileprivate(set) var tombstoneCount = 0
  public fileprivate(set) var recordCount = 0
  /// Transactions of which the store holds a portion, because its principals may not read the rest.
  public fileprivate(set) var portionCount = 0
  /// At most `problemCountMax`.
  public fileprivate(set) var problems: [Problem] = []
  public fileprivate(set) var problemCount = 0
  public static let problemCountMax = 100

  public var isSound: Bool { problemCount == 0 }

  fileprivate mutating func note(_ code: String, _ message: String) {
    problemCount += 1
    if problems.count < VerifyReport.problemCountMax {
      problems.append(Problem(code: code, message: message))
    }
  }
}

extension Store {
  /// Checks all that can be checked: every checksum, the hash chains, gapless dots, causality, stamps,
  /// the records' chains, the indexes of dots and tombstones, and the stored view against the log.
  /// - Complexity: O(events + records) in time, O(records) in memory.
  public func verify() throws(StoreError) -> VerifyReport {
    try read { tx, snapshot in
      var verifier = Verifier(snapshot)
      try verifier.checkLog(tx)
      try verifier.checkReplicas(tx)
      try verifier.checkView(tx)
      return verifier.report
    }
  }
}

private struct Verifier {
  let snapshot: Snapshot
  var report = VerifyReport()
  private var seqs: [ReplicaID: UInt64] = [:]
  private var heads: [ReplicaID: TransactionHash] = [:]
  private var stamps: [ReplicaID: Stamp] = [:]
  private var nextLSN: UInt64 = 1

  init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
  }

  mutating func checkLog(_ tx: borrowing ReadTransaction) throws {
    try tx.forEach(snapshot.tables.log, from: 0) { lsn, value in
      if lsn != nextLSN { report.note("gap", "the log goes from entry \(nextLSN - 1) to \(lsn)") }
      do {
        try check(LogEntry(value, lsn: lsn), lsn, tx)
      } catch let error as CodecError {
        report.note("checksum", "\(error)")
        nextLSN = lsn + 1
      }
      return true
    }
    if nextLSN != snapshot.header.nextLSN {
      report.note("count", "the log ends before entry \(snapshot.header.nextLSN)")
    }
  }

  private mutating func check(
    _ entry: borrowing LogEntry, _ lsn: UInt64, _ tx: borrowing ReadTransaction
  ) throws {
    switch entry {
    case .acceptance(let acceptance):
      nextLSN = lsn + 1
      if acceptance.lastSeq > seqs[acceptance.replica] ?? 0 {
        report.note("causality", "entry \(lsn) accepts events that come after it")
      }
    case .adoption(let adoption):
      nextLSN = lsn + 1
      if snapshot.catalog.resolved(adoption.schema) == nil {
        report.note("schema", "entry \(lsn) adopts \(adoption.schema), which is not kept here")
      }
    case .withdrawal(let withdrawal):
      nextLSN = lsn + 1
      try rewind(withdrawal, tx)
    case .rejection(let rejection):
      nextLSN = lsn + UInt64(rejection.reasons.count)
      report.tombstoneCount += rejection.reasons.count
      for index in rejection.reasons.indices {
        if try snapshot.tables.tombstone(rejection.dot(index), tx) == nil {
          report.note("index", "the tombstone of \(rejection.dot(index)) is not indexed")
        }
      }
      guard rejection.firstSeq > seqs[rejection.replica] ?? 0 else { return }
      checkPlace(rejection.dot(0), rejection.contextChange)
      advance(rejection.replica, to: rejection.lastSeq, rejection.hash, rejection.lastStamp)
    case .transaction(let entry):
      try check(entry, lsn, tx)
    case .portion(let entry):
      try check(entry, lsn, tx)
    }
  }

  private mutating func check(
    _ entry: borrowing TransactionEntry, _ lsn: UInt64, _ tx: borrowing ReadTransaction
  ) throws {
    let header = entry.transaction.header
    nextLSN = lsn + UInt64(header.eventCount)
    report.eventCount += header.eventCount
    checkPlace(header.firstDot, header.contextChange)
    if !entry.transaction.verify(after: heads[header.replica] ?? .zero) {
      report.note("hash", "the hash chain of \(header.replica) breaks at \(header.firstDot)")
    }
    var last = stamps[header.replica] ?? .zero
    // What a withdrawn entry had seen may have been withdrawn with it, and its dots be others' by now.
    let isWithdrawn =
      try snapshot.header.withdrawalCount > 0
      && snapshot.tables.position(header.firstDot, tx) != lsn
    for change in header.contextChange.entries where !isWithdrawn {
      // A device sees others' events when they are decided, so by their effective stamps.
      last = max(last, try stampSeen(Dot(change.replica, change.seq), tx))
    }
    if header.firstStamp <= last {
      report.note("stamp", "\(header.firstDot) has a stamp no greater than one that it had seen")
    }
    var transaction = entry.transaction
    var index = 0
    while let event = try transaction.next() {
      let dot = header.dot(index)
      last = event.stamp
      let distance = try entry.distance(index)
      if distance >= lsn + UInt64(index) {
        report.note("chain", "the chain of \(dot) leads nowhere")
      }
      if snapshot.header.withdrawalCount == 0,
        try snapshot.tables.position(dot, tx) != lsn + UInt64(index)
      {
        report.note("index", "\(dot) is not where the index says")
      }
      index += 1
    }
    advance(header.replica, to: header.lastSeq, entry.transaction.hash, last)
  }

  /// Of what is withheld the chain goes through the hash that came with it.
  private mutating func check(
    _ entry: PortionEntry, _ lsn: UInt64, _ tx: borrowing ReadTransaction
  ) throws {
    let header = entry.portion.header
    nextLSN = lsn + UInt64(header.eventCount)
    report.eventCount += header.eventCount
    report.portionCount += 1
    checkPlace(header.firstDot, header.contextChange)
    if let original = entry.original {
      let transaction = try TransactionReader(original.rawBytes)
      if !transaction.verify(after: heads[header.replica] ?? .zero)
        || transaction.hash != entry.portion.hash
      {
        report.note("hash", "the hash chain of \(header.replica) breaks at \(header.firstDot)")
      }
    }
    var last = stamps[header.replica] ?? .zero
    for change in header.contextChange.entries {
      last = max(last, try stampSeen(Dot(change.replica, change.seq), tx))
    }
    if header.firstStamp <= last {
      report.note("stamp", "\(header.firstDot) has a stamp no greater than one that it had seen")
    }
    for index in 0..<header.eventCount {
      let dot = header.dot(index)
      if entry.links[index] >= lsn + UInt64(index) {
        report.note("chain", "the chain of \(dot) leads nowhere")
      }
      if snapshot.header.withdrawalCount == 0,
        try snapshot.tables.position(dot, tx) != lsn + UInt64(index)
      {
        report.note("index", "\(dot) is not where the index says")
      }
    }
    advance(header.replica, to: header.lastSeq, entry.portion.hash, entry.portion.lastStamp)
  }

  /// The effective stamp of an event that was seen, where the log still holds it. Of a void one others
  /// saw the tombstone alone.
  private func stampSeen(_ dot: Dot, _ tx: borrowing ReadTransaction) throws -> Stamp {
    guard try snapshot.tables.tombstone(dot, tx) == nil,
      let lsn = try snapshot.tables.position(dot, tx),
      let logged = try? snapshot.tables.event(lsn, tx)
    else { return .zero }
    return try snapshot.tables.effectiveStamp(dot, logged.event.stamp, tx)
  }

  private mutating func checkPlace(_ first: Dot, _ change: VersionVector) {
    if first.seq != (seqs[first.replica] ?? 0) + 1 {
      report.note("gap", "\(first.replica) goes from \(seqs[first.replica] ?? 0) to \(first.seq)")
    }
    for entry in change.entries where entry.seq > seqs[entry.replica] ?? 0 {
      report.note(
        "causality", "\(first) had seen \(entry.replica):\(entry.seq), which comes after it")
    }
  }

  private mutating func advance(
    _ replica: ReplicaID, to seq: UInt64, _ head: TransactionHash, _ stamp: Stamp
  ) {
    seqs[replica] = seq
    heads[replica] = head
    stamps[replica] = stamp
  }

  /// Withdrawn events leave their places to others of the same dots.
  private mutating func rewind(
    _ withdrawal: WithdrawalEntry, _ tx: borrowing ReadTransaction
  ) throws {
    let seq = withdrawal.firstSeq - 1
    report.eventCount -= Int(withdrawal.count)
    let (hash, stamp) = try snapshot.tables.head(Dot(withdrawal.replica, seq), tx)
    advance(withdrawal.replica, to: seq, hash, stamp)
  }

  mutating func checkReplicas(_ tx: borrowing ReadTransaction) throws {
    for (replica, state) in try snapshot.tables.replicaStates(tx) {
      if state.seq != seqs[replica] ?? 0 || state.head != heads[replica] ?? .zero {
        report.note("count", "the log does not end for \(replica) where the store says")
      }
    }
    if UInt64(report.portionCount) != snapshot.header.portionCount {
      report.note(
        "count",
        "the log holds \(report.portionCount) portions, not \(snapshot.header.portionCount)")
    }
    if UInt64(report.tombstoneCount) != snapshot.header.tombstoneCount {
      report.note(
        "count",
        "the log holds \(report.tombstoneCount) tombstones, not \(snapshot.header.tombstoneCount)")
    }
  }

  mutating func checkView(_ tx: borrowing ReadTransaction) throws {
    let comparison: ViewComparison
    do {
      comparison = try snapshot.compareView(hashes: false, tx)
    } catch let error as CodecError {
      return report.note("checksum", "\(error)")
    }
    report.recordCount = comparison.recordCount
    for difference in comparison.differences {
      report.note("view", "\(difference.model) \(difference.id) differs from what the log gives")
    }
  }
}
