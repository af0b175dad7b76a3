internal import TidemarkEvents
internal import TidemarkJSON

extension Scalar {
  /// The value as a field of this scalar stores it.
  func coerce(_ value: Value, path: String) throws(ValueError) -> Value {
    switch self {
    case .int, .timestamp:
      if case .int = value { return value }
      if case .double = value {
        throw ValueError(
          .wrongType, path, "\(path) takes a whole number from -2^63 to 2^63-1; write 1, not 1.0")
      }
    case .float:
      if case .double(let double) = value, double.isFinite { return value }
      if case .int(let int) = value {
        guard let double = Double(exactly: int) else {
          throw ValueError(
            .outOfRange, path, "\(path) cannot hold \(int) exactly; write it with an exponent")
        }
        return .double(double)
      }
    case .boolean:
      if case .bool = value { return value }
    case .id, .string, .date, .time, .dateTime, .email, .json, .url, .phone, .ipAddress:
      if case .string(let text) = value {
        guard !text.holdsNUL else {
          throw ValueError(.badFormat, path, "\(path) takes text without NUL")
        }
        guard isWellFormed(text) else {
          throw ValueError(.badFormat, path, "\(path) takes \(example)")
        }
        return value
      }
    }
    throw .wrongType(path, .scalar(self), value)
  }

  /// What a message gives as the form of a text scalar.
  private var example: String {
    switch self {
    case .date: "a date as 2026-01-31, 2026-01-31Z or 2026-01-31+02:00"
    case .time: "a time as 23:59:59, with .999 and Z or +02:00 if need be"
    case .dateTime: "a date and time as 2026-01-31T23:59:59.999Z or with +02:00"
    case .email: "an address as name@example.org"
    case .json: "a string that holds JSON"
    case .url: "a URL as https://example.org/path"
    case .phone: "a telephone number as +1 555 0100"
    case .ipAddress: "an IP address as 192.0.2.1, 192.0.2.0/24 or 2001:db8::1"
    case .id, .string, .int, .float, .boolean, .timestamp: rawValue
    }
  }

  /// Whether text has the form that the scalar asks for; any has, where it asks for none.
  /// - Complexity: O(bytes).
  public func isWellFormed(_ text: String) -> Bool {
    switch self {
    case .date, .time, .dateTime:
      var copy = text
      return copy.withUTF8 { unsafe isWellFormed(Span(_unsafeElements: $0)) }
    case .email: return isEmail(text)
    case .json: return (try? JSONReader.read(text)) != nil
    case .url: return isURL(text)
    case .phone: return isPhone(text)
    case .ipAddress: return isIPAddress(text)
    case .id, .string, .int, .float, .boolean, .timestamp: return true
    }
  }

  private func isWellFormed(_ text: Span<UInt8>) -> Bool {
    switch self {
    case .date:
      var scanner = TextScanner(text)
      return scanner.date() && scanner.zone(isRequired: false) && scanner.isAtEnd
    case .time:
      var scanner = TextScanner(text)
      return scanner.time() && scanner.zone(isRequired: false) && scanner.isAtEnd
    case .dateTime:
      var scanner = TextScanner(text)
      return scanner.date() && scanner.take(UInt8(ascii: "T")) && scanner.time()
        && scanner.zone(isRequired: true) && scanner.isAtEnd
    default: return true
    }
  }
}

private func isEmail(_ text: String) -> Bool {
  let parts = text.split(separator: "@", omittingEmptySubsequences: false)
  return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty
    && text.utf8.count <= 320 && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
    && !parts[1].hasPrefix(".") && !parts[1].hasSuffix(".")
}

private func isURL(_ text: String) -> Bool {
  let utf8 = Array(text.utf8)
  guard let colon = utf8.firstIndex(of: UInt8(ascii: ":")), colon > 0, utf8.count > colon + 1,
    utf8[0].isLetter
  else { return false }
  return utf8[..<colon].allSatisfy { $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) }
    && utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && !"<>\"{}|\\^`".utf8.contains($0) }
}

private func isPhone(_ text: String) -> Bool {
  let utf8 = Array(text.utf8)
  let digits = utf8.count(where: \.isDigit)
  return digits >= 3 && digits <= 20
    && utf8.enumerated().allSatisfy { index, byte in
      byte.isDigit || " -().".utf8.contains(byte) || (index == 0 && byte == UInt8(ascii: "+"))
    }
}

private func isIPAddress(_ text: String) -> Bool {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false)
  guard parts.count <= 2 else { return false }
  let isFour = isIPv4(parts[0])
  guard isFour || isIPv6(parts[0]) else { return false }
  return parts.count == 1 || decimal(parts[1], max: isFour ? 32 : 128)
}

private func decimal(_ text: Substring, max: Int) -> Bool {
  guard !text.isEmpty, text.utf8.count <= 3, text.utf8.allSatisfy(\.isDigit),
    text == "0" || !text.hasPrefix("0"), let number = Int(text)
  else { return false }
  return number <= max
}

private func isIPv4(_ text: Substring) -> Bool {
  let parts = text.split(separator: ".", omittingEmptySubsequences: false)
  return parts.count == 4 && parts.allSatisfy { decimal($0, max: 255) }
}

private func isIPv6(_ text: Substring) -> Bool {
  guard
    text.utf8.allSatisfy({ $0.isHexDigit || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") })
  else { return false }
  var groups = text.split(separator: ":", omittingEmptySubsequences: false)
  var count = 0
  if let last = groups.last, last.contains(".") {
    guard isIPv4(last) else { return false }
    groups.removeLast()
    count = 2
  }
  // `::` stands once, for at least one group of zeros; at an end it leaves two empty parts.
  let isShort =
    text.utf8.count >= 2
    && zip(text.utf8, text.utf8.dropFirst()).contains { $0 == $1 && $0 == UInt8(ascii: ":") }
  if text.hasPrefix(":"), !text.hasPrefix("::") { return false }
  if text.hasSuffix(":"), !text.hasSuffix("::") { return false }
  let empties = groups.count(where: \.isEmpty)
  let edge = (text.hasPrefix("::") ? 1 : 0) + (text.hasSuffix("::") ? 1 : 0)
  guard empties == (isShort ? 1 + edge : 0) else { return false }
  guard groups.allSatisfy({ $0.utf8.count <= 4 }) else { return false }
  count += groups.count - empties
  return isShort ? count <= 7 : count == 8
}

extension UInt8 {
  fileprivate var isDigit: Bool { self >= 0x30 && self <= 0x39 }
  fileprivate var isLetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7a }
  fileprivate var isHexDigit: Bool { isDigit || ((self | 0x20) >= 0x61 && (self | 0x20) <= 0x66) }
}

/// Reads the parts of dates and times.
private struct TextScanner: ~Escapable {
  private let bytes: Span<UInt8>
  private var offset = 0

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) {
    bytes = text
  }

  var isAtEnd: Bool { offset == bytes.count }

  @_lifetime(self: copy self)
  mutating func take(_ byte: UInt8) -> Bool {
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  @_lifetime(self: copy self)
  private mutating func number(digits: Int, _ range: ClosedRange<Int>) -> Int? {
    guard offset + digits <= bytes.count else { return nil }
    var value = 0
    for index in offset..<offset + digits {
      let byte = bytes[index]
      guard byte.isDigit else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    offset += digits
    return range.contains(value) ? value : nil
  }

  @_lifetime(self: copy self)
  mutating func date() -> Bool {
    guard let year = number(digits: 4, 0...9999), take(UInt8(ascii: "-")),
      let month = number(digits: 2, 1...12), take(UInt8(ascii: "-")),
      let day = number(digits: 2, 1...31)
    else { return false }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    switch month {
    case 2: return day <= (isLeap ? 29 : 28)
    case 4, 6, 9, 11: return day <= 30
    default: return true
    }
  }

  @_lifetime(self: copy self)
  mutating func time() -> Bool {
    guard number(digits: 2, 0...23) != nil, take(UInt8(ascii: ":")),
      number(digits: 2, 0...59) != nil
    else { return false }
    guard take(UInt8(ascii: ":")) else { return true }
    guard number(digits: 2, 0...59) != nil else { return false }
    guard take(UInt8(ascii: ".")) else { return true }
    let start = offset
    while offset < bytes.count, bytes[offset].isDigit { offset += 1 }
    return (1...9).contains(offset - start)
  }

  @_lifetime(self: copy self)
  mutating func zone(isRequired: Bool) -> Bool {
    if take(UInt8(ascii: "Z")) { return true }
    guard take(UInt8(ascii: "+")) || take(UInt8(ascii: "-")) else { return !isRequired }
    guard number(digits: 2, 0...14) != nil, take(UInt8(ascii: ":")),
      number(digits: 2, 0...59) != nil
    else { return false }
    guard take(UInt8(ascii: ":")) else { return true }
    return number(digits: 2, 0...59) != nil
  }
}
