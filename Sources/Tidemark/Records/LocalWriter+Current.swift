internal import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

extension LocalWriter {
  /// A record's state as the transaction sees it, with all that it has written so far; `nil` where the
  /// record does not exist.
  /// - Complexity: O(log records + the record's events that are not folded).
  func current(_ shape: ModelShape, _ id: RecordID) throws -> RecordState? {
    guard operation == nil, let segment else {
      throw StoreError(.misuse, "a read inside an operation; read before it begins")
    }
    guard id.isValid else { return nil }
    key.truncate()
    RecordKey(model: shape.number, id: id).encode(into: &key)
    let hash = keyHash(key.bytes, seed: tail.hashSeed)
    var row: StoredRow?
    for segment in [segment, draining] {
      guard let segment, let place = segment.rows.find(key.bytes, hash) else { continue }
      row = segment.rows.row(place, before: .max)
      if row != nil { break }
    }
    guard let row = try row ?? storedRow(), row.exists else { return nil }
    switch row {
    case .state(let row): return row.state
    case .linear(let line): return try line.state(catalog, withOwnEntry)
    }
  }

  /// The entry that is being written included.
  func withOwnEntry(_ lsn: UInt64, _ body: (RawSpan) throws -> Void) throws {
    guard lsn == header.nextLSN, builder.eventCount > 0 else { return try withEntry(lsn, body) }
    try body(builder.bytes.extracting(entryOffset..<builder.bytes.byteCount))
  }

  private func storedRow() throws -> StoredRow? {
    try withSnapshot { snapshot in
      if let rowIndex { return try rowIndex.row(key.bytes, snapshot) }
      let index = try RowIndex(tables, snapshot)
      rowIndex = index
      return try index.row(key.bytes, snapshot)
    }
  }
}

extension StoredRow {
  fileprivate var exists: Bool {
    switch self {
    case .linear(let row): row.exists
    case .state(let row): row.state.exists
    }
  }
}
