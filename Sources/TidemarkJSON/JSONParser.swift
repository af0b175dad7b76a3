import TidemarkEvents

/// One pass over the bytes of one JSON text.
///
/// Invariants: `0 <= position <= count`; `bytes` is read only at offsets below `count`;
/// `depth <= JSONReader.depthMax`, which bounds the recursion.
@safe
struct JSONParser {
  private let bytes: UnsafeRawBufferPointer
  let count: Int
  var position = 0
  private var depth = 0
  let takesAnyNumber: Bool

  /// The bytes must outlive the parser.
  @unsafe
  init(_ bytes: UnsafeRawBufferPointer, takesAnyNumber: Bool = false) {
    unsafe self.bytes = bytes
    count = bytes.count
    self.takesAnyNumber = takesAnyNumber
  }

  mutating func readDocument() throws(JSONError) -> Value {
    if count >= 3, byte(0) == 0xEF, byte(1) == 0xBB, byte(2) == 0xBF {
      throw failure(.byteOrderMark, at: 0, "a byte order mark is not taken; save as plain UTF-8")
    }
    skipWhitespace()
    guard position < count else {
      throw failure(.emptyInput, at: count, "there is no value; write one, such as {}")
    }
    let value = try readValue()
    skipWhitespace()
    guard position == count else {
      throw failure(.trailingBytes, at: position, "the value ends here; remove what follows it")
    }
    return value
  }

  /// The byte at an offset that the caller has compared with `count`.
  @inline(__always)
  func byte(_ offset: Int) -> UInt8 {
    assert(offset >= 0 && offset < count)
    return unsafe bytes[offset]
  }

  /// Eight bytes at once, for offsets up to `count - 8`.
  @inline(__always)
  func word(_ offset: Int) -> UInt64 {
    assert(offset >= 0 && offset <= count - 8)
    return unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  /// The bytes from one offset up to another, which must be valid UTF-8, as a string.
  func string(_ start: Int, _ end: Int) -> String {
    assert(start >= 0 && start <= end && end <= count)
    return unsafe String(decoding: bytes[start..<end], as: UTF8.self)
  }

  func append(_ start: Int, _ end: Int, to buffer: inout [UInt8]) {
    assert(start >= 0 && start <= end && end <= count)
    unsafe buffer.append(contentsOf: bytes[start..<end])
  }

  func failure(_ code: JSONError.Code, at offset: Int, _ message: String) -> JSONError {
    JSONError(code: code, byteOffset: offset, message: message)
  }

  func unexpected(_ wanted: String) -> JSONError {
    position < count
      ? failure(.unexpectedByte, at: position, "\(wanted) is expected here")
      : failure(.unexpectedEnd, at: count, "the text ends where \(wanted) is expected")
  }

  @inline(__always)
  private mutating func skipWhitespace() {
    while position < count {
      switch byte(position) {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func readValue() throws(JSONError) -> Value {
    guard position < count else { throw unexpected("a value") }
    switch byte(position) {
    case UInt8(ascii: "\""): return .string(try readString())
    case UInt8(ascii: "{"): return try readObject()
    case UInt8(ascii: "["): return try readList()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try readNumber()
    case UInt8(ascii: "t"): return try readWord("true", .bool(true))
    case UInt8(ascii: "f"): return try readWord("false", .bool(false))
    case UInt8(ascii: "n"): return try readWord("null", .null)
    default: throw unexpected("a value")
    }
  }

  private mutating func readWord(_ word: String, _ value: Value) throws(JSONError) -> Value {
    for expected in word.utf8 {
      guard position < count else {
        throw failure(.unexpectedEnd, at: count, "the text ends within \(word)")
      }
      guard byte(position) == expected else {
        throw failure(.unexpectedByte, at: position, "\(word) is expected here")
      }
      position += 1
    }
    return value
  }

  private mutating func enter() throws(JSONError) {
    guard depth < JSONReader.depthMax else {
      throw failure(.tooDeep, at: position, "more than \(JSONReader.depthMax) levels are not taken")
    }
    depth += 1
    position += 1
    skipWhitespace()
  }

  private mutating func readList() throws(JSONError) -> Value {
    try enter()
    var values: [Value] = []
    if position < count, byte(position) == UInt8(ascii: "]") {
      leave()
      return .list(values)
    }
    while true {
      values.append(try readValue())
      skipWhitespace()
      guard position < count else { throw unexpected("a comma or ]") }
      switch byte(position) {
      case UInt8(ascii: ","):
        position += 1
        skipWhitespace()
      case UInt8(ascii: "]"):
        leave()
        return .list(values)
      default: throw unexpected("a comma or ]")
      }
    }
  }

  private mutating func readObject() throws(JSONError) -> Value {
    try enter()
    var members: [Value.Member] = []
    var names = NameSet()
    if position < count, byte(position) == UInt8(ascii: "}") {
      leave()
      return .object(members)
    }
    while true {
      guard position < count, byte(position) == UInt8(ascii: "\"") else {
        throw unexpected("a name in quotes")
      }
      let start = position
      let name = try readString()
      guard names.insert(name, among: members) else {
        throw failure(.duplicateKey, at: start, "the name \"\(name)\" stands here a second time")
      }
      skipWhitespace()
      guard position < count, byte(position) == UInt8(ascii: ":") else {
        throw unexpected("a colon")
      }
      position += 1
      skipWhitespace()
      members.append(Value.Member(name, try readValue()))
      skipWhitespace()
      guard position < count else { throw unexpected("a comma or }") }
      switch byte(position) {
      case UInt8(ascii: ","):
        position += 1
        skipWhitespace()
      case UInt8(ascii: "}"):
        leave()
        return .object(members)
      default: throw unexpected("a comma or }")
      }
    }
  }

  private mutating func leave() {
    depth -= 1
    position += 1
  }
}

/// The names of one object: compared one by one while they are few, hashed when they are many.
private struct NameSet {
  /// Beyond so many members a set is faster, and keeps a hostile object from costing O(n²).
  private static let comparedMax = 8

  private struct Name: Hashable {
    let string: String

    static func == (a: Name, b: Name) -> Bool { a.string.hasSameBytes(as: b.string) }
    func hash(into hasher: inout Hasher) { string.hashBytes(into: &hasher) }
  }

  private var hashed: Set<Name> = []

  /// False where the name is among the members already.
  mutating func insert(_ name: String, among members: [Value.Member]) -> Bool {
    if members.count < NameSet.comparedMax {
      // `==` holds whenever the bytes are the same, and is the faster of the two.
      return !members.contains { $0.name == name && $0.name.hasSameBytes(as: name) }
    }
    if hashed.isEmpty {
      for member in members { hashed.insert(Name(string: member.name)) }
    }
    return hashed.insert(Name(string: name)).inserted
  }
}
