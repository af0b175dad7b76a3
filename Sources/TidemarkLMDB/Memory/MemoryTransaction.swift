import CLMDB

// What `TidemarkLMDB` asks of LMDB, answered from memory: the same calls, the same numbers. A handle
// says by one bit of its owner which of the two it is for.

/// The state that a transaction sees or makes.
final class MemoryTransaction {
  var tables: ContiguousArray<MemoryTable>
  let number: UInt64
  /// Of the disk when it began.
  let incarnation: Int

  init(_ tables: ContiguousArray<MemoryTable>, number: UInt64, incarnation: Int) {
    self.tables = tables
    self.number = number
    self.incarnation = incarnation
  }

  static func at(_ pointer: OpaquePointer) -> MemoryTransaction {
    unsafe Unmanaged<MemoryTransaction>.fromOpaque(UnsafeRawPointer(pointer))
      .takeUnretainedValue()
  }

  func put(
    _ table: Int, _ key: MDB_val, _ value: inout MDB_val, flags: UInt32
  ) -> Int32 {
    guard tables.indices.contains(table) else { return unknownTable }
    let bytes = unsafe UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size)
    let prefix = unsafe tables[table].prefix(of: bytes)
    let (place, isExact) = unsafe tables[table].place(of: bytes, prefix)
    if flags & UInt32(MDB_APPEND) != 0, tables[table].contains(place) { return MDB_KEYEXIST }
    let isReserved = flags & UInt32(MDB_RESERVE) != 0
    let entry = unsafe MemoryEntry(
      prefix: prefix, key: bytes, value: isReserved ? nil : UnsafeRawPointer(value.mv_data),
      valueByteCount: value.mv_size)
    tables[table].put(entry, at: place, replaces: isExact)
    if isReserved { unsafe value.mv_data = entry.value.baseAddress }
    return 0
  }

  func get(_ table: Int, _ key: MDB_val, _ value: inout MDB_val) -> Int32 {
    guard tables.indices.contains(table) else { return unknownTable }
    let bytes = unsafe UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size)
    let (place, isExact) = unsafe tables[table].place(
      of: bytes, tables[table].prefix(of: bytes))
    guard isExact else { return MDB_NOTFOUND }
    unsafe value = tables[table][place].valueBytes
    return 0
  }

  func delete(_ table: Int, _ key: MDB_val) -> Int32 {
    guard tables.indices.contains(table) else { return unknownTable }
    let bytes = unsafe UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size)
    let (place, isExact) = unsafe tables[table].place(
      of: bytes, tables[table].prefix(of: bytes))
    guard isExact else { return MDB_NOTFOUND }
    tables[table].remove(at: place)
    return 0
  }

  func clear(_ table: Int) -> Int32 {
    guard tables.indices.contains(table) else { return unknownTable }
    tables[table].removeAll()
    return 0
  }

  func deleteRange(_ table: Int, _ prefix: UnsafeRawBufferPointer) -> Int32 {
    guard tables.indices.contains(table) else { return unknownTable }
    while true {
      let (place, _) = unsafe tables[table].place(of: prefix, tables[table].prefix(of: prefix))
      guard tables[table].contains(place),
        unsafe tables[table][place].key.starts(with: prefix)
      else { return 0 }
      tables[table].remove(at: place)
    }
  }
}

/// A place in a table that does not change meanwhile.
final class MemoryCursor {
  private let table: MemoryTable
  private var place: MemoryTable.Place?

  init(_ table: MemoryTable) { self.table = table }

  static func at(_ pointer: OpaquePointer) -> MemoryCursor {
    unsafe Unmanaged<MemoryCursor>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
  }

  func move(_ key: inout MDB_val, _ value: inout MDB_val, _ operation: MDB_cursor_op) -> Int32 {
    let first = MemoryTable.Place(leaf: 0, index: 0)
    let target: MemoryTable.Place
    switch operation {
    case MDB_FIRST: target = first
    case MDB_LAST: target = table.lastPlace
    case MDB_NEXT:
      guard let place else { return unsafe arrive(first, &key, &value) }
      target = table.contains(place) ? table.after(place) : place
    case MDB_PREV:
      guard let place else { return unsafe arrive(table.lastPlace, &key, &value) }
      target = table.before(place)
    case MDB_SET_RANGE, MDB_SET_KEY:
      let bytes = unsafe UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size)
      let (found, isExact) = unsafe table.place(of: bytes, table.prefix(of: bytes))
      if operation == MDB_SET_KEY, !isExact { return MDB_NOTFOUND }
      target = found
    default: return unknownTable
    }
    return unsafe arrive(target, &key, &value)
  }

  private func arrive(
    _ target: MemoryTable.Place, _ key: inout MDB_val, _ value: inout MDB_val
  ) -> Int32 {
    guard table.contains(target) else { return MDB_NOTFOUND }
    place = target
    unsafe key = table[target].keyBytes
    unsafe value = table[target].valueBytes
    return 0
  }
}

extension MemoryEntry {
  fileprivate var keyBytes: MDB_val {
    unsafe MDB_val(mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
  }

  fileprivate var valueBytes: MDB_val {
    unsafe MDB_val(mv_size: value.count, mv_data: value.baseAddress)
  }
}
