internal import Tidemark

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A directory for a test's stores, removed when the value is let go.
public final class TemporaryDirectory: Sendable {
  public let path: String

  /// - Throws: `StoreError` where the system gives no directory.
  public init(in parent: String = "/tmp") throws {
    var template = Array("\(parent)/tidemark-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
    }
    guard made else { throw StoreError(.ioFailure, "no directory can be made in \(parent)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    // Stores lie one level down, each with its files.
    for directory in entries(path) {
      for file in entries(directory) { unsafe unlink(file) }
      unsafe rmdir(directory)
      unsafe unlink(directory)
    }
    unsafe rmdir(path)
  }

  private func entries(_ directory: String) -> [String] {
    guard let handle = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(directory + "/" + name) }
    }
    return names
  }
}
