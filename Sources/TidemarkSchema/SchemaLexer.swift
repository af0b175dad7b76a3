/// Cuts a schema file into tokens. Comments, commas and white space stand between tokens.
struct SchemaLexer {
  struct Token {
    enum Kind: Hashable {
      case name, string, blockString, number, punctuator, end
    }

    let kind: Kind
    /// A name, a number or a punctuator as written; a string's content, a block string's as written.
    let text: String
    let position: SourcePosition
  }

  private let bytes: [UInt8]
  private var offset = 0
  private var position = SourcePosition()

  /// The bytes must be valid UTF-8.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  mutating func next() throws(SchemaError) -> Token {
    skipIgnored()
    let start = position
    guard let byte = byte() else { return Token(kind: .end, text: "", position: start) }
    switch byte {
    case UInt8(ascii: "\""): return try string(start)
    case let byte where SchemaLexer.startsName(byte): return try name(start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return Token(kind: .number, text: take(while: SchemaLexer.continuesNumber), position: start)
    case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "("),
      UInt8(ascii: ")"), UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "["),
      UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
      advance()
      return Token(
        kind: .punctuator, text: String(Unicode.Scalar(byte)), position: start)
    default:
      throw SchemaError(
        .unexpectedCharacter, start,
        "this character has no meaning here; names are of A–Z, a–z, 0–9 and _")
    }
  }

  /// True where the text is a name as GraphQL has it.
  static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, startsName(first) else { return false }
    return text.utf8.allSatisfy(continuesName)
  }

  private static func startsName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), 0x5F: true
    default: false
    }
  }

  private static func continuesName(_ byte: UInt8) -> Bool {
    startsName(byte) || (0x30...0x39).contains(byte)
  }

  private static func continuesNumber(_ byte: UInt8) -> Bool {
    continuesName(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+")
      || byte == UInt8(ascii: "-")
  }

  private func byte(ahead: Int = 0) -> UInt8? {
    offset + ahead < bytes.count ? bytes[offset + ahead] : nil
  }

  /// Moves on by one byte. A line ends with LF, CR, or both.
  private mutating func advance() {
    guard let byte = byte() else { return }
    offset += 1
    if byte == 0x0A || (byte == 0x0D && self.byte() != 0x0A) {
      position.line += 1
      position.column = 1
    } else if byte & 0xC0 != 0x80, byte != 0x0D {
      position.column += 1
    }
  }

  private mutating func skipIgnored() {
    while let byte = byte() {
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","):
        advance()
      case UInt8(ascii: "#"):
        while let byte = self.byte(), byte != 0x0A, byte != 0x0D { advance() }
      default:
        return
      }
    }
  }

  private mutating func take(while condition: (UInt8) -> Bool) -> String {
    let start = offset
    while let byte = byte(), condition(byte) { advance() }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func name(_ start: SourcePosition) throws(SchemaError) -> Token {
    let text = take(while: SchemaLexer.continuesName)
    guard text.utf8.count <= Schema.nameByteCountMax else {
      throw SchemaError(
        .nameTooLong, start, "a name has at most \(Schema.nameByteCountMax) bytes; shorten it")
    }
    return Token(kind: .name, text: text, position: start)
  }

  private mutating func string(_ start: SourcePosition) throws(SchemaError) -> Token {
    advance()
    if byte() == UInt8(ascii: "\""), byte(ahead: 1) == UInt8(ascii: "\"") {
      return try blockString(start)
    }
    var content: [UInt8] = []
    while let byte = byte(), byte != 0x0A, byte != 0x0D {
      if byte == UInt8(ascii: "\"") {
        advance()
        return Token(
          kind: .string, text: String(decoding: content, as: UTF8.self), position: start)
      }
      if byte == UInt8(ascii: "\\") {
        try escape(into: &content)
      } else if byte < 0x20, byte != 0x09 {
        throw SchemaError(.unexpectedCharacter, position, "write a control character as \\u00XX")
      } else {
        content.append(byte)
        advance()
      }
    }
    throw SchemaError(
      .unterminatedString, start,
      "the string does not end on its line; close it with \", or write \"\"\" for several lines")
  }

  /// Reads from the second quote to the closing three; what stands between is a description.
  private mutating func blockString(_ start: SourcePosition) throws(SchemaError) -> Token {
    advance()
    advance()
    let first = offset
    while byte() != nil {
      if isAtThreeQuotes(ahead: 0) {
        let text = String(decoding: bytes[first..<offset], as: UTF8.self)
        for _ in 0..<3 { advance() }
        return Token(kind: .blockString, text: text, position: start)
      }
      if byte() == UInt8(ascii: "\\"), isAtThreeQuotes(ahead: 1) {
        for _ in 0..<3 { advance() }
      }
      advance()
    }
    throw SchemaError(.unterminatedString, start, "the string does not end; close it with \"\"\"")
  }

  private func isAtThreeQuotes(ahead: Int) -> Bool {
    (0..<3).allSatisfy { byte(ahead: ahead + $0) == UInt8(ascii: "\"") }
  }

  private mutating func escape(into content: inout [UInt8]) throws(SchemaError) {
    let start = position
    advance()
    let escaped = byte()
    if escaped != nil { advance() }
    switch escaped {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      if let escaped { content.append(escaped) }
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      guard let number = scalarNumber(), number != 0, let scalar = Unicode.Scalar(number) else {
        throw SchemaError(
          .invalidEscape, start, "no such character; write \\u and four digits, or \\u{1F600}")
      }
      content.append(contentsOf: String(scalar).utf8)
    default:
      throw SchemaError(
        .invalidEscape, start, "no such escape; write \\\\ for a backslash that stands for itself")
    }
  }

  /// Reads `XXXX` or `{X…}` after `\u`.
  private mutating func scalarNumber() -> UInt32? {
    let isBraced = byte() == UInt8(ascii: "{")
    if isBraced { advance() }
    var number: UInt32 = 0
    var digitCount = 0
    while digitCount < (isBraced ? 6 : 4), let byte = byte(),
      let digit = Character(Unicode.Scalar(byte)).hexDigitValue
    {
      number = number << 4 | UInt32(digit)
      digitCount += 1
      advance()
    }
    guard isBraced else { return digitCount == 4 ? number : nil }
    guard digitCount > 0, byte() == UInt8(ascii: "}") else { return nil }
    advance()
    return number
  }
}
