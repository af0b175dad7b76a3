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
  private static let copyCounter = Atomic<UInt32>(0)

  /// Writes a consistent copy of the store, as of now, into another directory, while everybody goes
  /// on reading and writing.
  ///
  /// The copy is whole or absent: it gets its name when it is durable. A process that dies leaves a
  /// file named `data.mdb.copy-…`, which is safe to remove. With `compact`, free pages are left out,
  /// at the price of reading the whole tree. The directory is made where there is none.
  ///
  /// Waits for writers once, shortly. While it runs, the map cannot grow.
  /// - Throws: `alreadyExists` where the directory has a store; `reentrant` inside a write;
  ///   `diskFull`, `ioFailure`, `permission`, `notFound` (the directory's parent), `invalid`.
  /// - Complexity: O(size of the store).
  public func copy(to directory: String, compact: Bool) throws(LMDBError) {
    guard !directory.isEmpty, !directory.utf8.contains(0) else {
      throw LMDBError(.invalid, operation: "copy", detail: "path is empty or has a NUL")
    }
    try checkFork()
    guard memory == nil else {
      throw LMDBError(
        .invalid, operation: "copy", detail: "the store lies in memory; export it instead")
    }
    guard !gate.isWriter else { throw LMDBError(.reentrant, operation: "copy") }
    if unsafe mkdir(directory, 0o700) == 0 {
      try synchronizeDirectory(parentDirectory(of: directory))
    } else if errno != EEXIST {
      throw .system("create directory", detail: directory)
    }
    let target = directory + "/data.mdb"
    guard unsafe access(target, F_OK) != 0 else {
      throw LMDBError(.alreadyExists, operation: "copy", detail: target)
    }
    let count = Self.copyCounter.wrappingAdd(1, ordering: .relaxed).newValue
    let temporary = "\(target).copy-\(getpid())-\(count)"
    defer { unsafe unlink(temporary) }
    try writeCopy(temporary, compact: compact)
    // A link, unlike a rename, never takes the place of a file that came meanwhile.
    if unsafe link(temporary, target) != 0 {
      guard errno == EPERM || errno == ENOTSUP || errno == ENOSYS,
        unsafe access(target, F_OK) != 0
      else { throw .system("copy", detail: target) }
      guard unsafe rename(temporary, target) == 0 else { throw .system("copy", detail: target) }
    }
    try synchronizeDirectory(directory)
  }

  private func writeCopy(_ path: String, compact: Bool) throws(LMDBError) {
    let descriptor = createFile(path)
    guard descriptor >= 0 else { throw .system("copy", detail: path) }
    defer { close(descriptor) }
    var attempt = Attempt()
    while true {
      let handle = unsafe try enter()
      let rc = unsafe mdb_env_copyfd2(handle, descriptor, compact ? UInt32(MDB_CP_COMPACT) : 0)
      gate.leave()
      if rc == 0 { break }
      guard rc == MDB_MAP_RESIZED || rc == MDB_PANIC || rc == MDB_READERS_FULL else {
        throw classify(LMDBError(rc: rc, operation: "copy"), parentDirectory(of: path))
      }
      try repair(rc, &attempt, "copy")
      guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
        throw .system("copy", detail: path)
      }
    }
    guard fsync(descriptor) == 0 else {
      throw classify(.system("copy", detail: path), parentDirectory(of: path))
    }
  }
}

/// A descriptor for a new file of the owner's, or a negative number.
private func createFile(_ path: String) -> Int32 {
  unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
}
