public import CLMDB

// Every call on a transaction or a cursor goes through here: to LMDB, or, where the store lies in
// memory, to `MemoryTransaction`. The branch is on a number that the caller holds anyway.

/// Set in the number of an environment whose store lies in memory.
@usableFromInline let memoryBit: UInt32 = 1 << 31

extension TransactionHandle {
  @inlinable @inline(__always)
  var isInMemory: Bool { owner & memoryBit != 0 }
}

@inlinable @inline(__always)
func engineGet(
  _ handle: TransactionHandle, _ table: UInt32, _ key: inout MDB_val, _ value: inout MDB_val
) -> Int32 {
  if handle.isInMemory { return unsafe memoryGet(handle.pointer, table, key, &value) }
  return unsafe mdb_get(handle.pointer, table, &key, &value)
}

@inlinable @inline(__always)
func enginePut(
  _ handle: TransactionHandle, _ table: UInt32, _ key: inout MDB_val, _ value: inout MDB_val,
  _ flags: UInt32
) -> Int32 {
  if handle.isInMemory { return unsafe memoryPut(handle.pointer, table, key, &value, flags) }
  return unsafe mdb_put(handle.pointer, table, &key, &value, flags)
}

@inlinable @inline(__always)
func engineDelete(
  _ handle: TransactionHandle, _ table: UInt32, _ key: inout MDB_val
) -> Int32 {
  if handle.isInMemory { return unsafe memoryDelete(handle.pointer, table, key) }
  return unsafe mdb_del(handle.pointer, table, &key, nil)
}

@inlinable @inline(__always)
func engineOpenCursor(
  _ handle: TransactionHandle, _ table: UInt32, _ cursor: inout OpaquePointer?
) -> Int32 {
  if handle.isInMemory { return unsafe memoryOpenCursor(handle.pointer, table, &cursor) }
  return unsafe mdb_cursor_open(handle.pointer, table, &cursor)
}

@inlinable @inline(__always)
func engineMove(
  _ cursor: OpaquePointer, _ owner: UInt32, _ key: inout MDB_val, _ value: inout MDB_val,
  _ operation: MDB_cursor_op
) -> Int32 {
  if owner & memoryBit != 0 { return unsafe memoryMove(cursor, &key, &value, operation) }
  return unsafe mdb_cursor_get(cursor, &key, &value, operation)
}

@inlinable @inline(__always)
func engineCloseCursor(_ cursor: OpaquePointer, _ owner: UInt32) {
  if owner & memoryBit != 0 { return unsafe memoryCloseCursor(cursor) }
  unsafe mdb_cursor_close(cursor)
}

// MARK: In memory

@usableFromInline @inline(never)
func memoryGet(
  _ transaction: OpaquePointer, _ table: UInt32, _ key: MDB_val, _ value: inout MDB_val
) -> Int32 {
  unsafe MemoryTransaction.at(transaction).get(Int(table), key, &value)
}

@usableFromInline @inline(never)
func memoryPut(
  _ transaction: OpaquePointer, _ table: UInt32, _ key: MDB_val, _ value: inout MDB_val,
  _ flags: UInt32
) -> Int32 {
  unsafe MemoryTransaction.at(transaction).put(Int(table), key, &value, flags: flags)
}

@usableFromInline @inline(never)
func memoryDelete(_ transaction: OpaquePointer, _ table: UInt32, _ key: MDB_val) -> Int32 {
  unsafe MemoryTransaction.at(transaction).delete(Int(table), key)
}

@usableFromInline @inline(never)
func memoryOpenCursor(
  _ transaction: OpaquePointer, _ table: UInt32, _ cursor: inout OpaquePointer?
) -> Int32 {
  let tables = unsafe MemoryTransaction.at(transaction).tables
  guard tables.indices.contains(Int(table)) else { return unknownTable }
  let made = unsafe Unmanaged.passRetained(MemoryCursor(tables[Int(table)]))
  unsafe cursor = OpaquePointer(made.toOpaque())
  return 0
}

@usableFromInline @inline(never)
func memoryMove(
  _ cursor: OpaquePointer, _ key: inout MDB_val, _ value: inout MDB_val,
  _ operation: MDB_cursor_op
) -> Int32 {
  unsafe MemoryCursor.at(cursor).move(&key, &value, operation)
}

@usableFromInline @inline(never)
func memoryCloseCursor(_ cursor: OpaquePointer) {
  unsafe Unmanaged<MemoryCursor>.fromOpaque(UnsafeRawPointer(cursor)).release()
}

/// What LMDB says of a table that the transaction does not know.
let unknownTable: Int32 = 22
