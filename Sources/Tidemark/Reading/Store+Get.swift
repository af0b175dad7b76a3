internal import Synchronization
public import TidemarkEvents
internal import TidemarkLMDB

extension Store {
  /// One record, read in place; `nil` where it does not exist.
  ///
  /// ```swift
  /// let title = try store.get(posts, id: "p1") { try $0.string(title) }
  /// ```
  ///
  /// It sees everything that was committed before the call. It waits for no writer, save once after
  /// another process has written, for what that left in the journal.
  /// - Throws: `StoreError`; what the closure throws.
  /// - Complexity: O(log records).
  public func get<R>(
    _ model: ModelReference, id: RecordID, _ body: (borrowing RecordReader) throws -> R
  ) throws -> R? {
    // What is generic ends here: the rest is compiled once, for all results.
    var result: R?
    try getRecord(model.shape, id) { result = try body($0) }
    return result
  }

  private func getRecord(
    _ shape: ModelShape, _ id: RecordID, _ body: (borrowing RecordReader) throws -> Void
  ) throws {
    guard id.isValid else { return }
    try readRows { tx, snapshot in
      let index = try rowIndexes.index(tables, tx)
      var key = ByteWriter(capacity: 64)
      RecordKey(model: shape.number, id: id).encode(into: &key)
      guard let row = try snapshot.row(key.bytes, index, tx) else { return }
      _ = try snapshot.read(row, id, shape, tx, body)
    }
  }

  /// Every record of a model, sorted by id, as of one moment, until the closure returns false.
  /// - Complexity: O(records).
  public func forEach(
    _ model: ModelReference, _ body: (borrowing RecordReader) throws -> Bool
  ) throws {
    try readRows { tx, snapshot in
      try snapshot.forEachRow(of: model.shape.number, tx) { key, row in
        try snapshot.read(row, key.id, model.shape, tx, body) ?? true
      }
    }
  }

  /// Runs a body over the rows of one moment.
  func readRows<R>(
    _ body: (borrowing ReadTransaction, RowSnapshot) throws -> R
  ) throws -> R {
    try engine.noticeJournal()
    if tail.isBehind { try engine.catchUp() }
    // The tail first: what leaves it is in LMDB by then.
    let view = tail.view
    return try environment.read { tx in
      try body(
        tx, RowSnapshot(tail: tail, tables: tables, catalog: currentCatalog, view: view))
    }
  }
}

/// The row index of the last snapshot that was read: as long as nothing was committed to LMDB, the
/// next one needs none of its own.
final class RowIndexCache: Sendable {
  private struct Entry {
    let transaction: UInt64
    /// Where the list of runs lies, which tells one map from another.
    let address: UInt
    let index: RowIndex
  }

  private let entry = Mutex<Confined<Entry>?>(nil)

  func index(_ tables: Tables, _ tx: borrowing ReadTransaction) throws -> RowIndex {
    let address = try tx.get(tables.header, RowRun.listKey)?.address ?? 0
    if let known = entry.withLock({ $0 })?.value, known.transaction == tx.id,
      known.address == address
    {
      return known.index
    }
    let index = try RowIndex(tables, tx)
    let made = Confined(Entry(transaction: tx.id, address: address, index: index))
    entry.withLock { $0 = made }
    return index
  }
}

extension RawSpan {
  fileprivate var address: UInt {
    unsafe withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
  }
}
