internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

// What the tables say, read through a snapshot or through the writer's own transaction.

/// A record's row: its state, and where its chain of log entries begins.
struct RecordRow: Hashable, Sendable {
  /// The lsn of the record's newest event; 0 for none.
  var head: UInt64 = 0
  var state = RecordState()

  init() {}

  func encode(into writer: inout ByteWriter) {
    writer.append(varint: head)
    state.encode(into: &writer)
  }

  init(from reader: inout ByteReader) throws(CodecError) {
    head = try reader.varint()
    state = try RecordState(from: &reader)
  }
}

/// One event as a record's chain or the log holds it.
struct LoggedEvent: Sendable {
  let lsn: UInt64
  let dot: Dot
  let event: Event
  let header: TransactionHeader
  /// The decision that stands in the same entry, if any.
  let decision: DecisionRecord?
  /// The lsn of the record's event before; 0 for none.
  let previous: UInt64
}

extension Tables {
  func storeHeader(_ tx: borrowing some Reading & ~Copyable & ~Escapable) throws -> StoreHeader? {
    guard let bytes = try tx.get(header, 0) else { return nil }
    return try StoreHeader(bytes)
  }

  func replicaStates(_ tx: borrowing some Reading & ~Copyable & ~Escapable) throws -> [ReplicaID:
    ReplicaState]
  {
    var states: [ReplicaID: ReplicaState] = [:]
    try tx.forEach(replicas) { key, value in
      var reader = ByteReader(key)
      states[ReplicaID(try reader.bigEndian(UInt64.self))] = try ReplicaState(value)
      return true
    }
    return states
  }

  func replicaState(
    _ replica: ReplicaID, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> ReplicaState {
    guard let bytes = try tx.get(replicas, replica.key.rawBytes) else { return ReplicaState() }
    return try ReplicaState(bytes)
  }

  /// - Parameter candidate: a schema to take as the current one.
  func catalog(
    _ tx: borrowing some Reading & ~Copyable & ~Escapable, adopting candidate: String? = nil
  ) throws -> Catalog {
    var sources: [(source: String, isAdopted: Bool)] = []
    try tx.forEach(schemas, from: 0) { _, value in
      var reader = ByteReader(value)
      let isAdopted = try reader.byte() == 1
      sources.append((try reader.string(byteCount: reader.remaining), isAdopted))
      return true
    }
    if let candidate { sources.append((candidate, true)) }
    do {
      return try CatalogCache.shared.catalog(sources, authorizer)
    } catch {
      throw StoreError(.corrupt, "the store's own schema does not parse: \(error.message)")
    }
  }

  func row(
    _ key: RecordKey, _ catalog: Catalog, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  )
    throws -> RecordRow?
  {
    guard let stored = try storedRow(key.bytes.rawBytes, tx) else { return nil }
    return try row(stored, catalog, tx)
  }

  func storedRow(
    _ key: RawSpan, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> StoredRow? {
    if let bytes = try tx.get(records, key) { return try StoredRow(bytes) }
    for run in try rowRuns(tx) {
      let hash = keyHash(key, seed: run.seed)
      if let filter = try tx.get(rowFilters, UInt64(run.id)),
        !RowFilter.mayHold(hash, filter, lineCount: run.filterLineCount)
      {
        continue
      }
      if let row = try storedRow(key, hash, in: run, tx) { return row }
    }
    return nil
  }

  /// A row of one run.
  /// - Parameter hash: the key's, under the run's seed.
  func storedRow(
    _ key: RawSpan, _ hash: UInt64, in run: RowRun,
    _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> StoredRow? {
    var prefix = ByteWriter(capacity: 512)
    prefix.append(bigEndian: run.id)
    prefix.append(key)
    return try tx.withCursor(rowBlocks) { cursor in
      guard try cursor.seek(atOrBefore: prefix.bytes), try cursor.key.begins(with: run.id) else {
        return nil
      }
      guard let row = try RowBlock(cursor.value).row(key, hash) else { return nil }
      return try StoredRow(row)
    }
  }

  /// A row with its state; that of a line is folded from its events.
  func row(
    _ stored: StoredRow, _ catalog: Catalog, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> RecordRow {
    switch stored {
    case .state(let row): return row
    case .linear(let line):
      var row = RecordRow()
      row.head = line.head
      row.state = try line.state(catalog) { lsn, fold in
        guard let entry = try tx.get(log, lsn) else {
          throw CodecError(.malformed, "log entry \(lsn)")
        }
        try fold(entry)
      }
      return row
    }
  }

  /// Where the log holds a dot: an event, or the tombstone of one that it never held.
  func position(_ dot: Dot, _ tx: borrowing some Reading & ~Copyable & ~Escapable) throws -> UInt64?
  {
    guard let run = try run(at: dot, tx), dot.seq - run.firstSeq < run.count else { return nil }
    return run.firstLSN + (dot.seq - run.firstSeq)
  }

  /// The last run that begins at or before a dot, of the dot's replica.
  func run(at dot: Dot, _ tx: borrowing some Reading & ~Copyable & ~Escapable) throws -> Run? {
    try last(in: runs, atOrBefore: dot, tx).flatMap { dot, bytes in
      try Run(firstSeq: dot.seq, bytes.rawBytes)
    }
  }

  /// The last entry of a table keyed by dots that is at or before one, of its replica.
  private func last(
    in table: Table, atOrBefore dot: Dot, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> (Dot, [UInt8])? {
    try tx.withCursor(table) { cursor in
      let key = dot.key
      guard try cursor.seek(atOrBefore: key.rawBytes) else { return nil }
      let found = try Dot(key: cursor.key)
      return found.replica == dot.replica ? (found, cursor.value.toArray()) : nil
    }
  }

  func tombstone(_ dot: Dot, _ tx: borrowing some Reading & ~Copyable & ~Escapable) throws
    -> UInt64?
  {
    guard let bytes = try tx.get(tombstones, dot.key.rawBytes) else { return nil }
    var reader = ByteReader(bytes)
    return try reader.varint()
  }

  /// The decision that accepted an event, where it stands apart from the event's own entry.
  func acceptance(
    _ dot: Dot, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> DecisionRecord? {
    guard let (_, bytes) = try last(in: acceptances, atOrBefore: dot, tx) else { return nil }
    var reader = ByteReader(bytes.rawBytes)
    return try withEntry(holding: try reader.varint(), tx) { entry, _ in
      guard case .acceptance(let acceptance) = entry, acceptance.lastSeq >= dot.seq else {
        return nil
      }
      return acceptance.decision
    }
  }

  func effectiveStamp(
    _ dot: Dot, _ raw: Stamp, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> Stamp {
    guard let bytes = try tx.get(clamps, dot.key.rawBytes) else { return raw }
    var reader = ByteReader(bytes)
    return Stamp(rawValue: try reader.littleEndian(UInt64.self))
  }

  /// What a transaction's author had seen when its first dot was `dot`, without the author's own.
  func foreignContext(_ dot: Dot, _ tx: borrowing some Reading & ~Copyable & ~Escapable) throws
    -> VersionVector
  {
    var dot = dot
    var changes: [VersionVector] = []
    while let (found, bytes) = try last(in: contexts, atOrBefore: dot, tx) {
      var reader = ByteReader(bytes.rawBytes)
      let isWhole = try reader.byte() == 0
      changes.append(try VersionVector(from: &reader))
      if isWhole || found.seq == 1 { break }
      dot = Dot(found.replica, found.seq - 1)
    }
    var context = changes.popLast() ?? VersionVector()
    while let change = changes.popLast() { context.formUnion(change) }
    return context
  }

  /// The context of an event: what its replica had seen just before.
  func context(_ dot: Dot, _ tx: borrowing some Reading & ~Copyable & ~Escapable) throws
    -> VersionVector
  {
    var context = try foreignContext(dot, tx)
    context.set(dot.replica, to: dot.seq - 1)
    return context
  }

  /// Calls `body` with the entry that holds an lsn, and that entry's own lsn.
  func withEntry<R>(
    holding lsn: UInt64, _ tx: borrowing some Reading & ~Copyable & ~Escapable,
    _ body: (borrowing LogEntry, UInt64) throws -> R
  ) throws -> R {
    try tx.withCursor(log) { cursor in
      guard try cursor.seek(atOrBefore: lsn) else {
        throw CodecError(.malformed, "log entry \(lsn)")
      }
      let first = try cursor.integerKey
      let entry = try LogEntry(cursor.value, lsn: first)
      return try body(entry, first)
    }
  }

  func event(_ lsn: UInt64, _ tx: borrowing some Reading & ~Copyable & ~Escapable) throws
    -> LoggedEvent
  {
    guard let event = try link(lsn, tx).event else {
      throw CodecError(.malformed, "log entry \(lsn) withholds its event")
    }
    return event
  }

  /// The event at an lsn, `nil` where it is withheld from this store, and the lsn of the one before in
  /// its record's chain; 0 for none.
  func link(_ lsn: UInt64, _ tx: borrowing some Reading & ~Copyable & ~Escapable) throws
    -> (event: LoggedEvent?, previous: UInt64)
  {
    try withEntry(holding: lsn, tx) { entry, first in
      let index = Int(clamping: lsn - first)
      func previous(_ distance: UInt64) throws(CodecError) -> UInt64 {
        guard distance < lsn else { throw CodecError(.malformed, "chain of \(lsn)") }
        return distance == 0 ? 0 : lsn - distance
      }
      switch entry {
      case .transaction(let entry):
        let header = entry.transaction.header
        guard index < header.eventCount else { throw CodecError(.malformed, "log entry \(lsn)") }
        let previous = try previous(try entry.distance(index))
        let event = LoggedEvent(
          lsn: lsn, dot: header.dot(index), event: try entry.transaction.event(at: index),
          header: header, decision: entry.decision, previous: previous)
        return (event, previous)
      case .portion(let entry):
        let header = entry.portion.header
        guard index < header.eventCount else { throw CodecError(.malformed, "log entry \(lsn)") }
        let previous = try previous(entry.links[index])
        let event = entry.portion.event(at: index).map {
          LoggedEvent(
            lsn: lsn, dot: header.dot(index), event: $0, header: header, decision: entry.decision,
            previous: previous)
        }
        return (event, previous)
      case .rejection, .acceptance, .withdrawal, .adoption:
        throw CodecError(.malformed, "log entry \(lsn) is no event")
      }
    }
  }

  /// The lsn of the first entry of events that no authority has decided.
  func firstPending(
    _ replicas: [ReplicaID: ReplicaState], _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> UInt64? {
    var first: UInt64?
    for (replica, state) in replicas where state.decidedThrough < state.seq {
      guard let lsn = try position(Dot(replica, state.decidedThrough + 1), tx) else { continue }
      let entry = try withEntry(holding: lsn, tx) { _, entryLSN in entryLSN }
      first = min(first ?? entry, entry)
    }
    return first
  }

  /// The hash chain's end and the last stamp at the transaction that ends with a dot; zeros before the
  /// replica's first.
  func head(
    _ dot: Dot, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> (TransactionHash, Stamp) {
    guard dot.seq > 0, let lsn = try position(dot, tx) else { return (.zero, .zero) }
    return try withEntry(holding: lsn, tx) { entry, _ in
      switch entry {
      case .transaction(let entry):
        let last = entry.transaction.header.eventCount - 1
        return (entry.transaction.hash, try entry.transaction.event(at: last).stamp)
      case .rejection(let rejection): return (rejection.hash, rejection.lastStamp)
      case .portion(let entry): return (entry.portion.hash, entry.portion.lastStamp)
      case .acceptance, .withdrawal, .adoption: return (.zero, .zero)
      }
    }
  }

  /// The record's events, oldest first, without those that were withdrawn or are withheld.
  /// - Complexity: O(events of the record).
  func chain(
    _ head: UInt64, _ header: StoreHeader, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> [LoggedEvent] {
    var events: [LoggedEvent] = []
    var lsn = head
    while lsn != 0 {
      let (event, previous) = try link(lsn, tx)
      if let event, try header.withdrawalCount == 0 || position(event.dot, tx) == lsn {
        events.append(event)
      }
      lsn = previous
    }
    events.reverse()
    return events
  }

  /// An event as the fold takes it; `nil` where a tombstone names it.
  func foldEvent(
    _ logged: LoggedEvent, _ catalog: Catalog, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> FoldEvent? {
    guard try tombstone(logged.dot, tx) == nil,
      let resolved = catalog.resolved(logged.header.schema)
    else { return nil }
    return FoldEvent(
      rank: Rank(try effectiveStamp(logged.dot, logged.event.stamp, tx), logged.dot),
      kind: logged.event.kind, context: try context(logged.dot, tx),
      changes: try catalog.changes(logged.event, resolved))
  }

  /// The record's live events as the fold takes them, oldest first.
  func foldEvents(
    _ head: UInt64, _ header: StoreHeader, _ catalog: Catalog,
    _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> [FoldEvent] {
    var events: [FoldEvent] = []
    for logged in try chain(head, header, tx) {
      if let event = try foldEvent(logged, catalog, tx) { events.append(event) }
    }
    return events
  }
}

/// A run of one replica's dots that stand together in the log.
struct Run: Sendable {
  let firstSeq: UInt64
  let firstLSN: UInt64
  var count: UInt64

  init(firstSeq: UInt64, firstLSN: UInt64, count: UInt64) {
    self.firstSeq = firstSeq
    self.firstLSN = firstLSN
    self.count = count
  }

  init(firstSeq: UInt64, _ bytes: RawSpan) throws(CodecError) {
    var reader = ByteReader(bytes)
    self.firstSeq = firstSeq
    firstLSN = try reader.varint()
    count = try reader.varint()
  }

  var bytes: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.append(varint: firstLSN)
    writer.append(varint: count)
    return writer.toArray()
  }
}
