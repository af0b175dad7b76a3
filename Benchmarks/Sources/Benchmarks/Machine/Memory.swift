import Foundation

/// The memory of this process beyond what it held at a mark.
struct Memory {
  private let bytesAtMark: Int

  /// Forgets the peak so far, where the system lets one, and remembers what is held now: the
  /// workload and the runtime, which are no peer's.
  init() {
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    bytesAtMark = Memory.status("VmRSS:") ?? Memory.peakOfProcess
  }

  /// The most since the mark; pages of mapped files count while they are in memory.
  var peakBytes: Int {
    max(0, (Memory.status("VmHWM:") ?? Memory.peakOfProcess) - bytesAtMark)
  }

  private static var peakOfProcess: Int {
    var usage = rusage()
    // RUSAGE_SELF, whose type differs between systems.
    getrusage(0, &usage)
    #if canImport(Darwin)
      return usage.ru_maxrss
    #else
      return usage.ru_maxrss * 1024
    #endif
  }

  /// A line of /proc/self/status, in bytes.
  private static func status(_ name: String) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let kilobytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
    else { return nil }
    return Int(kilobytes).map { $0 * 1024 }
  }
}
