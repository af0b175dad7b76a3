import TidemarkEvents

extension JSONParser {
  /// Reads the string whose opening quote is at `position`.
  mutating func readString() throws(JSONError) -> String {
    position += 1
    let start = position
    skipPlain()
    if position < count, byte(position) == UInt8(ascii: "\"") {
      position += 1
      return string(start, position - 1)
    }
    return try readRest(from: start)
  }

  /// Goes on where a string is not all plain: `position` is at a byte that needs a look.
  private mutating func readRest(from start: Int) throws(JSONError) -> String {
    var buffer: [UInt8] = []
    var pieceStart = start
    while true {
      guard position < count else {
        throw failure(.unexpectedEnd, at: count, "the text ends within a string; close it with \"")
      }
      switch byte(position) {
      case UInt8(ascii: "\""):
        let end = position
        position += 1
        if buffer.isEmpty { return string(pieceStart, end) }
        append(pieceStart, end, to: &buffer)
        return String(decoding: buffer, as: UTF8.self)
      case UInt8(ascii: "\\"):
        append(pieceStart, position, to: &buffer)
        try readEscape(into: &buffer)
        pieceStart = position
      case 0:
        throw failure(.nulInString, at: position, "a string holds no NUL")
      case 0x01..<0x20:
        throw failure(.controlInString, at: position, "write a control character as \\u00XX")
      case 0x80...:
        position += try scalarByteCount()
      default:
        break
      }
      skipPlain()
    }
  }

  /// Moves over ASCII that stands for itself, eight bytes at a time.
  @inline(__always)
  private mutating func skipPlain() {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    while position <= count - 8 {
      let word = word(position)
      let quotes = word ^ (ones &* 0x22)
      let slashes = word ^ (ones &* 0x5C)
      // A byte's high bit is set where that byte is 0, below 0x20, or not ASCII. A borrow may set
      // it in a later byte too, never where all bytes are plain.
      let found =
        (quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes | (word &- ones &* 0x20) | word
      if found & highs != 0 { break }
      position += 8
    }
    while position < count {
      let byte = byte(position)
      if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5C { return }
      position += 1
    }
  }

  private mutating func readEscape(into buffer: inout [UInt8]) throws(JSONError) {
    let start = position
    guard start + 1 < count else {
      throw failure(.unexpectedEnd, at: count, "the text ends within an escape")
    }
    position += 2
    switch byte(start + 1) {
    case UInt8(ascii: "\""): buffer.append(0x22)
    case UInt8(ascii: "\\"): buffer.append(0x5C)
    case UInt8(ascii: "/"): buffer.append(0x2F)
    case UInt8(ascii: "b"): buffer.append(0x08)
    case UInt8(ascii: "f"): buffer.append(0x0C)
    case UInt8(ascii: "n"): buffer.append(0x0A)
    case UInt8(ascii: "r"): buffer.append(0x0D)
    case UInt8(ascii: "t"): buffer.append(0x09)
    case UInt8(ascii: "u"):
      let scalar = try readScalar(escapeStart: start)
      buffer.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    default:
      throw failure(
        .invalidEscape, at: start,
        "no such escape; write \\\\ for a backslash that stands for itself")
    }
  }

  /// Reads the digits after `\u`, and the second half of a surrogate pair.
  private mutating func readScalar(escapeStart start: Int) throws(JSONError) -> Unicode.Scalar {
    let unit = try readHexDigits(escapeStart: start)
    if unit == 0 { throw failure(.nulInString, at: start, "a string holds no NUL") }
    if let scalar = Unicode.Scalar(unit) { return scalar }
    let lone = failure(
      .loneSurrogate, at: start,
      "half a surrogate pair; write \\uD800–\\uDBFF, then \\uDC00–\\uDFFF")
    guard unit < 0xDC00, position + 1 < count, byte(position) == UInt8(ascii: "\\"),
      byte(position + 1) == UInt8(ascii: "u")
    else { throw lone }
    let second = position
    position += 2
    let low = try readHexDigits(escapeStart: second)
    guard low >= 0xDC00, low < 0xE000,
      let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + UInt32(low) - 0xDC00)
    else { throw lone }
    return scalar
  }

  private mutating func readHexDigits(escapeStart start: Int) throws(JSONError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard position < count else {
        throw failure(.unexpectedEnd, at: count, "the text ends within an escape")
      }
      let digit: UInt8
      switch byte(position) {
      case let byte where byte >= 0x30 && byte <= 0x39: digit = byte - 0x30
      case let byte where byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66: digit = (byte | 0x20) - 0x57
      default:
        throw failure(.invalidEscape, at: start, "four hexadecimal digits are expected after \\u")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  /// The length of the well-formed sequence at `position`, whose first byte is not ASCII
  /// (Unicode 16, table 3-7).
  private func scalarByteCount() throws(JSONError) -> Int {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch byte(position) {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: throw failure(.invalidUTF8, at: position, "the bytes are not UTF-8")
    }
    guard position + length <= count, second.contains(byte(position + 1)) else {
      throw failure(.invalidUTF8, at: position, "the bytes are not UTF-8")
    }
    for offset in 2..<max(length, 2) where byte(position + offset) & 0xC0 != 0x80 {
      throw failure(.invalidUTF8, at: position, "the bytes are not UTF-8")
    }
    return length
  }
}
