public import CLMDB

/// What can be read through either kind of transaction, so that generic code need not know which.
///
/// Spans point into the store's map. They are good while the transaction is, and in a write
/// transaction until its next change; the compiler sees to both.
public protocol Reading: ~Copyable, ~Escapable {
  /// The transaction's handle, for this module only.
  var _handle: TransactionHandle { get }
}

/// A live LMDB transaction, for this module only.
@safe public struct TransactionHandle {
  @usableFromInline let pointer: OpaquePointer
  @usableFromInline let owner: UInt32

  @usableFromInline init(pointer: OpaquePointer, owner: UInt32) {
    unsafe self.pointer = pointer
    self.owner = owner
  }

  /// Refuses a table of another environment or kind.
  @inlinable @inline(__always)
  func check(
    _ table: Table, _ kind: Table.Kind, _ operation: StaticString
  ) throws(LMDBError) {
    guard table.owner == owner, table.kind == kind else {
      throw .misuse(table, owner: owner, operation)
    }
  }

  /// Refuses a key that LMDB would, before the transaction is touched.
  @inlinable @inline(__always)
  func check(_ key: RawSpan, _ table: Table, _ operation: StaticString) throws(LMDBError) {
    try check(table, .bytesKeys, operation)
    guard UInt(bitPattern: key.byteCount &- 1) < UInt(Table.keyByteCountMax) else {
      throw .badKey(byteCount: key.byteCount, table, operation)
    }
  }
}

extension LMDBError {
  @usableFromInline @inline(never)
  static func misuse(_ table: Table, owner: UInt32, _ operation: StaticString) -> LMDBError {
    let what =
      table.owner == owner
      ? "table \(table.name) has keys of the other kind"
      : "table \(table.name) belongs to another environment"
    return LMDBError(.invalid, operation: "\(operation)", detail: what)
  }

  @usableFromInline @inline(never)
  static func badKey(byteCount: Int, _ table: Table, _ operation: StaticString) -> LMDBError {
    LMDBError(
      .keySize, operation: "\(operation)", detail: "table \(table.name), \(byteCount) bytes")
  }

  @usableFromInline @inline(never)
  static func failed(_ rc: Int32, _ table: Table, _ operation: StaticString) -> LMDBError {
    // LMDB says EINVAL of a table that the transaction does not know.
    let isUnknown = rc == 22
    return LMDBError(
      rc: rc, operation: "\(operation)",
      detail: isUnknown
        ? "table \(table.name) was opened after the transaction began" : "table \(table.name)")
  }
}

extension Reading where Self: ~Copyable, Self: ~Escapable {
  /// The number of the state that this transaction sees or makes.
  public var id: UInt64 {
    if _handle.isInMemory { return unsafe MemoryTransaction.at(_handle.pointer).number }
    return UInt64(truncatingIfNeeded: unsafe mdb_txn_id(_handle.pointer))
  }

  /// The value at a key, without a copy; nil when there is none.
  /// - Throws: `keySize`; `invalid` for a table with integer keys or of another environment.
  /// - Complexity: O(log n).
  @inlinable
  @_lifetime(borrow self)
  public borrowing func get(_ table: Table, _ key: RawSpan) throws(LMDBError) -> RawSpan? {
    let handle = _handle
    try handle.check(key, table, "get")
    var value = unsafe MDB_val()
    let rc = unsafe key.withUnsafeBytes { bytes in
      var key = unsafe MDB_val(bytes)
      return unsafe engineGet(handle, table.number, &key, &value)
    }
    if rc == 0 { return unsafe _overrideLifetime(value.span, borrowing: self) }
    if rc == MDB_NOTFOUND { return nil }
    throw .failed(rc, table, "get")
  }

  /// The value at a number, without a copy; nil when there is none.
  /// - Throws: `invalid` for a table with bytes keys or of another environment.
  /// - Complexity: O(log n).
  @inlinable
  @_lifetime(borrow self)
  public borrowing func get(_ table: Table, _ key: UInt64) throws(LMDBError) -> RawSpan? {
    let handle = _handle
    try handle.check(table, .integerKeys, "get")
    var value = unsafe MDB_val()
    let rc = unsafe withUnsafeBytes(of: key) { bytes in
      var key = unsafe MDB_val(bytes)
      return unsafe engineGet(handle, table.number, &key, &value)
    }
    if rc == 0 { return unsafe _overrideLifetime(value.span, borrowing: self) }
    if rc == MDB_NOTFOUND { return nil }
    throw .failed(rc, table, "get")
  }

  /// The number of entries.
  /// - Complexity: O(1).
  public borrowing func count(_ table: Table) throws(LMDBError) -> Int {
    try statistics(table).entryCount
  }

  /// How large a table is.
  /// - Complexity: O(1).
  public borrowing func statistics(_ table: Table) throws(LMDBError) -> TableStatistics {
    try _handle.check(table, table.kind, "statistics")
    if _handle.isInMemory {
      guard let found = unsafe statisticsInMemory(_handle.pointer, table) else {
        throw .failed(unknownTable, table, "statistics")
      }
      return found
    }
    var status = MDB_stat()
    let rc = unsafe mdb_stat(_handle.pointer, table.number, &status)
    guard rc == 0 else { throw .failed(rc, table, "statistics") }
    return TableStatistics(
      entryCount: status.ms_entries, depth: Int(status.ms_depth),
      branchPageCount: status.ms_branch_pages, leafPageCount: status.ms_leaf_pages,
      overflowPageCount: status.ms_overflow_pages)
  }

  /// The first key of a table with bytes keys; nil when it is empty.
  @_lifetime(borrow self)
  public borrowing func firstKey(_ table: Table) throws(LMDBError) -> RawSpan? {
    try _handle.check(table, .bytesKeys, "first key")
    guard let key = unsafe try endKey(table, MDB_FIRST) else { return nil }
    return unsafe _overrideLifetime(key.span, borrowing: self)
  }

  /// The last key of a table with bytes keys; nil when it is empty.
  @_lifetime(borrow self)
  public borrowing func lastKey(_ table: Table) throws(LMDBError) -> RawSpan? {
    try _handle.check(table, .bytesKeys, "last key")
    guard let key = unsafe try endKey(table, MDB_LAST) else { return nil }
    return unsafe _overrideLifetime(key.span, borrowing: self)
  }

  /// The least number of a table with integer keys; nil when it is empty.
  public borrowing func firstIntegerKey(_ table: Table) throws(LMDBError) -> UInt64? {
    try _handle.check(table, .integerKeys, "first key")
    return unsafe try endKey(table, MDB_FIRST).map { value throws(LMDBError) in
      unsafe try value.integer(table)
    }
  }

  /// The greatest number of a table with integer keys; nil when it is empty.
  public borrowing func lastIntegerKey(_ table: Table) throws(LMDBError) -> UInt64? {
    try _handle.check(table, .integerKeys, "last key")
    return unsafe try endKey(table, MDB_LAST).map { value throws(LMDBError) in
      unsafe try value.integer(table)
    }
  }

  private borrowing func endKey(
    _ table: Table, _ position: MDB_cursor_op
  ) throws(LMDBError) -> MDB_val? {
    var cursor: OpaquePointer?
    var rc = unsafe engineOpenCursor(_handle, table.number, &cursor)
    guard rc == 0, let cursor = unsafe cursor else { throw .failed(rc, table, "open cursor") }
    defer { unsafe engineCloseCursor(cursor, table.owner) }
    var key = unsafe MDB_val()
    var value = unsafe MDB_val()
    rc = unsafe engineMove(cursor, table.owner, &key, &value, position)
    if rc == MDB_NOTFOUND { return nil }
    guard rc == 0 else { throw .failed(rc, table, "end of table") }
    return unsafe key
  }
}

extension MDB_val {
  /// The bytes of a key or value that LMDB reads.
  @inlinable @inline(__always)
  init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.init(
      mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }

  /// The bytes that LMDB gave. The caller shortens the lifetime to the transaction's.
  @inlinable
  var span: RawSpan {
    @_lifetime(immortal) @inline(__always)
    get {
      let bytes = unsafe UnsafeRawBufferPointer(start: mv_data, count: mv_data == nil ? 0 : mv_size)
      return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), copying: ())
    }
  }

  /// The number that an integer key is; a table that says it has such keys may be damaged.
  @inlinable
  func integer(_ table: Table) throws(LMDBError) -> UInt64 {
    guard unsafe mv_size == MemoryLayout<UInt64>.size, let bytes = unsafe mv_data else {
      throw unsafe LMDBError(
        .corrupt, operation: "read key", detail: "table \(table.name), \(mv_size) bytes")
    }
    return unsafe bytes.loadUnaligned(as: UInt64.self)
  }
}
