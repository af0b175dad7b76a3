#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A directory for the stores of one run, removed when the value is let go.
final class SimulationDirectory {
  let path: String

  init(in parent: String) {
    var template = Array("\(parent)/tidemark-simulation-XXXXXX".utf8CString)
    _ = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for number in 0..<16 {
      for name in ["data.mdb", "lock.mdb", "journal-0", "journal-1"] {
        unsafe unlink("\(path)/\(number)/\(name)")
      }
      unsafe rmdir("\(path)/\(number)")
    }
    unsafe rmdir(path)
  }
}
