/// A record's id within its model: any UTF-8 of 1 to 400 bytes without NUL, compared by bytes.
///
/// A UUID written the canonical way (lower case, 36 characters) is kept in 16 bytes, in memory as in
/// the store; its text is made where it is asked for.
public struct RecordID: Hashable, Comparable, Sendable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  /// LMDB's keys end at 511 bytes; this leaves room for the model and what indexes add.
  public static let byteCountMax = 400

  private enum Form: Sendable {
    /// Big-endian. Such ids sort among themselves as their texts do.
    case uuid(UInt64, UInt64)
    /// Never a canonical UUID.
    case text(String)
  }

  private let form: Form

  public init(_ string: String) {
    form = canonicalUUID(string).map { high, low in .uuid(high, low) } ?? .text(string)
  }

  public init(stringLiteral value: String) { self.init(value) }

  package init(packedUUID high: UInt64, _ low: UInt64) { form = .uuid(high, low) }

  public var string: String {
    switch form {
    case .text(let text): text
    case .uuid(let high, let low): uuidText(high, low)
    }
  }

  public var description: String { string }

  /// The 16 bytes of a canonical UUID, big-endian; `nil` for any other id.
  package var packedUUID: (UInt64, UInt64)? {
    if case .uuid(let high, let low) = form { (high, low) } else { nil }
  }

  /// The first UUID whose text is at or after this id; `nil` where there is none.
  package var leastUUIDAtOrAfter: (UInt64, UInt64)? {
    guard case .text(let text) = form else { return packedUUID }
    return leastUUID(atOrAfter: text)
  }

  /// True where the length is within bounds and no NUL stands in it.
  public var isValid: Bool {
    guard case .text(let text) = form else { return true }
    let count = text.utf8.count
    return count > 0 && count <= RecordID.byteCountMax && !text.holdsNUL
  }

  public static func == (a: RecordID, b: RecordID) -> Bool {
    switch (a.form, b.form) {
    case (.uuid(let a0, let a1), .uuid(let b0, let b1)): a0 == b0 && a1 == b1
    case (.text(let a), .text(let b)): a.hasSameBytes(as: b)
    case (.uuid, .text), (.text, .uuid): false
    }
  }

  public static func < (a: RecordID, b: RecordID) -> Bool {
    if case .uuid(let a0, let a1) = a.form, case .uuid(let b0, let b1) = b.form {
      return (a0, a1) < (b0, b1)
    }
    return a.string.precedesInBytes(b.string)
  }

  public func hash(into hasher: inout Hasher) {
    switch form {
    case .uuid(let high, let low):
      hasher.combine(high)
      hasher.combine(low)
    case .text(let text): text.hashBytes(into: &hasher)
    }
  }
}

/// The 16 bytes of a canonical UUID, big-endian; `nil` for any other text.
private func canonicalUUID(_ string: String) -> (UInt64, UInt64)? {
  guard string.utf8.count == 36 else { return nil }
  var copy = string
  return copy.withUTF8 { bytes in
    guard let base = bytes.baseAddress else { return nil }
    let raw = unsafe UnsafeRawPointer(base)
    func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: T.Type) -> T {
      unsafe raw.loadUnaligned(fromByteOffset: offset, as: T.self)
    }
    let dash = UInt8(ascii: "-")
    guard unsafe bytes[8] == dash && bytes[13] == dash && bytes[18] == dash && bytes[23] == dash
    else { return nil }
    // Eight digits at a time; those of four are joined to eight first.
    let second = UInt64(load(9, UInt32.self)) | UInt64(load(14, UInt32.self)) << 32
    let third = UInt64(load(19, UInt32.self)) | UInt64(load(24, UInt32.self)) << 32
    guard let a = hexadecimal(load(0, UInt64.self)), let b = hexadecimal(second),
      let c = hexadecimal(third), let d = hexadecimal(load(28, UInt64.self))
    else { return nil }
    return (UInt64(a) << 32 | UInt64(b), UInt64(c) << 32 | UInt64(d))
  }
}

/// The first UUID whose canonical text is at or after a text that is none.
private func leastUUID(atOrAfter text: String) -> (UInt64, UInt64)? {
  var digits: UInt128 = 0
  var count = 0
  // Of all UUIDs that begin with these digits the first; or the first behind all of them.
  func first() -> (UInt64, UInt64)? { count == 0 ? (0, 0) : halves(digits << (4 * (32 - count))) }
  func behind() -> (UInt64, UInt64)? {
    guard count > 0 else { return nil }
    let shift = 4 * (32 - count)
    let (next, isPast) = (digits << shift).addingReportingOverflow(1 << shift)
    return isPast ? nil : halves(next)
  }
  func halves(_ number: UInt128) -> (UInt64, UInt64) {
    (UInt64(truncatingIfNeeded: number >> 64), UInt64(truncatingIfNeeded: number))
  }
  for (place, byte) in text.utf8.enumerated() {
    let digit: UInt8
    switch place {
    case 36...: return behind()
    case 8, 13, 18, 23:
      if byte == UInt8(ascii: "-") { continue }
      return byte < UInt8(ascii: "-") ? first() : behind()
    default:
      switch byte {
      case ..<UInt8(ascii: "0"): return first()
      case ...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case ..<UInt8(ascii: "a"):
        // Between the digits and the letters.
        (digits, count) = (digits << 4 | 10, count + 1)
        return first()
      case ...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return behind()
      }
    }
    (digits, count) = (digits << 4 | UInt128(digit), count + 1)
  }
  return first()
}

private func uuidText(_ high: UInt64, _ low: UInt64) -> String {
  unsafe String(unsafeUninitializedCapacity: 36) { text in
    var place = 0
    for nibble in 0..<32 {
      if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
        unsafe text[place] = UInt8(ascii: "-")
        place &+= 1
      }
      let word = nibble < 16 ? high : low
      let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 &- 4 &* (nibble & 15))) & 0x0f
      unsafe text[place] = digit < 10 ? 48 &+ digit : 87 &+ digit
      place &+= 1
    }
    return place
  }
}

/// The number that eight digits write, the first of them in the lowest byte; `nil` where one is not
/// 0 to 9 or a to f: an upper-case UUID is another id.
private func hexadecimal(_ text: UInt64) -> UInt32? {
  let text = UInt64(littleEndian: text)
  let ones: UInt64 = 0x0101_0101_0101_0101
  let high = ones &* 0x80
  guard text & high == 0 else { return nil }
  // The high bit of each byte says whether that byte is at least a bound.
  func atLeast(_ bound: UInt64) -> UInt64 { (text &+ ones &* (0x80 - bound)) & high }
  let isDecimal = atLeast(0x30) & ~atLeast(0x3a)
  let isLetter = atLeast(0x61) & ~atLeast(0x67)
  guard isDecimal | isLetter == high else { return nil }
  let letters = isLetter >> 7
  let digits = (text & (ones &* 0x0f)) &+ letters &* 9
  // Pairs, then fours, then all eight.
  let pairs = (digits << 4 | digits >> 8) & 0x00ff_00ff_00ff_00ff
  let fours = (pairs << 8 | pairs >> 16) & 0x0000_ffff_0000_ffff
  return UInt32(truncatingIfNeeded: fours << 16 | fours >> 32)
}

extension String {
  /// A zero byte in the UTF-8.
  public var holdsNUL: Bool {
    var copy = self
    return copy.withUTF8 { unsafe $0.holdsZero }
  }
}

extension UnsafeBufferPointer<UInt8> {
  @inlinable var holdsZero: Bool {
    var index = 0
    // Eight bytes at a time: the classic test for a zero among them.
    while index &+ 8 <= count {
      let word = unsafe UnsafeRawBufferPointer(self).loadUnaligned(
        fromByteOffset: index, as: UInt64.self)
      if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return true }
      index &+= 8
    }
    while index < count {
      if unsafe self[index] == 0 { return true }
      index &+= 1
    }
    return false
  }
}
