internal import Synchronization
public import Tidemark

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
  public init() throws {
    var template = Array("/tmp/tidemark-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
    }
    guard made else { throw StoreError(.ioFailure, "no temporary directory could be made") }
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

/// A wall clock that a test moves by hand.
public final class ManualClock: Sendable {
  private let now: Mutex<UInt64>

  public init(milliseconds: UInt64) {
    now = Mutex(milliseconds)
  }

  public var milliseconds: UInt64 {
    get { now.withLock { $0 } }
    set { now.withLock { $0 = newValue } }
  }

  public func advance(by milliseconds: UInt64) { now.withLock { $0 += milliseconds } }

  /// Store options that read this clock.
  public var options: StoreOptions {
    var options = StoreOptions()
    options.wallMilliseconds = { [self] in self.milliseconds }
    return options
  }
}
