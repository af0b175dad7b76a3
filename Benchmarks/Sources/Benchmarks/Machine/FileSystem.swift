import Foundation

/// The file system that holds the stores.
struct FileSystem: Codable, Sendable {
  let type: String
  let options: String
  /// What the device reads at once on a page fault, in KiB; it rules what a cold read costs.
  let readAheadKilobytes: Int?

  /// In memory a sync costs nothing, and the rows that sync would say nothing.
  var isInMemory: Bool { type == "tmpfs" || type == "ramfs" }

  static func holding(_ directory: String) -> FileSystem {
    let path = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
    let text = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
    var best: (length: Int, type: String, options: String) = (-1, "unknown", "")
    for line in text.split(separator: "\n") {
      // "… mount-point options … - type source super-options"
      let fields = line.split(separator: " ").map(String.init)
      guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 1, dash > 5 else {
        continue
      }
      let point = fields[4]
      let isAbove = path == point || path.hasPrefix(point == "/" ? "/" : point + "/")
      if isAbove, point.count >= best.length {
        best = (point.count, fields[dash + 1], fields[5])
      }
    }
    return FileSystem(
      type: best.type, options: best.options,
      readAheadKilobytes: DiskDevice(holding: directory)?.readAheadKilobytes)
  }
}
