import CPeers
import Foundation

/// What the benchmark does with directories of its own.
enum Directory {
  static func make(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  static func remove(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Removes what runs have left that were cut off: `run-` and the id of a process that is no more.
  static func removeStaleRuns(in parent: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    for name in names where name.hasPrefix("run-") {
      if let process = Int32(name.dropFirst(4)), process > 1, kill(process, 0) != 0 {
        remove(parent + "/" + name)
      }
    }
  }

  static func files(in directory: String) -> [String] {
    guard let names = try? FileManager.default.subpathsOfDirectory(atPath: directory) else {
      return []
    }
    return names.map { directory + "/" + $0 }
  }

  /// What the disk holds for a directory, holes not counted.
  static func allocatedBytes(_ directory: String) -> Int {
    files(in: directory).reduce(0) { $0 + Int(max(0, peer_allocated_bytes($1))) }
  }

  /// Writes out what is dirty, so that one child leaves no work to the next.
  static func settle(_ directory: String) {
    withDescriptor(directory) { _ = peer_sync_file_system($0) }
  }

  /// Takes a directory's files out of the page cache.
  static func evict(_ directory: String) {
    for file in files(in: directory) { withDescriptor(file) { _ = peer_evict($0) } }
  }

  private static func withDescriptor(_ path: String, _ body: (Int32) -> Void) {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return }
    body(descriptor)
    close(descriptor)
  }
}
