internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

extension LogWriter {
  /// Appends a judged proposal's bytes and takes over its rows.
  func append(
    _ transaction: RawSpan, _ transactionHeader: TransactionHeader, _ hash: TransactionHash,
    _ proposal: Proposal, decision: DecisionRecord?, isOwn: Bool, _ tx: inout WriteTransaction
  ) throws {
    try append(
      transaction, transactionHeader, hash, distances: proposal.distances,
      lastStamp: proposal.events.last?.stamp ?? .zero, decision: decision, isOwn: isOwn, &tx)
    for (key, row) in proposal.rows { set(key, row) }
  }

  /// Appends a transaction's bytes; its rows are taken over already, or will be.
  func append(
    _ transaction: RawSpan, _ transactionHeader: TransactionHeader, _ hash: TransactionHash,
    distances: [UInt64], lastStamp: Stamp, decision: DecisionRecord?, isOwn: Bool,
    _ tx: inout WriteTransaction
  ) throws {
    let lsn = takeLSNs(transactionHeader.eventCount)
    var entry = ByteWriter(capacity: transaction.byteCount + 128)
    TransactionEntry.encode(
      transaction, decision: decision, distances: distances, lsn: lsn, into: &entry)
    try tx.append(tables.log, lsn, entry.bytes)
    try noteClamps(decision, transactionHeader.replica, &tx)
    try noteRun(transactionHeader.firstDot, transactionHeader.eventCount, lsn, &tx)
    try noteContext(
      transactionHeader.firstDot, change: transactionHeader.contextChange, &tx)
    change(transactionHeader.replica) {
      $0.seq = transactionHeader.lastSeq
      $0.head = hash
      $0.lastStamp = lastStamp
      $0.isOwn = $0.isOwn || isOwn
      if decision != nil { $0.decidedThrough = transactionHeader.lastSeq }
    }
    header.eventCount += UInt64(transactionHeader.eventCount)
  }

  /// Keeps the effective stamps that a decision gave, the least where two authorities gave one.
  @discardableResult
  func noteClamps(
    _ decision: DecisionRecord?, _ replica: ReplicaID, _ tx: inout WriteTransaction
  ) throws -> [Dot] {
    var changed: [Dot] = []
    for clamp in decision?.clamps ?? [] {
      let dot = Dot(replica, clamp.seq)
      let known = try tables.effectiveStamp(dot, Stamp(rawValue: .max), tx)
      guard clamp.effective < known else { continue }
      var writer = ByteWriter(capacity: 64)
      writer.append(littleEndian: clamp.effective.rawValue)
      try tx.put(tables.clamps, dot.key.rawBytes, writer.bytes)
      changed.append(dot)
    }
    return changed
  }

  /// Writes the decision that has been collected, before anything else enters the log.
  func closeAcceptance(_ tx: inout WriteTransaction) throws {
    guard let acceptance = openAcceptance else { return }
    openAcceptance = nil
    let lsn = takeLSNs(1)
    var writer = ByteWriter(capacity: 128)
    acceptance.encode(lsn: lsn, into: &writer)
    try tx.append(tables.log, lsn, writer.bytes)
    writer.truncate()
    writer.append(varint: lsn)
    let first = Dot(acceptance.replica, acceptance.firstSeq)
    try tx.put(tables.acceptances, first.key.rawBytes, writer.bytes)
  }

  /// Folds a record from nothing, after a decision changed which of its events count or how.
  @discardableResult
  func refold(_ key: RecordKey, _ tx: inout WriteTransaction) throws -> RecordState {
    var row = try row(key, &tx)
    row.state = RecordState.fold(
      try foldEvents(key, &tx), catalog.mergeRules(key.model))
    set(key, row)
    return row.state
  }
}
