import CLMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The files that LMDB keeps open. They are closed with its handle and by nobody else.
struct Descriptors: Hashable, Sendable {
  let data: Int32
  /// Nil where it could not be found, or where there is no lock file (a read-only file system).
  let lock: Int32?
}

/// An LMDB handle just opened, closed again unless somebody takes it.
@safe struct OpenHandle: ~Copyable {
  private let pointer: OpaquePointer
  let descriptors: Descriptors
  /// True where the store was created.
  let isNew: Bool

  /// Opens what a store file has been found to hold.
  /// - Throws: `removed` where the file was replaced meanwhile; what LMDB says.
  init(
    directory: String, mapByteCount: Int, isNew: Bool, options: Environment.Options,
    identity: FileIdentity
  ) throws(LMDBError) {
    let pointer = unsafe try Self.open(directory, mapByteCount, options)
    let descriptors: Descriptors
    do throws(LMDBError) {
      descriptors = unsafe try Self.settle(pointer, directory, identity)
    } catch {
      unsafe mdb_env_close(pointer)
      throw error
    }
    unsafe self.pointer = pointer
    self.descriptors = descriptors
    self.isNew = isNew
  }

  deinit { unsafe mdb_env_close(pointer) }

  /// The handle; from here on the caller closes it.
  consuming func release() -> OpaquePointer {
    let pointer = unsafe pointer
    discard self
    return unsafe pointer
  }

  /// Makes sure that LMDB opened the file that was checked, that children do not inherit it, and
  /// that dead readers hold no pages.
  private static func settle(
    _ pointer: OpaquePointer, _ directory: String, _ identity: FileIdentity
  ) throws(LMDBError) -> Descriptors {
    var data: Int32 = -1
    unsafe mdb_env_get_fd(pointer, &data)
    guard FileIdentity(try fileStatus(data, "open store")) == identity else {
      throw LMDBError(.removed, operation: "open store", detail: directory)
    }
    let lock = findOpenFile(directory + "/lock.mdb")
    closeOnExec(data)
    if let lock { closeOnExec(lock) }
    var dead: Int32 = 0
    let rc = unsafe mdb_reader_check(pointer, &dead)
    guard rc == 0 else { throw LMDBError(rc: rc, operation: "clear stale readers") }
    return Descriptors(data: data, lock: lock)
  }

  private static func open(
    _ directory: String, _ mapByteCount: Int, _ options: Environment.Options
  ) throws(LMDBError) -> OpaquePointer {
    var created: OpaquePointer?
    var rc = unsafe mdb_env_create(&created)
    guard rc == 0, let pointer = unsafe created else {
      throw LMDBError(rc: rc, operation: "create environment")
    }
    let flags =
      // Reads are of single pages all over the file: reading ahead would read a store many times over.
      UInt32(MDB_NOTLS) | UInt32(MDB_NORDAHEAD) | (options.readOnly ? UInt32(MDB_RDONLY) : 0)
      | (options.unsafelyUnsynchronized ? UInt32(MDB_NOSYNC) : 0)
    rc = unsafe mdb_env_set_mapsize(pointer, mapByteCount)
    if rc == 0 { rc = unsafe mdb_env_set_maxdbs(pointer, UInt32(options.tablesMax)) }
    // LMDB would print where in its source it gave up; the process ends by the same signal.
    if rc == 0 { rc = unsafe mdb_env_set_assert(pointer) { _, _ in abort() } }
    if rc == 0 { rc = unsafe mdb_env_set_maxreaders(pointer, UInt32(options.readersMax)) }
    if rc == 0 { rc = unsafe mdb_env_open(pointer, directory, flags, 0o600) }
    guard rc == 0 else {
      unsafe mdb_env_close(pointer)
      throw classify(LMDBError(rc: rc, operation: "open store", detail: directory), directory)
    }
    return unsafe pointer
  }
}

/// Calls a failure of a disk with no space left `diskFull`: LMDB says EIO when a write is short.
func classify(_ error: LMDBError, _ directory: String) -> LMDBError {
  guard error.code == .ioFailure else { return error }
  var status = statvfs()
  guard unsafe statvfs(directory, &status) == 0 else { return error }
  let (free, overflow) = UInt64(status.f_bavail)
    .multipliedReportingOverflow(by: UInt64(status.f_frsize))
  // A short write takes the last space; a mebibyte more is what file systems keep to themselves.
  guard !overflow, free < 1 << 20 else { return error }
  return LMDBError(
    .diskFull, rc: error.rc, operation: error.operation, detail: "\(free) bytes free")
}

/// Keeps a child process from inheriting a descriptor.
private func closeOnExec(_ descriptor: Int32) {
  let flags = fcntl(descriptor, F_GETFD)
  if flags >= 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
}

/// A descriptor of this process for the file at a path, found without opening it.
private func findOpenFile(_ path: String) -> Int32? {
  var wanted = stat()
  guard unsafe stat(path, &wanted) == 0 else { return nil }
  // Descriptors are given out from the lowest; a process with more open than this has no need of
  // what the lock file's descriptor is for.
  for descriptor in 0..<Int32(min(max(sysconf(Int32(_SC_OPEN_MAX)), 256), 65_536)) {
    var status = stat()
    if unsafe fstat(descriptor, &status) == 0, FileIdentity(status) == FileIdentity(wanted) {
      return descriptor
    }
  }
  return nil
}
