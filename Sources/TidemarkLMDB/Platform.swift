import CLMDB
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A number for the calling thread, unlike that of every other live thread.
///
/// Never inlined: inside an `async` function the optimizer may take the thread before a suspension
/// for the one after it.
@inline(never)
func currentThreadNumber() -> UInt {
  #if canImport(Glibc)
    return UInt(pthread_self())
  #else
    return unsafe UInt(bitPattern: pthread_self())
  #endif
}

/// A moment on the monotonic clock, in nanoseconds.
package struct Deadline: Hashable, Sendable {
  package let nanoseconds: UInt64

  package static var now: Deadline {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Deadline(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }

  /// The moment so many seconds from now; not a number or negative is now, and a century at most.
  package static func after(seconds: Double) -> Deadline {
    let bounded = seconds > 0 ? min(seconds, 3_153_600_000) : 0
    return Deadline(nanoseconds: now.nanoseconds + UInt64(bounded * 1_000_000_000))
  }
}

/// Counts the forks between the first process and this one. LMDB's handles do not outlive a fork,
/// and a child that used one would harm its parent.
enum Fork {
  private static let counter = Atomic<Int>(0)
  private static let registration: Int32 = pthread_atfork(
    nil, nil, { _ = counter.wrappingAdd(1, ordering: .relaxed) })

  static var generation: Int {
    _ = registration
    return counter.load(ordering: .relaxed)
  }
}

/// What makes a file itself, whatever its path.
struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let number: UInt64

  init(device: UInt64, number: UInt64) {
    self.device = device
    self.number = number
  }

  init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    number = UInt64(truncatingIfNeeded: status.st_ino)
  }
}

/// The status of an open file.
func fileStatus(
  _ descriptor: Int32, _ operation: String
) throws(LMDBError) -> stat {
  var status = stat()
  guard unsafe fstat(descriptor, &status) == 0 else { throw .system(operation) }
  return status
}

/// Makes what a directory lists durable.
func synchronizeDirectory(_ path: String) throws(LMDBError) {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
  guard descriptor >= 0 else { throw .system("sync directory", detail: path) }
  defer { close(descriptor) }
  // Some file systems cannot sync a directory and say so; there is nothing better to do there.
  guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
    throw .system("sync directory", detail: path)
  }
}

/// The directory that holds a path's last component.
func parentDirectory(of path: String) -> String {
  var bytes = Array(path.utf8)
  let slash = UInt8(ascii: "/")
  while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
  guard let index = bytes.lastIndex(of: slash) else { return "." }
  return index == 0 ? "/" : String(decoding: bytes[..<index], as: UTF8.self)
}
