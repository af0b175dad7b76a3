import CPeers
import Foundation

/// What it costs here to make 4 KiB durable: the floor under every row that syncs.
struct SyncProbe: Codable, Sendable {
  /// Medians, in microseconds.
  let growingMicroseconds: Double
  let preallocatedMicroseconds: Double

  private static let blockBytes = 4096

  static func measure(in directory: String, count: Int) throws -> SyncProbe {
    SyncProbe(
      growingMicroseconds: try median(directory + "/growing", count, preallocated: false),
      preallocatedMicroseconds: try median(directory + "/preallocated", count, preallocated: true))
  }

  private static func median(
    _ path: String, _ count: Int, preallocated: Bool
  ) throws -> Double {
    defer { Directory.remove(path) }
    let descriptor = open(path, O_CREAT | O_RDWR | O_TRUNC, 0o644)
    guard descriptor >= 0 else { throw BenchmarkError("cannot write \(path)") }
    defer { close(descriptor) }
    let block = [UInt8](repeating: 1, count: blockBytes)
    func write(_ index: Int) throws {
      guard pwrite(descriptor, block, blockBytes, off_t(index * blockBytes)) == blockBytes else {
        throw BenchmarkError("cannot write \(path)")
      }
    }
    // Written, not only reserved: else the file system still has to note that its bytes are real.
    if preallocated { for index in 0..<count { try write(index) } }
    _ = peer_sync(descriptor)
    var times: [Double] = []
    for index in 0..<count {
      let start = Stopwatch.nanoseconds()
      try write(index)
      _ = peer_sync(descriptor)
      times.append(Double(Stopwatch.nanoseconds() - start) / 1000)
    }
    return Statistics.median(times)
  }
}
