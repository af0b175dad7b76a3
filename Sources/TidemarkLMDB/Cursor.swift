public import CLMDB

/// A place in a table, moved from entry to entry in key order.
///
/// The moving calls return false where there is no such entry; the cursor is then nowhere, and
/// `key` and `value` are empty. Spans are good until the cursor moves.
@safe public struct Cursor: ~Copyable, ~Escapable {
  @usableFromInline let pointer: OpaquePointer
  @usableFromInline let table: Table
  @usableFromInline var currentKey = unsafe MDB_val()
  @usableFromInline var currentValue = unsafe MDB_val()

  @_lifetime(immortal)
  @usableFromInline
  init(pointer: OpaquePointer, table: Table) {
    unsafe self.pointer = pointer
    self.table = table
  }

  /// The key at the cursor; empty when it is nowhere.
  @inlinable
  public var key: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(currentKey.span, borrowing: self) }
  }

  /// The value at the cursor; empty when it is nowhere.
  @inlinable
  public var value: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(currentValue.span, borrowing: self) }
  }

  /// The key at the cursor as a number.
  /// - Throws: `invalid` for a table with bytes keys or when the cursor is nowhere; `corrupt` where
  ///   the table lies about its keys.
  @inlinable
  public var integerKey: UInt64 {
    get throws(LMDBError) {
      guard table.kind == .integerKeys, unsafe currentKey.mv_data != nil else {
        throw LMDBError(.invalid, operation: "integer key", detail: "table \(table.name)")
      }
      return unsafe try currentKey.integer(table)
    }
  }

  /// Goes to the first entry.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func first() throws(LMDBError) -> Bool { try move(MDB_FIRST) }

  /// Goes to the last entry.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func last() throws(LMDBError) -> Bool { try move(MDB_LAST) }

  /// Goes to the next entry; to the first when the cursor is new.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func next() throws(LMDBError) -> Bool { try move(MDB_NEXT) }

  /// Goes to the entry before; to the last when the cursor is new.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func previous() throws(LMDBError) -> Bool { try move(MDB_PREV) }

  /// Goes to the first entry whose key is at or after a key. An empty key means the first entry.
  /// - Throws: `keySize` for more than 511 bytes.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func seek(_ key: RawSpan) throws(LMDBError) -> Bool {
    if key.byteCount == 0 && table.kind == .bytesKeys { return try first() }
    return try move(MDB_SET_RANGE, to: key)
  }

  /// Goes to the first entry whose number is at or after one.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func seek(_ key: UInt64) throws(LMDBError) -> Bool {
    try move(MDB_SET_RANGE, to: key)
  }

  /// Goes to the entry with a key.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func seek(exact key: RawSpan) throws(LMDBError) -> Bool {
    try move(MDB_SET_KEY, to: key)
  }

  /// Goes to the entry with a number.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func seek(exact key: UInt64) throws(LMDBError) -> Bool {
    try move(MDB_SET_KEY, to: key)
  }

  @usableFromInline
  @_lifetime(self: copy self)
  mutating func move(_ operation: MDB_cursor_op) throws(LMDBError) -> Bool {
    let pointer = unsafe pointer
    var key = unsafe MDB_val()
    var value = unsafe MDB_val()
    let rc = unsafe engineMove(pointer, table.owner, &key, &value, operation)
    return unsafe try arrive(rc, key, value)
  }

  @usableFromInline
  @_lifetime(self: copy self)
  mutating func move(_ operation: MDB_cursor_op, to key: RawSpan) throws(LMDBError) -> Bool {
    guard table.kind == .bytesKeys else {
      throw .misuse(table, owner: table.owner, "seek")
    }
    guard (1...Table.keyByteCountMax).contains(key.byteCount) else {
      throw .badKey(byteCount: key.byteCount, table, "seek")
    }
    // LMDB points the key at the entry's own where it finds one, never at the caller's bytes.
    let pointer = unsafe pointer
    var found = unsafe MDB_val()
    var value = unsafe MDB_val()
    let rc = unsafe key.withUnsafeBytes { bytes in
      unsafe found = MDB_val(bytes)
      return unsafe engineMove(pointer, table.owner, &found, &value, operation)
    }
    return unsafe try arrive(rc, found, value)
  }

  @usableFromInline
  @_lifetime(self: copy self)
  mutating func move(_ operation: MDB_cursor_op, to key: UInt64) throws(LMDBError) -> Bool {
    guard table.kind == .integerKeys else {
      throw .misuse(table, owner: table.owner, "seek")
    }
    let pointer = unsafe pointer
    var found = unsafe MDB_val()
    var value = unsafe MDB_val()
    let rc = unsafe withUnsafeBytes(of: key) { bytes in
      unsafe found = MDB_val(bytes)
      return unsafe engineMove(pointer, table.owner, &found, &value, operation)
    }
    return unsafe try arrive(rc, found, value)
  }

  @usableFromInline @inline(__always)
  @_lifetime(self: copy self)
  mutating func arrive(
    _ rc: Int32, _ key: MDB_val, _ value: MDB_val
  ) throws(LMDBError) -> Bool {
    unsafe currentKey = rc == 0 ? key : MDB_val()
    unsafe currentValue = rc == 0 ? value : MDB_val()
    if rc == 0 { return true }
    if rc == MDB_NOTFOUND { return false }
    throw .failed(rc, table, "move cursor")
  }
}

extension Reading where Self: ~Copyable, Self: ~Escapable {
  /// Gives a cursor over a table to a closure. The cursor is new: it is nowhere yet.
  @inlinable
  public borrowing func withCursor<R: ~Copyable>(
    _ table: Table, _ body: (inout Cursor) throws -> R
  ) throws -> R {
    let pointer = unsafe try openCursor(table)
    defer { unsafe engineCloseCursor(pointer, table.owner) }
    var cursor = unsafe Cursor(pointer: pointer, table: table)
    return try body(&cursor)
  }

  /// Calls a closure with the entries of a table with bytes keys, in order, from the first key at
  /// or after `start` (nil or empty: from the first of all) until it returns false.
  /// - Complexity: O(log n + entries visited).
  @inlinable
  public borrowing func forEach(
    _ table: Table, from start: RawSpan? = nil,
    _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Bool
  ) throws {
    try _handle.check(table, .bytesKeys, "for each")
    let pointer = unsafe try openCursor(table)
    defer { unsafe engineCloseCursor(pointer, table.owner) }
    var cursor = unsafe Cursor(pointer: pointer, table: table)
    var isThere = if let start { try cursor.seek(start) } else { try cursor.first() }
    while isThere, try body(cursor.key, cursor.value) { isThere = try cursor.next() }
  }

  /// Calls a closure with the entries of a table with integer keys, in order, from the first number
  /// at or after `start` until it returns false.
  /// - Complexity: O(log n + entries visited).
  @inlinable
  public borrowing func forEach(
    _ table: Table, from start: UInt64,
    _ body: (_ key: UInt64, _ value: RawSpan) throws -> Bool
  ) throws {
    try _handle.check(table, .integerKeys, "for each")
    let pointer = unsafe try openCursor(table)
    defer { unsafe engineCloseCursor(pointer, table.owner) }
    var cursor = unsafe Cursor(pointer: pointer, table: table)
    var isThere = try cursor.seek(start)
    while isThere, try body(cursor.integerKey, cursor.value) { isThere = try cursor.next() }
  }

  @usableFromInline
  borrowing func openCursor(_ table: Table) throws(LMDBError) -> OpaquePointer {
    try _handle.check(table, table.kind, "open cursor")
    var pointer: OpaquePointer?
    let rc = unsafe engineOpenCursor(_handle, table.number, &pointer)
    guard rc == 0, let pointer = unsafe pointer else { throw .failed(rc, table, "open cursor") }
    return unsafe pointer
  }
}
