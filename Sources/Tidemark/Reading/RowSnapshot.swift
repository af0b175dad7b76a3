internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

/// The rows of one moment: those in memory and those in LMDB.
struct RowSnapshot {
  let tail: Tail
  let tables: Tables
  let catalog: Catalog
  let view: Tail.View

  /// A record's row wherever it is.
  func row(
    _ key: RawSpan, _ index: RowIndex, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> StoredRow? {
    if !view.isEmpty {
      let hash = keyHash(key, seed: tail.hashSeed)
      let found = tail.locked {
        row(key, hash, in: view.growing) ?? row(key, hash, in: view.sealed)
      }
      if let found { return found }
    }
    return try index.row(key, tx)
  }

  private func row(_ key: RawSpan, _ hash: UInt64, in segment: TailSegment?) -> StoredRow? {
    guard let segment, let place = segment.rows.find(key, hash) else { return nil }
    return segment.rows.row(place, before: view.visibleLSN)
  }

  /// Calls `body` with an entry's bytes, wherever it is.
  func withEntry<R>(
    _ lsn: UInt64, _ tx: borrowing some Reading & ~Copyable & ~Escapable,
    _ body: (RawSpan) throws -> R
  ) throws -> R {
    defer { withExtendedLifetime(view) {} }
    return try body(unsafe RawSpan(_unsafeBytes: entry(lsn, tx)))
  }

  /// An entry's bytes, which stay where they are for as long as the segments and the transaction do.
  func entry(
    _ lsn: UInt64, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> UnsafeRawBufferPointer {
    if !view.isEmpty, let buffer = unsafe buffer(lsn) { return unsafe buffer }
    guard let bytes = try tx.get(tables.log, lsn) else {
      throw CodecError(.malformed, "log entry \(lsn)")
    }
    return unsafe bytes.withUnsafeBytes { unsafe $0 }
  }

  /// An entry of the tail.
  private func buffer(_ lsn: UInt64) -> UnsafeRawBufferPointer? {
    for segment in [view.growing, view.sealed] {
      guard let segment, lsn >= segment.firstLSN else { continue }
      let found = unsafe tail.locked { () -> UnsafeRawBufferPointer? in
        guard let entry = segment.entry(lsn) else { return nil }
        return unsafe segment.buffer(entry)
      }
      if let found = unsafe found { return unsafe found }
    }
    return nil
  }

  /// A record's state, folded where its row says only where its events are.
  func state(
    _ row: StoredRow, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> RecordState {
    switch row {
    case .state(let row): return row.state
    case .linear(let line): return try line.state(catalog) { try withEntry($0, tx, $1) }
    }
  }

  /// Calls `body` with what is read of a record's fields; not at all where the record does not exist.
  func read<R>(
    _ row: StoredRow, _ id: RecordID, _ shape: ModelShape,
    _ tx: borrowing some Reading & ~Copyable & ~Escapable,
    _ body: (borrowing RecordReader) throws -> R
  ) throws -> R? {
    switch row {
    case .linear(let line):
      guard line.exists else { return nil }
      if let events = try changes(line, shape, tx) {
        return try body(RecordReader(id: id, .line(events)))
      }
      let state = try state(row, tx)
      return try body(RecordReader(id: id, .state(state, fields: shape.fieldIDs)))
    case .state(let row):
      guard row.state.exists else { return nil }
      return try body(RecordReader(id: id, .state(row.state, fields: shape.fieldIDs)))
    }
  }

  /// The changes of a line's events in place, newest first; `nil` where they have to be folded.
  private func changes(
    _ line: LinearRow, _ shape: ModelShape,
    _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> [RecordReader.Changes]? {
    guard shape.isPlain else { return nil }
    var changes: [RecordReader.Changes] = []
    changes.reserveCapacity(line.count)
    for index in stride(from: line.count - 1, through: 0, by: -1) {
      let position = line.position(index)
      let entry = unsafe try entry(position.entryLSN, tx)
      guard unsafe try changes.append(entry, position, shape) else { return nil }
    }
    return changes
  }

  /// The rows from a key on, in the order of their keys.
  private func rows(
    from start: [UInt8], _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> RowMerge {
    var sources = view.segments.map { segment in
      tail.locked { RowSource(segment.batch(from: start, before: view.visibleLSN)) }
    }
    sources.append(RowSource(tree: tables, from: start))
    sources += try tables.rowRuns(tx).map { RowSource(run: $0, tables, from: start) }
    return RowMerge(sources)
  }

  /// Calls `body` with a model's rows, sorted by id, until it returns false. Packed and other ids lie
  /// in two ranges, which are merged.
  /// - Parameter start: only those whose ids are at or after it.
  func forEachRow(
    of model: Int, from start: RecordID? = nil,
    _ tx: borrowing some Reading & ~Copyable & ~Escapable,
    _ body: (RecordKey, StoredRow) throws -> Bool
  ) throws {
    let starts = RecordKey.starts(model: model, from: start)
    var packed = try starts.packed.map { try rows(from: $0, tx) } ?? RowMerge([])
    var texts = try rows(from: starts.texts, tx)
    var packedRow = try packed.next(of: model, kind: 0, tx)
    var textRow = try texts.next(of: model, kind: 1, tx)
    while packedRow != nil || textRow != nil {
      let takesPacked =
        if let packedRow, let textRow { packedRow.key.id < textRow.key.id } else {
          packedRow != nil
        }
      guard let (key, row) = takesPacked ? packedRow : textRow else { return }
      guard try body(key, row) else { return }
      if takesPacked {
        packedRow = try packed.next(of: model, kind: 0, tx)
      } else {
        textRow = try texts.next(of: model, kind: 1, tx)
      }
    }
  }
}

extension RowMerge {
  fileprivate mutating func next(
    of model: Int, kind: UInt8, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> (key: RecordKey, row: StoredRow)? {
    guard let source = try next(tx) else { return nil }
    return try source.withCurrent { key, row in
      let found = try RecordKey(key)
      guard found.model == model, (found.id.packedUUID == nil) == (kind == 1) else { return nil }
      return (found, try StoredRow(row))
    }
  }
}

extension [RecordReader.Changes] {
  /// Adds an event's changes.
  /// - Returns: false where the event is not of the shape's schema version.
  mutating func append(
    _ entry: UnsafeRawBufferPointer, _ position: Position, _ shape: ModelShape
  ) throws -> Bool {
    let event = try TransactionEntry.event(
      in: unsafe RawSpan(_unsafeBytes: entry), at: position)
    guard shape.hasPlaces(of: event.schema) else { return false }
    unsafe event.changeBytes.withUnsafeBytes {
      unsafe append(RecordReader.Changes(bytes: $0, count: event.changeCount))
    }
    return true
  }
}
