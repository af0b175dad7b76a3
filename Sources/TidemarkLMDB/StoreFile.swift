import CLMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The data file, looked at before LMDB maps it: LMDB trusts it, and dies of a short one.
///
/// Only the data file is ever opened here. Closing any descriptor of the lock file drops this
/// process's locks on it, and with them the locks of an environment that is open.
struct StoreFile: ~Copyable {
  /// What the file holds.
  enum Content: Hashable, Sendable {
    /// Nothing, or what a power cut left of the first bytes of a new store.
    case unborn
    /// A store, in the state that this meta page names.
    case store(MetaPage)
  }

  let path: String
  let identity: FileIdentity
  private let descriptor: Int32

  /// - Throws: `notFound`, `permission`, `readOnly`, `notAStore` (no regular file),
  ///   `remoteFileSystem`, and what else the system says.
  init(
    directory: String, create: Bool, options: Environment.Options
  ) throws(LMDBError) {
    path = directory + "/data.mdb"
    let access = options.readOnly ? O_RDONLY : (create ? O_RDWR | O_CREAT : O_RDWR)
    // Without O_NONBLOCK, the wrong kind of file could block the call for ever.
    descriptor = unsafe open(path, access | O_CLOEXEC | O_NONBLOCK, 0o600)
    guard descriptor >= 0 else { throw .system("open data file", detail: path) }
    let status: stat
    do throws(LMDBError) {
      status = try fileStatus(descriptor, "open data file")
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw LMDBError(.notAStore, operation: "open data file", detail: path)
      }
      guard options.remoteFileSystemAllowed || clmdb_file_system_is_remote(descriptor) != 1 else {
        throw LMDBError(.remoteFileSystem, operation: "open data file", detail: path)
      }
    } catch {
      close(descriptor)
      throw error
    }
    identity = FileIdentity(status)
  }

  deinit { close(descriptor) }

  /// Keeps other processes from opening or creating the same store until this file is closed.
  /// - Throws: `busy` after the wait.
  borrowing func lock(waitSeconds: Double) throws(LMDBError) {
    let deadline = Deadline.after(seconds: waitSeconds)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let rc = errno
      if rc == ENOTSUP || rc == ENOLCK || rc == EBADF { return }  // A file system without flock.
      guard rc == EWOULDBLOCK || rc == EINTR else {
        throw LMDBError(rc: rc, operation: "lock data file", detail: path)
      }
      guard Deadline.now.nanoseconds < deadline.nanoseconds else {
        throw LMDBError(
          .busy, operation: "open store", detail: "another process is opening \(path)")
      }
      usleep(1000)
    }
  }

  /// Looks at the meta pages and at the file's size.
  /// - Throws: `truncated`, `notAStore`, `newerFormat`, `corrupt`, or what reading it throws.
  /// - Complexity: O(1), and the size of the free list where the file is shorter than its pages.
  borrowing func content() throws(LMDBError) -> Content {
    let byteCount = UInt64(truncatingIfNeeded: try fileStatus(descriptor, "open store").st_size)
    if try isUnborn(byteCount: byteCount) { return .unborn }
    guard let first = MetaPage(try bytes(at: 0, count: MetaPage.byteCount)) else {
      throw error(byteCount < 512 ? .notAStore : .truncated, "\(byteCount) bytes")
    }
    guard first.magic == MetaPage.magic else { throw error(try codeWithoutFirstPage(), "") }
    guard first.version == MetaPage.version else {
      throw error(.newerFormat, "LMDB format \(first.version)")
    }
    guard first.isMeta, first.hasPlausiblePageSize else { throw error(.corrupt, "meta page 0") }
    let pageByteCount = UInt64(first.pageByteCount)
    guard byteCount >= 2 * pageByteCount else { throw error(.truncated, "\(byteCount) bytes") }
    guard
      let second = MetaPage(try bytes(at: pageByteCount, count: MetaPage.byteCount)),
      second.magic == MetaPage.magic, second.version == MetaPage.version, second.isMeta,
      second.pageByteCount == first.pageByteCount
    else { throw error(.corrupt, "meta page 1") }
    let newest = first.transactionID >= second.transactionID ? first : second
    try check(newest, index: first.transactionID >= second.transactionID ? 0 : 1)
    try checkSize(of: newest, byteCount: byteCount)
    return .store(newest)
  }

  /// Empties an unborn file, for LMDB takes only an empty one for a new store.
  borrowing func clear() throws(LMDBError) {
    guard ftruncate(descriptor, 0) == 0 else { throw .system("create store", detail: path) }
  }

  /// Makes the file's content durable.
  borrowing func synchronize() throws(LMDBError) {
    guard fsync(descriptor) == 0 else { throw .system("create store", detail: path) }
  }

  /// Up to `count` bytes of the file; fewer at its end.
  borrowing func bytes(at offset: UInt64, count: Int) throws(LMDBError) -> [UInt8] {
    var rc: Int32 = 0
    let buffer = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let position = off_t(truncatingIfNeeded: offset &+ UInt64(filled))
        let read = unsafe pread(
          descriptor, buffer.baseAddress.map { unsafe $0 + filled }, count - filled, position)
        if read < 0 && errno == EINTR { continue }
        if read < 0 { rc = errno }
        if read <= 0 { break }
        filled += read
      }
    }
    guard rc == 0 else { throw LMDBError(rc: rc, operation: "read data file", detail: path) }
    return buffer
  }

  /// A file with nothing in it but zeros and first meta pages, as a power cut may leave one whose
  /// creation was not yet durable.
  private func isUnborn(byteCount: UInt64) throws(LMDBError) -> Bool {
    if byteCount == 0 { return true }
    let pageByteCount = min(Int(sysconf(Int32(_SC_PAGESIZE))), MetaPage.pageByteCounts.upperBound)
    guard byteCount <= 2 * UInt64(pageByteCount) else { return false }
    var isWhole = byteCount == 2 * UInt64(pageByteCount)
    for index in 0..<2 {
      let page = try bytes(at: UInt64(index * pageByteCount), count: pageByteCount)
      if page.allSatisfy({ $0 == 0 }) {
        isWhole = false
      } else {
        guard MetaPage(page)?.isInitial == true,
          page.dropFirst(MetaPage.byteCount).allSatisfy({ $0 == 0 })
        else { return false }
      }
    }
    return !isWhole
  }

  /// What to call a file whose first page is none: damaged where the second one is.
  private func codeWithoutFirstPage() throws(LMDBError) -> LMDBError.Code {
    var pageByteCount = MetaPage.pageByteCounts.lowerBound
    while pageByteCount <= MetaPage.pageByteCounts.upperBound {
      let bytes = try bytes(at: UInt64(pageByteCount), count: MetaPage.byteCount)
      if let page = MetaPage(bytes), page.magic == MetaPage.magic, page.isMeta {
        return .corrupt
      }
      pageByteCount *= 2
    }
    return .notAStore
  }

  private func check(_ page: MetaPage, index: UInt) throws(LMDBError) {
    guard page.transactionID == 0 || page.transactionID & 1 == index,
      page.transactionID <= UInt(Int.max), page.lastPage >= 1,
      page.freeTable.isPlausible(lastPage: page.lastPage),
      page.mainTable.isPlausible(lastPage: page.lastPage)
    else { throw error(.corrupt, "meta page \(index)") }
  }

  /// A whole file may lack its last pages, when the transaction that took them also freed them.
  private func checkSize(of page: MetaPage, byteCount: UInt64) throws(LMDBError) {
    let (pages, overflow) = UInt64(page.lastPage).addingReportingOverflow(1)
    let (needed, overflow2) = pages.multipliedReportingOverflow(by: UInt64(page.pageByteCount))
    guard !overflow, !overflow2, needed <= UInt64(Int.max) else {
      throw error(.corrupt, "last page \(page.lastPage)")
    }
    if byteCount >= needed { return }
    let present = UInt(byteCount / UInt64(page.pageByteCount))
    let list = FreeList(page, byteCount: byteCount)
    let isFree = try list.contains(present...page.lastPage) { (offset, count) throws(LMDBError) in
      try bytes(at: offset, count: count)
    }
    guard isFree else { throw error(.truncated, "\(byteCount) bytes of \(needed)") }
  }

  private func error(_ code: LMDBError.Code, _ detail: String) -> LMDBError {
    LMDBError(
      code, operation: "open store", detail: detail.isEmpty ? path : "\(path), \(detail)")
  }
}
