import CLMDB

/// A store in memory that an environment has open.
package struct MemoryOpening: Sendable {
  package let disk: MemoryDisk
  /// Of the disk when it was opened: once the process that opened it is dead, nothing works.
  package let incarnation: Int
}

extension Environment {
  /// Opens the tables of a disk in memory, or gives the environment that has it open.
  package static func open(
    _ disk: MemoryDisk, directory: String, options: Options = Options()
  ) -> Environment {
    disk.environment { incarnation in
      Environment(
        directory: directory, options: options,
        memory: MemoryOpening(disk: disk, incarnation: incarnation))
    }
  }

  func beginInMemory(
    _ memory: MemoryOpening, writes: Bool
  ) throws(LMDBError) -> OpaquePointer {
    let transaction = try memory.disk.begin(memory.incarnation, writes: writes)
    return unsafe OpaquePointer(Unmanaged.passRetained(transaction).toOpaque())
  }

  func endInMemory(_ transaction: OpaquePointer) {
    unsafe Unmanaged<MemoryTransaction>.fromOpaque(UnsafeRawPointer(transaction)).release()
  }

  func commitInMemory(
    _ memory: MemoryOpening, _ transaction: OpaquePointer
  ) throws(LMDBError) {
    defer { unsafe endInMemory(transaction) }
    try memory.disk.commit(unsafe MemoryTransaction.at(transaction))
  }

  func tableInMemory(
    _ memory: MemoryOpening, _ name: String, _ kind: Table.Kind
  ) throws(LMDBError) -> Table {
    guard !name.isEmpty else {
      throw LMDBError(.invalid, operation: "open table", detail: "the name is empty")
    }
    guard let found = memory.disk.place(of: name, kind, create: !options.readOnly) else {
      throw LMDBError(.notFound, operation: "open table", detail: name)
    }
    guard found.kind == kind else {
      throw LMDBError(
        .invalid, operation: "open table", detail: "\(name) has keys of the other kind")
    }
    return Table(name: name, kind: kind, number: UInt32(found.place), owner: number)
  }
}

func statisticsInMemory(_ transaction: OpaquePointer, _ table: Table) -> TableStatistics? {
  let tables = unsafe MemoryTransaction.at(transaction).tables
  guard tables.indices.contains(Int(table.number)) else { return nil }
  return TableStatistics(
    entryCount: tables[Int(table.number)].count, depth: 1, branchPageCount: 0,
    leafPageCount: tables[Int(table.number)].leaves.count, overflowPageCount: 0)
}
