internal import TidemarkLMDB

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A file of a journal on a disk.
@safe final class SystemJournalMedium: JournalMedium {
  private static let sharedByteCount = 4096

  private let path: String
  private let descriptor: Int32
  private var shared: UnsafeMutableRawPointer?

  /// - Throws: `StoreError`.
  init(path: String) throws {
    self.path = path
    let opened = unsafe open(path, O_RDWR | O_CLOEXEC | O_CREAT, 0o600)
    // Never one of the standard descriptors: a process that was started with them closed would write
    // its output into the journal.
    descriptor = opened > 2 || opened < 0 ? opened : fcntl(opened, F_DUPFD_CLOEXEC, 3)
    let code = errno
    if opened >= 0, opened != descriptor { close(opened) }
    guard descriptor >= 0 else { throw StoreError.system("open \(path)", code) }
  }

  deinit {
    if let shared = unsafe shared { unsafe munmap(shared, SystemJournalMedium.sharedByteCount) }
    if descriptor >= 0 { close(descriptor) }
  }

  func mapShared() throws -> UnsafeMutableRawPointer {
    if let shared = unsafe shared { return unsafe shared }
    let map = unsafe mmap(
      nil, SystemJournalMedium.sharedByteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let map = unsafe map, unsafe map != MAP_FAILED else {
      throw StoreError.system("map \(path)", errno)
    }
    unsafe shared = map
    return unsafe map
  }

  func byteCount() throws -> Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw StoreError.system("read \(path)", errno)
    }
    return Int(status.st_size)
  }

  func write(_ bytes: RawSpan, at offset: Int) throws {
    var done = 0
    while done < bytes.byteCount {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(
          descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw StoreError.system("write \(path)", errno)
      }
      guard count > 0 else { throw StoreError.system("write \(path)", ENOSPC) }
      done += count
    }
  }

  func read(_ byteCount: Int, at offset: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(descriptor, $0.baseAddress, byteCount, off_t(offset))
    }
    guard count >= 0 else { throw StoreError.system("read \(path)", errno) }
    return bytes
  }

  func withBytes(_ byteCount: Int, _ body: (RawSpan) -> Void) throws {
    let map = unsafe mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0)
    guard let map = unsafe map, unsafe map != MAP_FAILED else {
      throw StoreError.system("map \(path)", errno)
    }
    defer { unsafe munmap(map, byteCount) }
    body(unsafe RawSpan(_unsafeStart: map, byteCount: byteCount))
  }

  func truncate(to byteCount: Int) throws {
    guard ftruncate(descriptor, off_t(byteCount)) == 0 else {
      throw StoreError.system("truncate \(path)", errno)
    }
  }

  func synchronize() throws {
    #if canImport(Darwin)
      let rc = fcntl(descriptor, F_FULLFSYNC)
    #else
      let rc = fdatasync(descriptor)
    #endif
    guard rc == 0 else { throw StoreError.system("sync \(path)", errno) }
  }

  func lock() throws -> Bool {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
    guard errno == EWOULDBLOCK || errno == EINTR else {
      throw StoreError.system("lock \(path)", errno)
    }
    return false
  }

  func unlock() { flock(descriptor, LOCK_UN) }
}

/// The names of a journal's files in a directory.
enum JournalFiles {
  static func path(_ directory: String, _ number: Int) -> String {
    "\(directory)/journal-\(number)"
  }

  static func exist(in directory: String) -> Bool {
    (0...1).allSatisfy { unsafe access(path(directory, $0), F_OK) == 0 }
  }

  /// Makes the names durable.
  static func synchronize(_ directory: String) throws {
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreError.system("open \(directory)", errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw StoreError.system("sync \(directory)", errno) }
  }
}
