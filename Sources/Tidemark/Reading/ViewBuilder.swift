internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

/// Makes every record's row anew from the log alone, in the order in which the log took its events.
///
/// A record whose events lie in a line gets a row that says where they are; what is otherwise, as
/// events that did not know of each other, is folded into a state.
final class ViewBuilder {
  private let snapshot: Snapshot
  private let hashSeed = UInt64.random(in: .min ... .max)
  private let storage: Unguarded<TailRows>
  /// For records whose deletes may be overturned later: what was folded.
  private var folded: [Int: [FoldEvent]] = [:]
  /// What each replica had seen at the transaction before, without itself.
  private var contexts: [ReplicaID: VersionVector] = [:]
  /// Live events.
  private(set) var eventCount = 0
  private let hasClamps: Bool
  private let hasTombstones: Bool

  init(_ snapshot: Snapshot, _ tx: borrowing ReadTransaction) throws {
    self.snapshot = snapshot
    // As many as are stored, unless something is wrong.
    let stored =
      try tx.count(snapshot.tables.records)
      + snapshot.tables.rowRuns(tx).reduce(0) { $0 + $1.rowCount }
    storage = Unguarded(TailRows(rowCount: min(stored, Int(clamping: snapshot.header.eventCount))))
    hasClamps = try tx.count(snapshot.tables.clamps) > 0
    hasTombstones = snapshot.header.tombstoneCount > 0
  }

  var rows: TailRows {
    @inline(__always) _read { yield storage.value }
    @inline(__always) _modify { yield &storage.value }
  }

  /// The row of a key; `nil` where the log holds no event of it.
  func row(_ key: RawSpan) -> StoredRow? {
    rows.find(key, keyHash(key, seed: hashSeed)).flatMap { rows.row($0, before: .max) }
  }

  var count: Int { rows.rows.count }

  /// Calls `body` with every row, in no order.
  func visit(_ body: (RawSpan, StoredRow) throws -> Void) throws {
    try rows.forEach(Array(0..<count), body)
  }

  /// Reads the whole log.
  /// - Complexity: O(bytes) in time, O(records) in memory.
  func build(_ tx: borrowing ReadTransaction) throws {
    let hasWithdrawals = snapshot.header.withdrawalCount > 0
    let tables = snapshot.tables
    try tx.forEach(tables.log, from: 0) { lsn, value in
      switch try LogEntry(value, lsn: lsn) {
      case .transaction(let entry):
        let header = entry.transaction.header
        if hasWithdrawals, try tables.position(header.firstDot, tx) != lsn { return true }
        let context = raise(header.replica, header.contextChange)
        guard let resolved = snapshot.catalog.resolved(header.schema) else { return true }
        let isVoid = try hasTombstones && tables.tombstone(header.firstDot, tx) != nil
        try add(value, lsn, entry.transaction, resolved, context, isVoid: isVoid, tx)
      case .rejection(let rejection):
        if try tables.position(rejection.dot(0), tx) == lsn {
          _ = raise(rejection.replica, rejection.contextChange)
        }
      case .portion(let entry):
        let header = entry.portion.header
        let context = raise(header.replica, header.contextChange)
        guard let resolved = snapshot.catalog.resolved(header.schema) else { return true }
        let isVoid = try hasTombstones && tables.tombstone(header.firstDot, tx) != nil
        for item in entry.portion.entries {
          try add(
            item.event, header.dot(item.index), lsn + UInt64(item.index), resolved, context,
            isVoid: isVoid, tx)
        }
      case .acceptance, .withdrawal, .adoption: break
      }
      return true
    }
  }

  private func raise(_ replica: ReplicaID, _ change: VersionVector) -> VersionVector {
    if change.isEmpty { return contexts[replica] ?? VersionVector() }
    contexts[replica, default: VersionVector()].formUnion(change)
    return contexts[replica] ?? change
  }

  private func add(
    _ entry: RawSpan, _ lsn: UInt64, _ transaction: borrowing TransactionReader,
    _ resolved: Catalog.Resolved, _ context: VersionVector, isVoid: Bool,
    _ tx: borrowing ReadTransaction
  ) throws {
    let (start, _) = try TransactionEntry.transactionRange(in: entry)
    var offset = transaction.eventsOffset
    var key = ByteWriter(capacity: 512)
    for index in 0..<transaction.header.eventCount {
      let event = try EventReader(transaction.bytes, index: index, offset: offset)
      guard resolved.models.indices.contains(event.model) else {
        throw CodecError(.outOfBounds, "model")
      }
      key.truncate()
      key.append(bigEndian: UInt16(truncatingIfNeeded: resolved.models[event.model]))
      key.append((event.isPacked ? 0 : 1) as UInt8)
      key.append(event.id)
      let position = Position(
        entryLSN: lsn, index: UInt32(truncatingIfNeeded: index),
        offset: UInt32(truncatingIfNeeded: start + offset))
      try add(event, key.bytes, position, resolved, context, isVoid: isVoid, tx)
      offset = event.endOffset
    }
  }

  private func add(
    _ event: borrowing EventReader, _ key: RawSpan, _ position: Position,
    _ resolved: Catalog.Resolved, _ context: VersionVector, isVoid: Bool,
    _ tx: borrowing ReadTransaction
  ) throws {
    let hash = keyHash(key, seed: hashSeed)
    let place = rows.find(key, hash) ?? rows.add(key, hash, nil)
    let row = rows.row(place, before: .max)
    if !isVoid, try isInLine(event, row, resolved, context, tx) {
      if case .linear(let line) = row, line.count == LinearRow.countMax {
        if try supersedes(line, event, snapshot.catalog.shapes[event.model], tx) {
          eventCount += 1
          rows.replaceLast(place, position)
          return
        }
      } else {
        eventCount += 1
        rows.append(place, position, isDelete: event.kind == .delete)
        return
      }
    }
    try fold(
      isVoid ? nil : try foldEvent(event, resolved, context, tx), place, position.lsn,
      resolved.models[event.model], tx)
  }

  /// An event of a portion, which is in no line.
  private func add(
    _ event: Event, _ dot: Dot, _ lsn: UInt64, _ resolved: Catalog.Resolved,
    _ context: VersionVector, isVoid: Bool, _ tx: borrowing ReadTransaction
  ) throws {
    let key = try snapshot.catalog.key(event, resolved)
    let bytes = key.bytes
    let hash = keyHash(bytes.rawBytes, seed: hashSeed)
    let place = rows.find(bytes.rawBytes, hash) ?? rows.add(bytes.rawBytes, hash, nil)
    var whole = context
    whole.set(dot.replica, to: dot.seq - 1)
    let stamp = try snapshot.tables.effectiveStamp(dot, event.stamp, tx)
    let fold = FoldEvent(
      rank: Rank(stamp, dot), kind: event.kind, context: whole,
      changes: try snapshot.catalog.changes(event, resolved))
    try self.fold(isVoid ? nil : fold, place, lsn, key.model, tx)
  }

  /// Folds an event, `nil` for a void one, into the state of a row, whose chain then begins at it.
  private func fold(
    _ event: FoldEvent?, _ place: Int, _ lsn: UInt64, _ model: Int,
    _ tx: borrowing ReadTransaction
  ) throws {
    var whole = RecordRow()
    if let row = rows.row(place, before: .max) {
      whole = try snapshot.tables.row(row, snapshot.catalog, tx)
    }
    whole.head = lsn
    if let event {
      let rules = snapshot.catalog.mergeRules(model)
      if rules.deletePolicy == .updateWins { folded[place, default: []].append(event) }
      let outcome = whole.state.apply(event, rules)
      if outcome == .needsFold { whole.state = RecordState.fold(folded[place] ?? [], rules) }
      eventCount += 1
    }
    rows.replace(place, whole)
  }

  /// Whether an event begins a record, or goes on in its line and leaves it a line.
  private func isInLine(
    _ event: borrowing EventReader, _ row: StoredRow?, _ resolved: Catalog.Resolved,
    _ context: VersionVector, _ tx: borrowing ReadTransaction
  ) throws -> Bool {
    guard resolved.isIdentity, resolved.version == snapshot.catalog.current.version,
      try !hasClamps || tx.get(snapshot.tables.clamps, event.dot.key.rawBytes) == nil
    else { return false }
    let shape = snapshot.catalog.shapes[event.model]
    // All that a delete may be overturned by is kept.
    guard shape.model.deletePolicy == .deleteWins else { return false }
    switch (event.kind, row) {
    case (.create, nil): return true
    case (.update, .linear(let line)), (.delete, .linear(let line)):
      guard line.exists else { return false }
      if event.kind == .update, try event.touches(shape) { return false }
      let last = line.position(line.count - 1)
      guard let entry = try tx.get(snapshot.tables.log, last.entryLSN) else { return false }
      let dot = try TransactionEntry.dot(in: entry, at: last)
      return dot.replica == event.dot.replica
        ? dot.seq < event.dot.seq : context[dot.replica] >= dot.seq
    default: return false
    }
  }

  private func supersedes(
    _ line: LinearRow, _ event: borrowing EventReader, _ shape: ModelShape,
    _ tx: borrowing ReadTransaction
  ) throws -> Bool {
    let last = line.position(line.count - 1)
    guard event.kind == .update, let entry = try tx.get(snapshot.tables.log, last.entryLSN) else {
      return false
    }
    var given: UInt128 = 0
    var changes = copy event
    while let field = try changes.nextField() {
      if field < 128 { given |= 1 << UInt128(field) }
      _ = try changes.operationBytes()
    }
    return try shape.isSuperseded(
      TransactionEntry.event(in: entry, at: last), by: event.dot.replica, giving: given)
  }

  private func foldEvent(
    _ event: borrowing EventReader, _ resolved: Catalog.Resolved, _ context: VersionVector,
    _ tx: borrowing ReadTransaction
  ) throws -> FoldEvent {
    var whole = context
    whole.set(event.dot.replica, to: event.dot.seq - 1)
    let stamp = try snapshot.tables.effectiveStamp(event.dot, event.stamp, tx)
    return FoldEvent(
      rank: Rank(stamp, event.dot), kind: event.kind, context: whole,
      changes: try snapshot.catalog.changes(event.changes(), of: event.model, resolved))
  }
}

extension EventReader {
  /// Whether the event changes who owns the record.
  fileprivate func touches(_ shape: ModelShape) throws(CodecError) -> Bool {
    guard !shape.isWide else { return true }
    if shape.owners == 0 { return false }
    var changes = copy self
    while let field = try changes.nextField() {
      if field >= 128 || shape.owners & (1 << UInt128(field)) != 0 { return true }
      _ = try changes.operationBytes()
    }
    return false
  }
}
