internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

extension LogWriter {
  /// At an authority: voids a transaction that the rules refused. Its payload goes to quarantine.
  func reject(
    _ rejection: RejectionEntry, payload: [UInt8], _ tx: inout WriteTransaction
  ) throws {
    let lsn = try appendRejection(rejection, holdsDots: false, &tx)
    try tx.put(tables.quarantine, lsn, payload.rawBytes)
    header.quarantineByteCount += UInt64(payload.count)
    // Oldest first, but never the newest.
    while header.quarantineByteCount > limits.quarantineByteCountMax,
      let oldest = try tx.firstIntegerKey(tables.quarantine), oldest != lsn
    {
      let byteCount = try tx.get(tables.quarantine, oldest)?.byteCount ?? 0
      header.quarantineByteCount -= min(UInt64(byteCount), header.quarantineByteCount)
      _ = try tx.delete(tables.quarantine, oldest)
    }
  }

  /// Takes another log's decision that these dots are void.
  func void(_ rejection: RejectionEntry, _ tx: inout WriteTransaction) throws -> ItemOutcome {
    let first = rejection.dot(0)
    let known = state(rejection.replica)
    try closeAcceptance(&tx)
    header.clock.observe(rejection.decision.stamp)
    guard rejection.firstSeq <= known.seq else {
      try checkNext(first, change: rejection.contextChange, isChained: true, &tx)
      _ = try appendRejection(rejection, holdsDots: false, &tx)
      return .voided(eventCount: rejection.reasons.count)
    }
    try checkSame(first, rejection.lastSeq, rejection.hash, &tx)
    guard try tables.tombstone(first, tx) == nil else { return .known }
    try undo(rejection, isOwn: known.isOwn, &tx)
    return .voided(eventCount: rejection.reasons.count)
  }

  /// Voids events that the log holds: the view is as if they had never been, and where they are this
  /// store's own, their author is told.
  private func undo(
    _ rejection: RejectionEntry, isOwn: Bool, _ tx: inout WriteTransaction
  ) throws {
    let dots = rejection.reasons.indices.map(rejection.dot)
    let keys = try keys(of: dots, &tx)
    var before: [RecordKey: RecordState] = [:]
    for key in keys { before[key] = try row(key, &tx).state }
    _ = try appendRejection(rejection, holdsDots: true, &tx)
    var after: [RecordKey: RecordState] = [:]
    for key in keys { after[key] = try refold(key, &tx) }
    guard isOwn else { return }
    for (index, dot) in dots.enumerated() {
      guard let lsn = try tables.position(dot, tx), let logged = try tables.link(lsn, tx).event,
        let resolved = catalog.resolved(logged.header.schema)
      else { continue }
      let key = try catalog.key(logged.event, resolved)
      let notice = RejectionNotice(
        reason: rejection.reasons[index], policy: rejection.decision.policy,
        decided: rejection.decision.stamp, isAcknowledged: false,
        before: values(before[key], logged, resolved), after: values(after[key], logged, resolved),
        dependents: try dependents(dot, key, &tx))
      var writer = ByteWriter()
      notice.encode(into: &writer)
      try tx.put(tables.rejections, dot.key.rawBytes, writer.bytes)
    }
  }

  /// The values of an event's fields in a state, by name.
  private func values(
    _ state: RecordState?, _ logged: LoggedEvent, _ resolved: Catalog.Resolved
  ) -> [Value.Member] {
    guard let state, state.exists else { return [] }
    let model = resolved.models[logged.event.model]
    let fields = resolved.fields[logged.event.model]
    let changed = logged.event.changes.map { fields[$0.field] }
    // A delete touches every field.
    let shown = logged.event.kind == .delete ? state.fields.map(\.field) : changed
    return shown.compactMap { field in
      state.value(field).map { Value.Member(catalog.fieldNames[model][field], $0) }
    }
  }

  /// The record's live events that had seen this one.
  private func dependents(
    _ dot: Dot, _ key: RecordKey, _ tx: inout WriteTransaction
  ) throws -> [Dot] {
    try foldEvents(key, &tx).filter { $0.context.contains(dot) }.map(\.rank.dot)
  }

  /// Appends the tombstones of a transaction.
  /// - Parameter holdsDots: true where the log holds the events, so that the dots have their places.
  /// - Returns: the lsn of the first.
  private func appendRejection(
    _ rejection: RejectionEntry, holdsDots: Bool, _ tx: inout WriteTransaction
  ) throws -> UInt64 {
    let count = rejection.reasons.count
    let lsn = takeLSNs(count)
    var entry = ByteWriter(capacity: 256)
    rejection.encode(lsn: lsn, into: &entry)
    try tx.append(tables.log, lsn, entry.bytes)
    for index in 0..<count {
      var writer = ByteWriter(capacity: 64)
      writer.append(varint: lsn + UInt64(index))
      try tx.put(tables.tombstones, rejection.dot(index).key.rawBytes, writer.bytes)
    }
    header.tombstoneCount += UInt64(count)
    if !holdsDots {
      try noteRun(rejection.dot(0), count, lsn, &tx)
      try noteContext(rejection.dot(0), change: rejection.contextChange, &tx)
    }
    change(rejection.replica) {
      if !holdsDots {
        $0.seq = rejection.lastSeq
        $0.head = rejection.hash
        $0.lastStamp = rejection.lastStamp
      }
      $0.decidedThrough = max($0.decidedThrough, rejection.lastSeq)
    }
    return lsn
  }
}
