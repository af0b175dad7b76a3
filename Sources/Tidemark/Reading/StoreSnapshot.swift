public import TidemarkEvents
internal import TidemarkLMDB

/// One unchanging moment of a store, for any number of reads that belong together.
///
/// ```swift
/// try store.withSnapshot { snapshot in
///   let post = try snapshot.get(posts, id: "p1") { try $0.string(title) }
///   try snapshot.forEach(posts, from: "p2") { count += 1; return count < 10 }
/// }
/// ```
///
/// It holds no lock: writers go on, and what they commit is not in it. As long as it lives no page that
/// its state uses is used again, so that the file may grow: read what is needed, and leave.
public struct StoreSnapshot: ~Copyable {
  let transaction: OwnedReadTransaction
  let rows: RowSnapshot
  private let index: RowIndex

  fileprivate init(_ store: borrowing Store) throws {
    // The tail first: what leaves it is in LMDB by then.
    var view = store.tail.view
    var transaction = try store.environment.snapshot()
    // What left it meanwhile may have been changed in LMDB since, by a merge or by another process, and
    // must not hide that.
    while !view.isEmpty, !store.tail.holds(view) || store.tail.isBehind {
      try store.noticeOthers()
      view = store.tail.view
      transaction = try store.environment.snapshot()
    }
    index = try store.rowIndexes.index(store.tables, transaction)
    rows = RowSnapshot(
      tail: store.tail, tables: store.tables, catalog: store.currentCatalog, view: view)
    self.transaction = transaction
  }

  /// One record, read in place; `nil` where it does not exist.
  /// - Throws: `StoreError`; what the closure throws.
  /// - Complexity: O(log records).
  public borrowing func get<R>(
    _ model: ModelReference, id: RecordID, _ body: (borrowing RecordReader) throws -> R
  ) throws -> R? {
    // What is generic ends here: the rest is compiled once, for all results.
    var result: R?
    try read(model.shape, id) { result = try body($0) }
    return result
  }

  private borrowing func read(
    _ shape: ModelShape, _ id: RecordID, _ body: (borrowing RecordReader) throws -> Void
  ) throws {
    guard id.isValid else { return }
    var key = ByteWriter(capacity: 64)
    RecordKey(model: shape.number, id: id).encode(into: &key)
    guard let row = try row(key.bytes) else { return }
    _ = try rows.read(row, id, shape, transaction, body)
  }

  borrowing func row(_ key: RawSpan) throws -> StoredRow? {
    try rows.row(key, index, transaction)
  }

  /// The records of a model, sorted by id, until the closure returns false.
  /// - Parameter start: only those whose ids are at or after it.
  /// - Throws: as `get`.
  /// - Complexity: O(log records + records visited).
  public borrowing func forEach(
    _ model: ModelReference, from start: RecordID? = nil,
    _ body: (borrowing RecordReader) throws -> Bool
  ) throws {
    var ahead = RowLookahead(rows, model.shape)
    var goesOn = true
    try rows.forEachRow(of: model.shape.number, from: start, transaction) { key, row in
      try ahead.add(key, row, transaction)
      if ahead.isFull { goesOn = try ahead.visit(transaction, body) }
      return goesOn
    }
    if goesOn { _ = try ahead.visit(transaction, body) }
  }
}

extension Store {
  /// Runs a closure over one moment of the store, which has everything that was committed before the
  /// call.
  ///
  /// It waits for no writer, save once after another process has written, for what that left in the
  /// journal.
  /// - Throws: `StoreError`; what the closure throws.
  public func withSnapshot<R>(_ body: (borrowing StoreSnapshot) throws -> R) throws -> R {
    try noticeOthers()
    return try body(StoreSnapshot(self))
  }

  /// One record, as `StoreSnapshot.get` of a snapshot of its own.
  ///
  /// ```swift
  /// let title = try store.get(posts, id: "p1") { try $0.string(title) }
  /// ```
  public func get<R>(
    _ model: ModelReference, id: RecordID, _ body: (borrowing RecordReader) throws -> R
  ) throws -> R? {
    try withSnapshot { try $0.get(model, id: id, body) }
  }

  /// The records of a model, as `StoreSnapshot.forEach` of a snapshot of its own.
  public func forEach(
    _ model: ModelReference, from start: RecordID? = nil,
    _ body: (borrowing RecordReader) throws -> Bool
  ) throws {
    try withSnapshot { try $0.forEach(model, from: start, body) }
  }

  /// Brings into LMDB what another process left in the journal, and sees what else it changed.
  fileprivate func noticeOthers() throws {
    try engine.noticeJournal()
    if tail.isBehind { try read { _, _ in } }
  }
}
