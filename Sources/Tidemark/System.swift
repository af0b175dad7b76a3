internal import TidemarkLMDB

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The system's clock, without Foundation.
enum WallClock {
  @Sendable static func milliseconds() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(max(time.tv_sec, 0)) * 1000 + UInt64(time.tv_nsec) / 1_000_000
  }
}

/// Random numbers from where the store's options say.
struct EntropyGenerator: RandomNumberGenerator {
  let source: () -> UInt64

  init(next source: @escaping () -> UInt64) { self.source = source }

  func next() -> UInt64 { source() }
}

/// The inode of a file; 0 where there is none.
func inode(_ path: String) -> UInt64 {
  var status = stat()
  return unsafe stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
}

/// What tells a store's data file from a copy of it: its inode, or its memory's number.
func anchor(_ directory: String, _ environment: Environment) -> UInt64 {
  environment.memory?.disk.inode ?? inode(directory + "/data.mdb")
}
