public import CLMDB

/// The one transaction that may change a store, at this moment, in all processes.
///
/// It reads its own changes. A change that fails leaves the transaction unable to commit, whether
/// or not its body catches the error.
@safe public struct WriteTransaction: Reading, ~Copyable, ~Escapable {
  public let _handle: TransactionHandle
  /// The first number that made a commit impossible; 0 while there is none.
  @usableFromInline var failure: Int32 = 0

  @usableFromInline
  @_lifetime(immortal)
  init(_ handle: TransactionHandle) { _handle = handle }

  /// Sets the value at a key.
  /// - Throws: `keySize`, `invalid` (kind or table), and, after which the transaction cannot
  ///   commit, what LMDB says; `mapFull` makes `write` grow the map and run its body again.
  /// - Complexity: O(log n).
  @inlinable
  @_lifetime(self: copy self)
  public mutating func put(
    _ table: Table, _ key: RawSpan, _ value: RawSpan
  ) throws(LMDBError) {
    let handle = _handle
    try handle.check(key, table, "put")
    let rc = unsafe key.withUnsafeBytes { key in
      unsafe value.withUnsafeBytes { value in
        var key = unsafe MDB_val(key)
        var value = unsafe MDB_val(value)
        return unsafe enginePut(handle, table.number, &key, &value, 0)
      }
    }
    if rc != 0 { throw fail(rc, table, "put") }
  }

  /// Sets the value at a number.
  /// - Throws: as `put` with a key of bytes.
  /// - Complexity: O(log n).
  @inlinable
  @_lifetime(self: copy self)
  public mutating func put(
    _ table: Table, _ key: UInt64, _ value: RawSpan
  ) throws(LMDBError) {
    try put(table, key, value, flags: 0, "put")
  }

  /// Adds an entry after all others; the fastest way to write, and it fills pages wholly.
  /// - Throws: `keyExists` where the number is not past the last one, the transaction unharmed;
  ///   else as `put`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func append(
    _ table: Table, _ key: UInt64, _ value: RawSpan
  ) throws(LMDBError) {
    try put(table, key, value, flags: UInt32(MDB_APPEND), "append")
  }

  /// Sets the value at a key to bytes that a closure writes into their place, without a copy.
  ///
  /// The closure gets room for `byteCount` bytes; what it leaves is zero. It cannot use the
  /// transaction. Where it throws, the transaction cannot commit.
  /// - Throws: as `put`, and what the closure throws.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func reserve(
    _ table: Table, _ key: RawSpan, byteCount: Int,
    _ body: (inout OutputRawSpan) throws -> Void
  ) throws {
    let handle = _handle
    try handle.check(key, table, "reserve")
    var value = unsafe MDB_val(mv_size: max(byteCount, 0), mv_data: nil)
    let rc = unsafe key.withUnsafeBytes { key in
      var key = unsafe MDB_val(key)
      return unsafe enginePut(handle, table.number, &key, &value, UInt32(MDB_RESERVE))
    }
    if rc != 0 { throw fail(rc, table, "reserve") }
    unsafe try fill(value, body)
  }

  /// Sets the value at a number to bytes that a closure writes into their place, without a copy.
  /// - Throws: as the one with a key of bytes.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func reserve(
    _ table: Table, _ key: UInt64, byteCount: Int,
    _ body: (inout OutputRawSpan) throws -> Void
  ) throws {
    try reserve(table, key, byteCount: byteCount, flags: 0, body)
  }

  /// Adds an entry after all others, whose value a closure writes into its place.
  /// - Throws: `keyExists` where the number is not past the last one; else as `reserve`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func reserveAppend(
    _ table: Table, _ key: UInt64, byteCount: Int,
    _ body: (inout OutputRawSpan) throws -> Void
  ) throws {
    try reserve(table, key, byteCount: byteCount, flags: UInt32(MDB_APPEND), body)
  }

  /// Removes the entry with a key; false when there is none.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func delete(_ table: Table, _ key: RawSpan) throws(LMDBError) -> Bool {
    let handle = _handle
    try handle.check(key, table, "delete")
    let rc = unsafe key.withUnsafeBytes { bytes in
      var key = unsafe MDB_val(bytes)
      return unsafe engineDelete(handle, table.number, &key)
    }
    return try deleted(rc, table)
  }

  /// Removes the entry with a number; false when there is none.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func delete(_ table: Table, _ key: UInt64) throws(LMDBError) -> Bool {
    let handle = _handle
    try handle.check(table, .integerKeys, "delete")
    let rc = unsafe withUnsafeBytes(of: key) { bytes in
      var key = unsafe MDB_val(bytes)
      return unsafe engineDelete(handle, table.number, &key)
    }
    return try deleted(rc, table)
  }

  /// Removes every entry whose key begins with a prefix.
  /// - Complexity: O(log n + entries removed).
  @_lifetime(self: copy self)
  public mutating func deleteRange(_ table: Table, prefix: RawSpan) throws(LMDBError) {
    try _handle.check(prefix, table, "delete range")
    if _handle.isInMemory {
      let rc = unsafe prefix.withUnsafeBytes { bytes in
        unsafe MemoryTransaction.at(_handle.pointer).deleteRange(Int(table.number), bytes)
      }
      if rc != 0 { throw fail(rc, table, "delete range") }
      return
    }
    var cursor: OpaquePointer?
    var rc = unsafe mdb_cursor_open(_handle.pointer, table.number, &cursor)
    guard rc == 0 else { throw fail(rc, table, "delete range") }
    defer { unsafe mdb_cursor_close(cursor) }
    rc = unsafe prefix.withUnsafeBytes { bytes in
      var key = unsafe MDB_val(bytes)
      var value = unsafe MDB_val()
      var rc = unsafe mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
      while rc == 0, unsafe key.bytes.starts(with: bytes) {
        rc = unsafe mdb_cursor_del(cursor, 0)
        if rc == 0 { rc = unsafe mdb_cursor_get(cursor, &key, &value, MDB_NEXT) }
      }
      return rc
    }
    guard rc == 0 || rc == MDB_NOTFOUND else { throw fail(rc, table, "delete range") }
  }

  /// Removes every entry of a table.
  /// - Complexity: O(pages of the table).
  @_lifetime(self: copy self)
  public mutating func clear(_ table: Table) throws(LMDBError) {
    try _handle.check(table, table.kind, "clear")
    if _handle.isInMemory {
      let rc = unsafe MemoryTransaction.at(_handle.pointer).clear(Int(table.number))
      if rc != 0 { throw fail(rc, table, "clear") }
      return
    }
    let rc = unsafe mdb_drop(_handle.pointer, table.number, 0)
    if rc != 0 { throw fail(rc, table, "clear") }
  }

  @inlinable @inline(__always)
  @_lifetime(self: copy self)
  mutating func put(
    _ table: Table, _ key: UInt64, _ value: RawSpan, flags: UInt32, _ operation: StaticString
  ) throws(LMDBError) {
    let handle = _handle
    try handle.check(table, .integerKeys, operation)
    let rc = unsafe withUnsafeBytes(of: key) { key in
      unsafe value.withUnsafeBytes { value in
        var key = unsafe MDB_val(key)
        var value = unsafe MDB_val(value)
        return unsafe enginePut(handle, table.number, &key, &value, flags)
      }
    }
    if rc != 0 { throw fail(rc, table, operation) }
  }

  @inlinable @inline(__always)
  @_lifetime(self: copy self)
  mutating func reserve(
    _ table: Table, _ key: UInt64, byteCount: Int, flags: UInt32,
    _ body: (inout OutputRawSpan) throws -> Void
  ) throws {
    let handle = _handle
    try handle.check(table, .integerKeys, "reserve")
    var value = unsafe MDB_val(mv_size: max(byteCount, 0), mv_data: nil)
    let rc = unsafe withUnsafeBytes(of: key) { bytes in
      var key = unsafe MDB_val(bytes)
      return unsafe enginePut(
        handle, table.number, &key, &value, flags | UInt32(MDB_RESERVE))
    }
    if rc != 0 { throw fail(rc, table, "reserve") }
    unsafe try fill(value, body)
  }

  @inlinable @inline(__always)
  @_lifetime(self: copy self)
  mutating func fill(
    _ value: MDB_val, _ body: (inout OutputRawSpan) throws -> Void
  ) throws {
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size)
    var filled = 0
    // Unwritten bytes would be what the process had in that memory.
    defer { unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).zero() }
    var output = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
    do {
      try body(&output)
    } catch {
      failure = failure == 0 ? MDB_BAD_TXN : failure
      throw error
    }
    filled = unsafe output.finalize(for: buffer)
  }

  @usableFromInline
  @_lifetime(self: copy self)
  mutating func deleted(_ rc: Int32, _ table: Table) throws(LMDBError) -> Bool {
    if rc == 0 { return true }
    if rc == MDB_NOTFOUND { return false }
    throw fail(rc, table, "delete")
  }

  /// The error for a refused change. Some refusals leave the transaction as it was.
  @usableFromInline @inline(never)
  @_lifetime(self: copy self)
  mutating func fail(_ rc: Int32, _ table: Table, _ operation: StaticString) -> LMDBError {
    let isHarmless = rc == MDB_KEYEXIST || rc == MDB_BAD_VALSIZE || rc == 22
    if !isHarmless && failure == 0 { failure = rc }
    return .failed(rc, table, operation)
  }
}

extension MDB_val {
  fileprivate var bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: mv_data, count: mv_size)
  }
}

extension UnsafeMutableRawBufferPointer {
  @inlinable @inline(__always)
  func zero() {
    if count > 0 { unsafe initializeMemory(as: UInt8.self, repeating: 0) }
  }
}
