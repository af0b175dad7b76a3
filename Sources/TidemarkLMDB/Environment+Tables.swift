import CLMDB
import Synchronization

extension Environment {
  /// The table with a name, created where there is none.
  ///
  /// Blocks on other writers only where it creates. Call it before the transactions that use it.
  /// - Throws: `notFound` where it would have to create in a store open for reading; `invalid`
  ///   for an empty name, one with a NUL, or a table of the other kind; `tablesFull`; `reentrant`
  ///   where it would have to create inside a write; and what `write` throws.
  public func table(named name: String, _ kind: Table.Kind) throws(LMDBError) -> Table {
    if let memory { return try tableInMemory(memory, name, kind) }
    if let table = tables.withLock({ $0[name] }) { return try checked(table, kind) }
    guard !name.isEmpty, name.utf8.count <= Table.keyByteCountMax, !name.utf8.contains(0) else {
      throw LMDBError(.invalid, operation: "open table", detail: "bad name \(name)")
    }
    if let table = try existing(name, kind) { return table }
    guard !options.readOnly else {
      throw LMDBError(.notFound, operation: "open table", detail: name)
    }
    return try created(name, kind)
  }

  /// How large a table is.
  /// - Throws: what `read` throws.
  public func tableStatistics(_ table: Table) throws(LMDBError) -> TableStatistics {
    let transaction = unsafe try beginRead()
    defer { unsafe endRead(transaction) }
    return try ReadTransaction(unsafe handle(transaction)).statistics(table)
  }

  private func checked(_ table: Table, _ kind: Table.Kind) throws(LMDBError) -> Table {
    guard table.kind == kind else {
      throw LMDBError(
        .invalid, operation: "open table", detail: "\(table.name) has keys of the other kind")
    }
    return table
  }

  private func existing(_ name: String, _ kind: Table.Kind) throws(LMDBError) -> Table? {
    // Counted in first: whoever holds the monitor may be waiting for this process's readers.
    let pooled = unsafe try beginRead()
    defer { unsafe endRead(pooled) }
    tableMonitor.lock()
    defer { tableMonitor.unlock() }
    if let table = tables.withLock({ $0[name] }) { return try checked(table, kind) }
    var transaction: OpaquePointer?
    var rc = unsafe mdb_txn_begin(mdb_txn_env(pooled), nil, UInt32(MDB_RDONLY), &transaction)
    guard rc == 0 else { throw LMDBError(rc: rc, operation: "open table", detail: name) }
    var number: UInt32 = 0
    rc = unsafe Self.open(transaction, name, kind, flags: 0, &number)
    guard rc == 0 else {
      unsafe mdb_txn_abort(transaction)
      if rc == MDB_NOTFOUND { return nil }
      throw LMDBError(rc: rc, operation: "open table", detail: name)
    }
    rc = unsafe mdb_txn_commit(transaction)  // An abort would close the table again.
    guard rc == 0 else { throw LMDBError(rc: rc, operation: "open table", detail: name) }
    return remember(name, kind, number)
  }

  private func created(_ name: String, _ kind: Table.Kind) throws(LMDBError) -> Table {
    try gate.takeSeat()
    defer { gate.leaveSeat() }
    while true {
      tableMonitor.lock()
      defer { tableMonitor.unlock() }
      if let table = tables.withLock({ $0[name] }) { return try checked(table, kind) }
      let transaction = unsafe try beginWrite()
      var number: UInt32 = 0
      var rc = unsafe Self.open(transaction, name, kind, flags: UInt32(MDB_CREATE), &number)
      var isFull = rc == MDB_MAP_FULL
      if rc == 0 {
        isFull = unsafe try commitWrite(transaction) == .mapFull
      } else {
        unsafe abortWrite(transaction)
      }
      if isFull {
        try grow()
        rc = 0
        continue
      }
      guard rc == 0 else { throw LMDBError(rc: rc, operation: "create table", detail: name) }
      return remember(name, kind, number)
    }
  }

  private func remember(_ name: String, _ kind: Table.Kind, _ number: UInt32) -> Table {
    let table = Table(name: name, kind: kind, number: number, owner: self.number)
    tables.withLock { $0[name] = table }
    return table
  }

  /// Opens the tables that are known, with the numbers that they had, in a handle opened anew.
  func reopenTables(_ handle: OpaquePointer) throws(LMDBError) {
    let known = tables.withLock { $0.values.sorted { $0.number < $1.number } }
    guard !known.isEmpty else { return }
    var transaction: OpaquePointer?
    var rc = unsafe mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction)
    guard rc == 0 else { throw LMDBError(rc: rc, operation: "reopen store") }
    for table in known {
      var number: UInt32 = 0
      rc = unsafe Self.open(transaction, table.name, table.kind, flags: 0, &number)
      guard rc == 0, number == table.number else {
        unsafe mdb_txn_abort(transaction)
        throw LMDBError(.closed, rc: rc, operation: "reopen store", detail: "table \(table.name)")
      }
    }
    rc = unsafe mdb_txn_commit(transaction)
    guard rc == 0 else { throw LMDBError(rc: rc, operation: "reopen store") }
  }

  /// Opens a table, whose flags on disk must be exactly those of its kind.
  private static func open(
    _ transaction: OpaquePointer?, _ name: String, _ kind: Table.Kind, flags: UInt32,
    _ number: inout UInt32
  ) -> Int32 {
    let expected = kind == .integerKeys ? UInt32(MDB_INTEGERKEY) : 0
    var actual: UInt32 = 0
    var rc = unsafe mdb_dbi_open(transaction, name, expected | flags, &number)
    if rc == 0 { rc = unsafe mdb_dbi_flags(transaction, number, &actual) }
    return rc == 0 && actual != expected ? MDB_INCOMPATIBLE : rc
  }
}
