import CPeers
import Foundation

/// The device that holds a directory, and how often it was told to flush its cache.
struct DiskDevice: Sendable {
  private let major: String
  private let minor: String

  /// `nil` where the system counts no flushes.
  init?(holding directory: String) {
    var major: UInt32 = 0
    var minor: UInt32 = 0
    guard peer_device(directory, &major, &minor) == 0 else { return nil }
    self.major = String(major)
    self.minor = String(minor)
    guard flushCount() != nil else { return nil }
  }

  var readAheadKilobytes: Int? {
    let path = "/sys/dev/block/\(major):\(minor)/bdi/read_ahead_kb"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// The eighteenth field of the device's line in /proc/diskstats, from Linux 5.5 on.
  func flushCount() -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/diskstats", encoding: .utf8) else {
      return nil
    }
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count > 18, fields[0] == major, fields[1] == minor { return Int(fields[18]) }
    }
    return nil
  }
}
