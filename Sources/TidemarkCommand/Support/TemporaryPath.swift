#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

enum TemporaryPath {
  /// A new directory under TMPDIR or /tmp.
  static func make() throws -> String {
    let parent = unsafe getenv("TMPDIR").flatMap { unsafe String(validatingCString: $0) } ?? "/tmp"
    var template = Array("\(parent)/tidemark-demo-XXXXXX".utf8CString)
    let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
    }
    guard isMade else {
      throw CommandError(
        .store, "no directory can be made in \(parent): \(LineReader.systemMessage)")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

enum Directories {
  /// Makes a directory where there is none; its parent must exist.
  static func make(_ path: String) throws {
    guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
    throw CommandError(.usage, "\(path) cannot be made: \(LineReader.systemMessage)")
  }
}
