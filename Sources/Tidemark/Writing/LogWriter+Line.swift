internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

// Most of what comes from elsewhere begins a record or changes one, and its author plainly may. Such
// events are taken as they lie in their transaction's bytes: they go on in their record's line, or are
// folded into its state. The others are judged one by one, as `judge` takes them.

/// A transaction from elsewhere that is being judged in place.
struct LineJudgement {
  var proposal: Proposal?
  var distances: [UInt64] = []
  /// Rows of the overlay that it has changed.
  var touched: [Int] = []
  /// Records whose events were judged one by one; their rows are the proposal's.
  var aloneKeys: Set<RecordKey> = []
  /// Hashes of keys that the transaction names more than once, where that is known: their events are
  /// judged one by one from the first, so that each finds those before it.
  var repeatedKeys: Set<UInt64> = []
  var lastStamp = Stamp.zero
  let resolved: Catalog.Resolved
  /// What the author had seen before the first event, without the author's own replica.
  let context: VersionVector
  /// The same with the author's own, before the event that is being judged.
  var eventContext: VersionVector
  let judging: Judging
  let entryLSN: UInt64
  /// Where the transaction begins in its entry.
  let transactionOffset: Int

  init(
    resolved: Catalog.Resolved, context: VersionVector, judging: Judging, entryLSN: UInt64,
    transactionOffset: Int
  ) {
    self.resolved = resolved
    self.context = context
    eventContext = context
    self.judging = judging
    self.entryLSN = entryLSN
    self.transactionOffset = transactionOffset
  }
}

extension LogWriter {
  /// Judges and folds a transaction in place.
  /// - Returns: false where it has to be judged as a whole; then nothing has changed.
  func judgeInLine(
    _ transaction: borrowing TransactionReader, _ line: inout LineJudgement,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    if try judgeOnce(transaction, &line, &tx) { return true }
    let repeated = try repeatedKeys(transaction, line.resolved)
    guard !repeated.isEmpty, !line.touched.isEmpty else { return false }
    line = LineJudgement(
      resolved: line.resolved, context: line.context, judging: line.judging,
      entryLSN: line.entryLSN, transactionOffset: line.transactionOffset)
    line.repeatedKeys = repeated
    return try judgeOnce(transaction, &line, &tx)
  }

  private func repeatedKeys(
    _ transaction: borrowing TransactionReader, _ resolved: Catalog.Resolved
  ) throws -> Set<UInt64> {
    guard resolved.isIdentity else { return [] }
    var seen: Set<UInt64> = []
    var repeated: Set<UInt64> = []
    var offset = transaction.eventsOffset
    var key = ByteWriter(capacity: 512)
    for index in 0..<transaction.header.eventCount {
      let event = try EventReader(transaction.bytes, index: index, offset: offset)
      key.truncate()
      event.appendKey(to: &key)
      let hash = keyHash(key.bytes, seed: hashSeed)
      if !seen.insert(hash).inserted { repeated.insert(hash) }
      offset = event.endOffset
    }
    return repeated
  }

  private func judgeOnce(
    _ transaction: borrowing TransactionReader, _ line: inout LineJudgement,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    let header = transaction.header
    guard line.resolved.isIdentity, line.resolved.version == catalog.current.version,
      header.eventCount <= 1 << 20
    else { return false }
    clearances.begin(header.principals, catalog)
    let limit = Stamp(
      milliseconds: wallMilliseconds() + limits.driftMilliseconds, counter: .max)
    var offset = transaction.eventsOffset
    var stamp = Stamp.zero
    for index in 0..<header.eventCount {
      try transaction.check(offset: offset, of: index)
      let event = try EventReader(transaction.bytes, index: index, offset: offset)
      guard index == 0 ? event.stamp == header.firstStamp : event.stamp > stamp else {
        throw CodecError(.malformed, "order of stamps")
      }
      stamp = event.stamp
      line.lastStamp = stamp
      if stamp > limit, line.judging == .authority {
        undo(line)
        return false
      }
      guard try take(event, index, offset, transaction, &line, &tx) else {
        undo(line)
        return false
      }
      if line.proposal?.denials.isEmpty == false { return true }
      offset = event.endOffset
    }
    guard offset == transaction.eventsEnd else { throw CodecError(.malformed, "transaction's end") }
    return true
  }

  /// Takes back what a judgement did to the overlay.
  func undo(_ line: LineJudgement) {
    for place in line.touched.reversed() { overlay.rollBack(place, to: line.entryLSN) }
  }

  private func take(
    _ event: borrowing EventReader, _ index: Int, _ offset: Int,
    _ transaction: borrowing TransactionReader, _ line: inout LineJudgement,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    guard line.resolved.models.indices.contains(event.model),
      event.principal < clearances.principals.count
    else { throw CodecError(.outOfBounds, "event \(event.dot)") }
    var key = ByteWriter(capacity: 64)
    event.appendKey(to: &key)
    let (found, hash, row) = try find(key.bytes, &tx)
    let shape = catalog.shapes[event.model]
    line.eventContext.set(event.dot.replica, to: event.dot.seq - 1)
    let isPlain =
      try (line.aloneKeys.isEmpty || !line.aloneKeys.contains(RecordKey(key.bytes)))
      && (event.isPacked || event.id.isPlainID) && !line.repeatedKeys.contains(hash)
    guard isPlain, let change = try change(event, transaction, row, shape, line, &tx) else {
      return try takeAlone(index, key.bytes, found, transaction, &line, &tx)
    }
    let position = Position(
      entryLSN: line.entryLSN, index: UInt32(truncatingIfNeeded: index),
      offset: UInt32(truncatingIfNeeded: line.transactionOffset + offset))
    let head = row?.head ?? 0
    line.distances.append(head == 0 ? 0 : position.lsn - head)
    let place = found ?? overlay.add(key.bytes, hash, row)
    overlay.apply(change, place, position, isDelete: event.kind == .delete)
    line.touched.append(place)
    return true
  }

  /// Judges one event as `judge` does.
  /// - Returns: false where events of the same transaction have gone on in the record's line.
  private func takeAlone(
    _ index: Int, _ key: RawSpan, _ found: Int?, _ transaction: borrowing TransactionReader,
    _ line: inout LineJudgement, _ tx: inout WriteTransaction
  ) throws -> Bool {
    let recordKey = try RecordKey(key)
    if let found, line.touched.contains(found) { return false }
    var proposal =
      try line.proposal
      ?? {
        let events = try transaction.events()
        return Proposal(
          events: events, resolved: line.resolved, replica: transaction.header.replica,
          firstSeq: transaction.header.firstSeq, foreignContext: line.context,
          effective: events.map(\.stamp))
      }()
    line.proposal = nil
    defer { line.proposal = proposal }
    proposal.distances.removeAll(keepingCapacity: true)
    try judgeEvent(&proposal, index, line.judging, firstLSN: line.entryLSN, &tx)
    line.distances.append(proposal.distances.last ?? 0)
    line.aloneKeys.insert(recordKey)
    return true
  }

  /// What an event does to its record's row, where it begins a record or changes one, fits the schema,
  /// and is plainly allowed; `nil` where that is not to be seen at a glance.
  private func change(
    _ event: borrowing EventReader, _ transaction: borrowing TransactionReader,
    _ row: StoredRow?, _ shape: ModelShape, _ line: LineJudgement, _ tx: inout WriteTransaction
  ) throws -> RowChange? {
    guard let given = try shape.givenPlainly(event) else { return nil }
    if line.judging == .authority, try !isCleared(event, row, shape, &tx) { return nil }
    switch (event.kind, row) {
    case (.create, nil): return shape.required & ~given == 0 ? .append : nil
    case (.update, let row?), (.delete, let row?):
      guard event.kind == .delete || given & shape.owners == 0 else { return nil }
      guard case .linear(let known) = row else { return try folded(event, row, shape, line, &tx) }
      guard known.exists else { return nil }
      if try hasSeen(known, event, line, &tx) {
        if known.count < LinearRow.countMax { return .append }
        if event.kind == .update,
          try supersedes(known, event, transaction, given, shape, line, &tx)
        {
          return .replaceLast
        }
      }
      return try folded(event, row, shape, line, &tx)
    default: return nil
    }
  }

  /// The state of a record's row with a change in it; `nil` as for `change`.
  private func folded(
    _ event: borrowing EventReader, _ stored: StoredRow, _ shape: ModelShape,
    _ line: LineJudgement, _ tx: inout WriteTransaction
  ) throws -> RowChange? {
    // What this transaction wrote is not in the log yet.
    if case .linear(let known) = stored, known.head >= line.entryLSN { return nil }
    var state = try tables.row(stored, catalog, tx).state
    if line.judging == .authority {
      guard state.exists, state.isPlainlySeen(by: line.eventContext) else { return nil }
    }
    let change = FoldEvent(
      rank: Rank(event.stamp, event.dot), kind: event.kind, context: line.eventContext,
      changes: try event.changes())
    let outcome = state.apply(change, catalog.mergeRules(shape.number))
    return outcome == .needsFold ? nil : .state(state)
  }

  private func supersedes(
    _ known: LinearRow, _ event: borrowing EventReader,
    _ transaction: borrowing TransactionReader, _ given: UInt128, _ shape: ModelShape,
    _ line: LineJudgement, _ tx: inout WriteTransaction
  ) throws -> Bool {
    let last = known.position(known.count - 1)
    if last.entryLSN == line.entryLSN {
      // Its entry is not in the log yet.
      let earlier = try EventReader(
        transaction.bytes, index: Int(last.index),
        offset: Int(last.offset) - line.transactionOffset)
      return try shape.isSuperseded(earlier, by: event.dot.replica, giving: given)
    }
    guard let entry = try tx.get(tables.log, last.entryLSN) else { return false }
    return try shape.isSuperseded(
      TransactionEntry.event(in: entry, at: last), by: event.dot.replica, giving: given)
  }

  /// Whether the author had seen the line's newest event, and so all of them.
  private func hasSeen(
    _ known: LinearRow, _ event: borrowing EventReader, _ line: LineJudgement,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    let last = known.position(known.count - 1)
    if last.entryLSN == line.entryLSN { return true }
    guard let entry = try tx.get(tables.log, last.entryLSN) else {
      throw CodecError(.malformed, "log entry \(last.entryLSN)")
    }
    let dot = try TransactionEntry.dot(in: entry, at: last)
    return dot.replica == event.dot.replica
      ? dot.seq < event.dot.seq : line.context[dot.replica] >= dot.seq
  }

  private func isCleared(
    _ event: borrowing EventReader, _ row: StoredRow?, _ shape: ModelShape,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    let clearance = clearances.clearance(
      principal: event.principal, model: event.model, catalog.policy)
    switch event.kind {
    case .create:
      // A create from elsewhere names its owners.
      guard case .ifOwner(let field, let identity) = clearance.create,
        clearance.filledOwners.count == 1
      else { return clearance.create == .allowed && clearance.filledOwners.isEmpty }
      return try event.sets(field, to: identity)
    case .update: return try isCleared(clearance.update, row, shape, &tx)
    case .delete: return try isCleared(clearance.delete, row, shape, &tx)
    case .unknown: return false
    }
  }

  private func isCleared(
    _ answer: Clearance.Answer, _ row: StoredRow?, _ shape: ModelShape,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    switch answer {
    case .allowed: return true
    case .ask: return false
    case .ifOwner(let field, let identity):
      let line: LinearRow
      switch row {
      case nil: return false
      case .state(let row):
        return row.state.isOwned(by: identity, shape.fieldIDs[field])
      case .linear(let row): line = row
      }
      let first = line.position(0)
      guard let entry = try tx.get(tables.log, first.entryLSN) else { return false }
      let event = try TransactionEntry.event(in: entry, at: first)
      guard shape.hasPlaces(of: event.schema) else { return false }
      return try event.sets(field, to: identity)
    }
  }
}
