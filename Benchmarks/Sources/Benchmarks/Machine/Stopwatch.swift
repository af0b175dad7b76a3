#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Wall time, processor time and the disk's flushes between two moments.
struct Stopwatch {
  private let wall = Stopwatch.nanoseconds()
  private let processor = Stopwatch.processorSeconds()
  private let flushes: Int?
  private let device: DiskDevice?

  init(_ device: DiskDevice? = nil) {
    self.device = device
    flushes = device?.flushCount()
  }

  struct Reading {
    let seconds: Double
    let processorSeconds: Double
    /// The whole device's: other processes' are among them.
    let flushCount: Int?
  }

  func read() -> Reading {
    let seconds = Double(Stopwatch.nanoseconds() - wall) / 1e9
    let processorSeconds = Stopwatch.processorSeconds() - processor
    var flushCount: Int?
    if let flushes, let now = device?.flushCount() { flushCount = now - flushes }
    return Reading(
      seconds: seconds, processorSeconds: processorSeconds, flushCount: flushCount)
  }

  /// A clock that never goes back.
  static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// What all threads of the process have used, in the kernel too.
  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
