/// What is wrong with bytes that should hold an encoded thing. Never a trap: the bytes may come
/// from a peer or a damaged disk.
public struct CodecError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// The bytes end too early.
    case truncated
    /// A checksum or hash does not match.
    case checksum
    /// A number or count is past its bound.
    case outOfBounds
    /// Written by a later version of the format.
    case newerFormat
    /// Anything else that no writer writes.
    case malformed
  }

  public let code: Code
  /// What was being read.
  public let what: String

  public init(_ code: Code, _ what: String) {
    self.code = code
    self.what = what
  }

  public var description: String { "\(what): \(code.rawValue)" }
}

extension CodecError {
  // Apart from the code that reads, which is to stay small.
  @usableFromInline @inline(never)
  static func outOfBounds(_ what: StaticString) -> CodecError {
    CodecError(.outOfBounds, "\(what)")
  }

  @usableFromInline @inline(never)
  static func truncated(_ what: StaticString) -> CodecError {
    CodecError(.truncated, "\(what)")
  }
}

/// Reads encoded bytes from the front, checking every bound; little-endian unless a name says
/// otherwise.
public struct ByteReader: ~Escapable {
  public let bytes: RawSpan
  @usableFromInline var position: Int

  /// Where the next byte is read.
  @inlinable public var offset: Int { position }

  @inlinable @_lifetime(copy bytes)
  public init(_ bytes: RawSpan, at offset: Int = 0) {
    self.bytes = bytes
    position = min(max(offset, 0), bytes.byteCount)
  }

  @inlinable public var remaining: Int { bytes.byteCount - offset }
  @inlinable public var isAtEnd: Bool { remaining == 0 }

  @inlinable @_lifetime(self: copy self)
  public mutating func byte() throws(CodecError) -> UInt8 {
    guard remaining >= 1 else { throw CodecError.truncated("byte") }
    defer { position += 1 }
    return unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
  }

  @inlinable @_lifetime(self: copy self)
  public mutating func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type
  ) throws(CodecError) -> T {
    guard remaining >= MemoryLayout<T>.size else { throw CodecError.truncated("integer") }
    defer { position += MemoryLayout<T>.size }
    return T(
      littleEndian: unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: type))
  }

  @inlinable @_lifetime(self: copy self)
  public mutating func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type
  ) throws(CodecError) -> T {
    try littleEndian(type).byteSwapped
  }

  @inlinable @_lifetime(self: copy self)
  @inline(__always)
  public mutating func varint() throws(CodecError) -> UInt64 {
    if remaining > 0 {
      let first = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
      if first < 0x80 {
        position += 1
        return UInt64(first)
      }
    }
    return try longVarint()
  }

  @usableFromInline @inline(never) @_lifetime(self: copy self)
  mutating func longVarint() throws(CodecError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      let bits = UInt64(next & 0x7f)
      guard shift < 63 || (shift == 63 && bits <= 1) else {
        throw CodecError(.outOfBounds, "varint")
      }
      value |= bits << shift
      if next < 0x80 { return value }
      shift += 7
    }
  }

  /// A varint that counts something, at most `max`.
  @inlinable @_lifetime(self: copy self)
  @inline(__always)
  public mutating func count(_ what: StaticString, max: Int) throws(CodecError) -> Int {
    let value = try varint()
    guard value <= UInt64(max) else { throw CodecError.outOfBounds(what) }
    return Int(truncatingIfNeeded: value)
  }

  @inlinable @_lifetime(self: copy self)
  public mutating func zigzag() throws(CodecError) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// The next `byteCount` bytes, borrowed.
  @inlinable @_lifetime(copy self)
  public mutating func take(_ byteCount: Int) throws(CodecError) -> RawSpan {
    guard byteCount >= 0, byteCount <= remaining else { throw CodecError.truncated("bytes") }
    defer { position += byteCount }
    return unsafe bytes.extracting(unchecked: offset..<offset + byteCount)
  }

  @inlinable @_lifetime(self: copy self)
  public mutating func skip(_ byteCount: Int) throws(CodecError) {
    guard byteCount >= 0, byteCount <= remaining else { throw CodecError.truncated("bytes") }
    position += byteCount
  }

  /// The next `byteCount` bytes as text; broken UTF-8 is an error.
  @inlinable @_lifetime(self: copy self)
  public mutating func string(byteCount: Int) throws(CodecError) -> String {
    let span = try take(byteCount)
    guard let string = span.validatedString() else { throw CodecError(.malformed, "UTF-8") }
    return string
  }

  /// A counted string.
  @inlinable @_lifetime(self: copy self)
  public mutating func string() throws(CodecError) -> String {
    let byteCount = try count("string", max: Limits.eventByteCountMax)
    return try string(byteCount: byteCount)
  }

  /// Everything read so far.
  public var consumed: RawSpan {
    @_lifetime(copy self)
    get { unsafe bytes.extracting(unchecked: 0..<offset) }
  }
}

extension RawSpan {
  /// The bytes as text, or `nil` where they are not UTF-8.
  public func validatedString() -> String? {
    // `String(validating:as:)` looks generic types up at each call, which costs more than a short
    // text does. Decoding mends what is not UTF-8, so bytes that stayed the same were.
    var text = unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    let isSame = text.withUTF8 {
      unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0)).hasSameBytes(as: self)
    }
    return isSame ? text : nil
  }

  /// A copy of the bytes.
  public func toArray() -> [UInt8] {
    unsafe withUnsafeBytes { unsafe [UInt8]($0) }
  }

  /// Equality of the bytes.
  @inlinable public func hasSameBytes(as other: RawSpan) -> Bool {
    byteCount == other.byteCount && order(other) == 0
  }

  /// Less than, equal to or greater than 0, as `memcmp`, and by length where one begins the other.
  @inlinable public func order(_ other: RawSpan) -> Int {
    let count = Swift.min(byteCount, other.byteCount)
    var offset = 0
    while offset &+ 8 <= count {
      let a = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      let b = unsafe other.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      if a != b { return a.bigEndian < b.bigEndian ? -1 : 1 }
      offset &+= 8
    }
    while offset < count {
      let a = unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      let b = unsafe other.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      if a != b { return a < b ? -1 : 1 }
      offset &+= 1
    }
    return byteCount - other.byteCount
  }
}

extension [UInt8] {
  /// The array's bytes, borrowed.
  public var rawBytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get { unsafe span.bytes }
  }
}
