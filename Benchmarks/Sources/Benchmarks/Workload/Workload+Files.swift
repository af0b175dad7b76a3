import CPeers
import Foundation

extension Workload {
  /// Writes the workload where a program in another language reads it: `posts` with 308 bytes each,
  /// `operations` with a 32-bit kind and a 32-bit place each, little-endian.
  func write(to directory: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    try Data(posts).write(to: URL(fileURLWithPath: directory + "/posts"))
    let bytes = operations.withUnsafeBytes { Data($0) }
    try bytes.write(to: URL(fileURLWithPath: directory + "/operations"))
  }
}
