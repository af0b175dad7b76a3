/// A record's id within its model: any UTF-8 of 1 to 400 bytes without NUL, compared by bytes.
public struct RecordID: Hashable, Comparable, Sendable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  /// LMDB's keys end at 511 bytes; this leaves room for the model and what indexes add.
  public static let byteCountMax = 400

  public let string: String

  public init(_ string: String) {
    self.string = string
  }

  public init(stringLiteral value: String) {
    string = value
  }

  public var description: String { string }

  /// True where the length is within bounds and no NUL stands in it.
  public var isValid: Bool {
    let utf8 = string.utf8
    return !utf8.isEmpty && utf8.count <= RecordID.byteCountMax && !utf8.contains(0)
  }

  public static func == (a: RecordID, b: RecordID) -> Bool { a.string.hasSameBytes(as: b.string) }
  public static func < (a: RecordID, b: RecordID) -> Bool { a.string.precedesInBytes(b.string) }
  public func hash(into hasher: inout Hasher) { string.hashBytes(into: &hasher) }
}

// A UUID written the canonical way (lower case, 36 characters) is stored in 16 bytes. Packed ids sort
// among themselves as their texts do.

extension RecordID {
  /// The 16 bytes of a canonical UUID, big-endian; `nil` for any other id.
  package var packedUUID: (UInt64, UInt64)? {
    guard string.utf8.count == 36 else { return nil }
    var copy = string
    return copy.withUTF8 { bytes in
      var words: (UInt64, UInt64) = (0, 0)
      var digits = 0
      for index in 0..<36 {
        let byte = unsafe bytes[index]
        if index == 8 || index == 13 || index == 18 || index == 23 {
          guard byte == 0x2d else { return nil }
          continue
        }
        // 0…9 and a…f alone: an upper-case UUID is another id.
        let decimal = byte &- 0x30
        let letter = byte &- 0x61
        guard decimal < 10 || letter < 6 else { return nil }
        let digit = UInt64(decimal < 10 ? decimal : letter + 10)
        if digits < 16 { words.0 = words.0 << 4 | digit } else { words.1 = words.1 << 4 | digit }
        digits += 1
      }
      return words
    }
  }

  package init(packedUUID high: UInt64, _ low: UInt64) {
    func digits(_ word: UInt64, _ range: Range<Int>) -> [UInt8] {
      range.map { index in
        let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * index)) & 0x0f
        return digit < 10 ? 48 + digit : 87 + digit
      }
    }
    let dash = [UInt8(ascii: "-")]
    let text =
      digits(high, 0..<8) + dash + digits(high, 8..<12) + dash + digits(high, 12..<16) + dash
      + digits(low, 0..<4) + dash + digits(low, 4..<16)
    self.init(String(decoding: text, as: UTF8.self))
  }
}
