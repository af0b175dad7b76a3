import TidemarkJSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Standard output takes no more: its reader left, or the disk is full.
struct OutputClosed: Error {
  let code: Int32

  /// The reader has what it wanted, as `head` does: no reason to complain.
  var isReaderGone: Bool { code == EPIPE }

  var message: String {
    let reason = unsafe strerror(code).flatMap { unsafe String(validatingCString: $0) } ?? "error"
    return
      "standard output cannot be written: \(reason); what was not shown is not lost, run it again"
  }
}

/// Standard output, written in large pieces, with every failure noticed: `print` would exit 0 on a
/// full disk.
///
/// Single-threaded, as the command is.
enum Output {
  nonisolated(unsafe) private static var buffer: [UInt8] = []
  private static let byteCountMax = 1 << 16

  /// A line of text.
  static func text(_ line: String) {
    unsafe buffer.append(contentsOf: line.utf8)
    unsafe buffer.append(UInt8(ascii: "\n"))
  }

  /// A line of bytes, such as a JSON object.
  /// - Throws: `OutputClosed`.
  static func line(_ bytes: [UInt8]) throws {
    unsafe buffer.append(contentsOf: bytes)
    unsafe buffer.append(UInt8(ascii: "\n"))
    if unsafe buffer.count >= byteCountMax { try flush() }
  }

  /// Hands everything to the system.
  /// - Throws: `OutputClosed`.
  static func flush() throws {
    let bytes = unsafe buffer
    unsafe buffer.removeAll(keepingCapacity: true)
    try write(bytes, to: STDOUT_FILENO)
  }

  static let isTerminal = isatty(STDOUT_FILENO) == 1

  static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
    var offset = 0
    while offset < bytes.count {
      let written = unsafe bytes.withUnsafeBytes {
        unsafe systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: $0[offset...]))
      }
      if written < 0 {
        if errno == EINTR { continue }
        throw OutputClosed(code: errno)
      }
      offset += written
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
  unsafe write(descriptor, bytes.baseAddress, bytes.count)
}

/// Standard error: messages for people.
enum StandardError {
  static let isTerminal = isatty(STDERR_FILENO) == 1

  static func write(_ text: String) {
    try? Output.write(Array(text.utf8), to: STDERR_FILENO)
  }
}
