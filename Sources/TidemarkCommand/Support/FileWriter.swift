#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

enum FileWriter {
  /// Writes a whole file, in place of one that is there.
  /// - Throws: `CommandError` where the system does not let it.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw CommandError(.usage, "\(path) cannot be written: \(LineReader.systemMessage)")
    }
    defer { close(descriptor) }
    try Output.write(bytes, to: descriptor)
  }
}
