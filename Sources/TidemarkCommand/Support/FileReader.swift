#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads a file, or standard input, in pieces and in lines.
///
/// A line past `lineByteCountMax` is an error as soon as so much of it was read: no more is held.
struct LineReader: ~Copyable {
  let lineByteCountMax: Int
  private let descriptor: Int32
  private let name: String
  /// True for a file that can be read twice; a pipe, such as `<(command)` gives, can be read once.
  let isRegular: Bool
  private let startOffset: off_t
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  /// The number of the last line given, from 1.
  private(set) var lineNumber = 0

  /// - Parameter path: `-` for standard input.
  init(_ path: String, lineByteCountMax: Int) throws {
    self.lineByteCountMax = lineByteCountMax
    name = path == "-" ? "standard input" : path
    if path == "-" {
      descriptor = STDIN_FILENO
      isRegular = false
      startOffset = 0
      return
    }
    var status = stat()
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0 else {
      throw CommandError(.usage, "\(path) cannot be read: \(LineReader.systemMessage)")
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw CommandError(.usage, "\(path) is a directory; name a file, or - for standard input")
    }
    isRegular = status.st_mode & S_IFMT == S_IFREG
    startOffset = isRegular ? lseek(descriptor, 0, SEEK_CUR) : 0
  }

  deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

  /// Goes back to where the file began; only for a regular one.
  mutating func rewind() throws {
    guard lseek(descriptor, startOffset, SEEK_SET) == startOffset else {
      throw CommandError(
        .usage, "\(name) cannot be read a second time: \(LineReader.systemMessage)")
    }
    buffer.removeAll(keepingCapacity: true)
    start = 0
    isAtEnd = false
    lineNumber = 0
  }

  /// True where `next` has a line, the end or an error, without waiting; false once nothing has come
  /// for so long. A long line comes in many pieces, each of which begins the wait anew.
  mutating func isReady(waitMilliseconds: Int32) -> Bool {
    var scanned = start
    while true {
      if isAtEnd || buffer[scanned...].contains(UInt8(ascii: "\n")) { return true }
      guard buffer.count - start <= lineByteCountMax else { return true }
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&request, 1, waitMilliseconds) > 0 else { return false }
      scanned = buffer.count - start
      guard (try? fill()) != nil else { return true }
      scanned += start
    }
  }

  /// The next line without its end (LF or CRLF), or `nil` after the last.
  mutating func next() throws -> [UInt8]? {
    var scanned = start
    while true {
      if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
        try checkLength(end - start)
        var line = Array(buffer[start..<end])
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        start = end + 1
        lineNumber += 1
        return line
      }
      try checkLength(buffer.count - start)
      if isAtEnd {
        guard start < buffer.count else { return nil }
        let line = Array(buffer[start...])
        start = buffer.count
        lineNumber += 1
        return line
      }
      scanned = buffer.count - start
      try fill()
      scanned += start
    }
  }

  private func checkLength(_ byteCount: Int) throws {
    guard byteCount <= lineByteCountMax else {
      throw CommandError(
        .usage,
        "line \(lineNumber + 1): longer than \(lineByteCountMax) bytes; split it, nothing of it was taken"
      )
    }
  }

  private mutating func fill() throws {
    if start > 0 {
      buffer.removeSubrange(..<start)
      start = 0
    }
    let count = buffer.count
    buffer.append(contentsOf: repeatElement(0, count: 1 << 18))
    let got = unsafe buffer.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress.map { unsafe $0 + count }, 1 << 18)
    }
    let reason = LineReader.systemMessage
    buffer.removeLast((1 << 18) - max(got, 0))
    guard got >= 0 else { throw CommandError(.usage, "\(name) cannot be read: \(reason)") }
    isAtEnd = got == 0
  }

  static var systemMessage: String {
    unsafe strerror(errno).flatMap { unsafe String(validatingCString: $0) } ?? "unknown error"
  }

  /// A whole file.
  static func contents(_ path: String, byteCountMax: Int) throws -> [UInt8] {
    var reader = try LineReader(path, lineByteCountMax: byteCountMax)
    while !reader.isAtEnd {
      try reader.fill()
      guard reader.buffer.count <= byteCountMax else {
        throw CommandError(.usage, "\(path) is longer than \(byteCountMax) bytes")
      }
    }
    return reader.buffer
  }
}
