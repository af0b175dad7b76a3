public import TidemarkEvents

/// Writes a `Value` as JSON in UTF-8, without spaces.
///
/// What `JSONReader` took is written so that it reads back the same: a double always has a point or
/// an exponent, an integer never. Only what JSON demands is escaped.
public enum JSONWriter {
  /// Appends a value; members stand in the order given.
  ///
  /// A double that is not finite has no form in JSON and is written as `null`.
  /// - Complexity: O(n) in the size of the value.
  public static func append(_ value: Value, to bytes: inout [UInt8]) {
    switch value {
    case .null: append(word: "null", to: &bytes)
    case .bool(let value): append(value, to: &bytes)
    case .int(let value): append(value, to: &bytes)
    case .double(let value): append(value, to: &bytes)
    case .string(let value): append(value, to: &bytes)
    case .list(let values):
      bytes.append(UInt8(ascii: "["))
      for index in values.indices {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        append(values[index], to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for index in members.indices {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        append(members[index].name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(members[index].value, to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// A value's bytes.
  public static func bytes(_ value: Value) -> [UInt8] {
    var bytes: [UInt8] = []
    append(value, to: &bytes)
    return bytes
  }

  /// A value's text.
  public static func text(_ value: Value) -> String {
    String(decoding: bytes(value), as: UTF8.self)
  }

  public static func append(_ value: Bool, to bytes: inout [UInt8]) {
    append(word: value ? "true" : "false", to: &bytes)
  }

  /// Appends an integer in decimal.
  public static func append(_ value: Int64, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    append(value.magnitude, to: &bytes)
  }

  /// Appends an integer in decimal. Readers that hold integers in 64 bits with a sign refuse one
  /// past `Int64.max`.
  public static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    if value < 10 { return bytes.append(UInt8(ascii: "0") + UInt8(value)) }
    let start = bytes.count
    var rest = value
    while rest > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    }
    bytes[start...].reverse()
  }

  /// Appends the shortest digits that read back as the same double: `1.0`, `0.1`, `1e+20`.
  public static func append(_ value: Double, to bytes: inout [UInt8]) {
    guard value.isFinite else { return append(word: "null", to: &bytes) }
    bytes.append(contentsOf: value.description.utf8)
  }

  /// Appends a string in quotes.
  public static func append(_ value: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var string = value
    string.withUTF8 { utf8 in
      var start = 0
      for index in 0..<utf8.count {
        let byte = unsafe utf8[index]
        if byte >= 0x20, byte != 0x22, byte != 0x5C { continue }
        unsafe bytes.append(contentsOf: utf8[start..<index])
        appendEscape(byte, to: &bytes)
        start = index + 1
      }
      unsafe bytes.append(contentsOf: utf8[start...])
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(0x5C)
    switch byte {
    case 0x22, 0x5C: bytes.append(byte)
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    default:
      append(word: "u00", to: &bytes)
      bytes.append(UInt8(ascii: "0") + byte >> 4)
      let low = byte & 15
      bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
    }
  }

  private static func append(word: String, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: word.utf8)
  }
}
