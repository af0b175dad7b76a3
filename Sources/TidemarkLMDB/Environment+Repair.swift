import CLMDB
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension Environment {
  /// What has been tried to make one transaction begin.
  struct Attempt {
    /// Another process can grow the map again and again while this one follows.
    static let resizesMax = 16

    var resizes = 0
    var hasClearedReaders = false
    var hasRecovered = false
  }

  /// Removes the reason why a transaction did not begin, or throws it.
  func repair(
    _ rc: Int32, _ attempt: inout Attempt, _ operation: String
  ) throws(LMDBError) {
    if rc == MDB_MAP_RESIZED, attempt.resizes < Attempt.resizesMax {
      attempt.resizes += 1
      try followMap()
    } else if rc == MDB_READERS_FULL, !attempt.hasClearedReaders {
      attempt.hasClearedReaders = true
    } else if rc == MDB_PANIC, !attempt.hasRecovered {
      attempt.hasRecovered = true
      try recover()
    } else {
      throw classify(LMDBError(rc: rc, operation: operation), directory)
    }
  }

  /// Doubles the map, on the thread that has the writer's seat.
  /// - Throws: `mapFull` at the greatest size; `busy`; `outOfMemory`.
  @usableFromInline
  func grow() throws(LMDBError) {
    let wait = options.exclusiveWaitSeconds
    unsafe try gate.exclusively("grow map", waitSeconds: wait) {
      (handle, isCurrent) throws(LMDBError) in
      var info = unsafe MDB_envinfo()
      unsafe mdb_env_info(handle, &info)
      let old = unsafe info.me_mapsize
      let new = min(old.doubled, options.mapByteCountMax)
      guard new > old else {
        throw LMDBError(.mapFull, rc: MDB_MAP_FULL, operation: "write", detail: "\(old) bytes")
      }
      return unsafe try resize(handle, &isCurrent, from: old, to: new)
    }
  }

  /// Takes the map's size that another process has written.
  func followMap() throws(LMDBError) {
    let wait = options.exclusiveWaitSeconds
    unsafe try gate.exclusively("follow map", waitSeconds: wait) {
      (handle, isCurrent) throws(LMDBError) in
      var info = unsafe MDB_envinfo()
      unsafe mdb_env_info(handle, &info)
      return unsafe try resize(handle, &isCurrent, from: info.me_mapsize, to: 0)
    }
  }

  /// Moves the map. LMDB unmaps first, and where it cannot map again its handle is of no use.
  private func resize(
    _ handle: OpaquePointer, _ isCurrent: inout Bool, from old: Int, to new: Int
  ) throws(LMDBError) -> OpaquePointer {
    guard new == 0 || Self.hasAddressSpace(new) else {
      throw LMDBError(.outOfMemory, operation: "grow map", detail: "\(new) bytes")
    }
    let rc = unsafe mdb_env_set_mapsize(handle, new)
    if rc == 0 { return unsafe handle }
    unsafe mdb_env_close(handle)
    isCurrent = false
    return unsafe try reopened(mapByteCount: old)
  }

  /// Closes a handle that LMDB has given up, and opens the store again.
  func recover() throws(LMDBError) {
    let wait = options.exclusiveWaitSeconds
    unsafe try gate.exclusively("reopen store", waitSeconds: wait) {
      (handle, isCurrent) throws(LMDBError) in
      // Somebody else may have done it while this thread waited.
      var transaction: OpaquePointer?
      if unsafe mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction) == 0 {
        unsafe mdb_txn_abort(transaction)
        return unsafe handle
      }
      var info = unsafe MDB_envinfo()
      unsafe mdb_env_info(handle, &info)
      unsafe mdb_env_close(handle)
      isCurrent = false
      return unsafe try reopened(mapByteCount: info.me_mapsize)
    }
  }

  private func reopened(mapByteCount: Int) throws(LMDBError) -> OpaquePointer {
    let file = try StoreFile(directory: directory, create: false, options: options)
    guard file.identity == identity else {
      throw LMDBError(.removed, operation: "reopen store", detail: directory)
    }
    let handle = try Self.openHandle(
      directory, file, create: false, options, mapByteCount: mapByteCount)
    descriptors.withLock { $0 = handle.descriptors }
    let pointer = unsafe handle.release()
    do {
      unsafe try reopenTables(pointer)
    } catch {
      unsafe mdb_env_close(pointer)
      throw error
    }
    return unsafe pointer
  }

  /// Refuses to write into files that no path leads to any more: nobody would find it again.
  func checkFilesExist() throws(LMDBError) {
    let descriptors = descriptors.withLock { $0 }
    for descriptor in [descriptors.data, descriptors.lock] {
      guard let descriptor else { continue }
      guard try fileStatus(descriptor, "write").st_nlink > 0 else {
        throw LMDBError(.removed, operation: "write", detail: directory)
      }
    }
  }

  private static func hasAddressSpace(_ byteCount: Int) -> Bool {
    let flags = MAP_PRIVATE | MAP_ANON
    guard let address = unsafe mmap(nil, byteCount, PROT_NONE, flags, -1, 0),
      unsafe address != MAP_FAILED
    else { return false }
    unsafe munmap(address, byteCount)
    return true
  }
}

extension Int {
  /// Twice as much, or the greatest number where that is too large.
  fileprivate var doubled: Int {
    let (product, overflow) = multipliedReportingOverflow(by: 2)
    return overflow ? .max : product
  }
}
