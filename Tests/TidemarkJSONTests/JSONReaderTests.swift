import Testing
import TidemarkEvents
import TidemarkJSON
import TidemarkTesting

@Suite struct JSONReaderTests {
  @Test(arguments: [
    ("null", Value.null), (" true ", true), ("\t\r\nfalse\n", false),
    ("0", 0), ("-0", 0), ("-1", -1), ("42", 42),
    ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
    ("0.0", 0.0), ("-0.0", .double(-0.0)), ("1.0", 1.0), ("1e0", 1.0), ("1E+2", 100.0),
    ("1.5e-3", 0.0015), ("0.1", 0.1), ("123456789.125", 123456789.125), ("1e22", 1e22),
    ("1e23", 1e23), ("1e308", 1e308), ("5e-324", .double(.leastNonzeroMagnitude)), ("1e-400", 0.0),
    ("9007199254740993.0", 9007199254740992.0),
    ("12345678901234567890123.5", 12345678901234567890123.5),
    ("9223372036854775808.0", 9223372036854775808.0), ("0.000000000000000000000000001", 1e-27),
    ("\"\"", ""), ("\"abc\"", "abc"),
    ("\"a longer plain string, of ASCII\"", "a longer plain string, of ASCII"),
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
    (#""\uD83D\uDE00""#, "😀"), (#""x\uDBFF\uDFFF""#, "x\u{10FFFF}"), ("\"é日😀\"", "é日😀"),
    ("[]", .list([])), ("[ ]", .list([])), ("[1,[2],\"3\"]", .list([1, .list([2]), "3"])),
    ("{}", .object([])),
    ("{ \"b\" : 1 , \"a\" : { } }", .object([.init("b", 1), .init("a", .object([]))])),
    // Equal as text, not as bytes: two names.
    ("{\"é\":1,\"e\u{301}\":2}", .object([.init("é", 1), .init("e\u{301}", 2)])),
  ])
  func `a text reads as its value`(text: String, value: Value) throws {
    #expect(try JSONReader.read(text) == value)
  }

  @Test(arguments: [
    ("", JSONError.Code.emptyInput, 0), ("  \n", .emptyInput, 3),
    ("\u{FEFF}1", .byteOrderMark, 0), (" \u{FEFF}1", .unexpectedByte, 1),
    ("x", .unexpectedByte, 0), ("nul", .unexpectedEnd, 3), ("nulx", .unexpectedByte, 3),
    ("NaN", .unexpectedByte, 0), ("Infinity", .unexpectedByte, 0), ("+1", .unexpectedByte, 0),
    ("-", .unexpectedEnd, 1), ("-x", .invalidNumber, 0), ("-Infinity", .invalidNumber, 0),
    ("[01]", .invalidNumber, 1), ("-00", .invalidNumber, 0), (".5", .unexpectedByte, 0),
    ("1.", .unexpectedEnd, 2), ("[1.]", .invalidNumber, 1), ("1e", .unexpectedEnd, 2),
    ("[1e+]", .invalidNumber, 1), ("0x10", .trailingBytes, 1), ("1 2", .trailingBytes, 2),
    ("{}}", .trailingBytes, 2), ("9223372036854775808", .numberOutOfRange, 0),
    ("[ -9223372036854775809]", .numberOutOfRange, 2),
    ("100000000000000000000", .numberOutOfRange, 0),
    ("1e309", .numberOutOfRange, 0), ("[-1e400]", .numberOutOfRange, 1),
    ("1e99999999999999999999", .numberOutOfRange, 0),
    ("\"", .unexpectedEnd, 1), ("\"abc", .unexpectedEnd, 4), ("\"\\", .unexpectedEnd, 2),
    ("\"\\u12", .unexpectedEnd, 5), ("\"a\nb\"", .controlInString, 2),
    ("\"a\u{0}\"", .nulInString, 2),
    (#""a\u0000""#, .nulInString, 2), (#""\x""#, .invalidEscape, 1),
    (#""\u12G4""#, .invalidEscape, 1),
    (#""\uD800""#, .loneSurrogate, 1), (#""a\uDC00""#, .loneSurrogate, 2),
    (#""\uD800\u0041""#, .loneSurrogate, 1), (#""\uD800\uD800""#, .loneSurrogate, 1),
    (#""\uD800\n""#, .loneSurrogate, 1),
    ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2), ("[1,]", .unexpectedByte, 3),
    ("[,1]", .unexpectedByte, 1), ("[1 2]", .unexpectedByte, 3), ("[1}", .unexpectedByte, 2),
    ("{", .unexpectedEnd, 1), ("{\"a\"", .unexpectedEnd, 4), ("{\"a\":", .unexpectedEnd, 5),
    ("{\"a\":1,}", .unexpectedByte, 7), ("{a:1}", .unexpectedByte, 1),
    ("{\"a\" 1}", .unexpectedByte, 5),
    ("{1:2}", .unexpectedByte, 1), ("// no\n1", .unexpectedByte, 0),
    ("{\"a\":1,\"b\":2,\"a\":3}", .duplicateKey, 13), (#"{"a":1,"\u0061":2}"#, .duplicateKey, 7),
    ("[{\"é\":1,\"é\":2}]", .duplicateKey, 9),
  ])
  func `a fault has its code and its place`(text: String, code: JSONError.Code, offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSONReader.read(text) }
    #expect(error?.code == code)
    #expect(error?.byteOffset == offset)
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x9F, 0xBF], [0xE2, 0x82],
      [0xED, 0xA0, 0x80],
      [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
      [0xF0, 0x9F, 0x98, 0x22], [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28],
    ] as [[UInt8]])
  func `bytes that are not UTF-8 are refused at their first`(bytes: [UInt8]) {
    let text = Array("[\"é".utf8) + bytes + Array("\"]".utf8)
    let error = #expect(throws: JSONError.self) { try JSONReader.read(text) }
    #expect(error?.code == .invalidUTF8)
    #expect(error?.byteOffset == 4)
  }

  @Test func `every scalar passes, written plainly and as an escape`() throws {
    for number in UInt32(1)...0x10FFFF {
      guard number < 0x2000 || number % 61 == 0, let scalar = Unicode.Scalar(number) else {
        continue
      }
      let string = String(Character(scalar))
      #expect(try JSONReader.read(JSONWriter.bytes(.string(string))) == .string(string))
    }
  }

  @Test func `lists and objects may be nested to the limit, and no deeper`() throws {
    let limit = JSONReader.depthMax
    let lists = String(repeating: "[", count: limit) + String(repeating: "]", count: limit)
    _ = try JSONReader.read(lists)
    let error = #expect(throws: JSONError.self) { try JSONReader.read("[" + lists + "]") }
    #expect(error?.code == .tooDeep)
    #expect(error?.byteOffset == limit)
    let opened = String(repeating: "{\"a\":", count: 1_000_000)
    #expect(throws: JSONError.self) { try JSONReader.read(opened) }
  }

  @Test func `a number with a fraction may be long to the limit, and no longer`() throws {
    let limit = JSONReader.numberByteCountMax
    let longest = "1." + String(repeating: "0", count: limit - 2)
    #expect(try JSONReader.read(longest) == 1.0)
    let error = #expect(throws: JSONError.self) { try JSONReader.read(longest + "0") }
    #expect(error?.code == .numberOutOfRange)
  }

  @Test func `hostile texts cost time in proportion to their length`() throws {
    let clock = ContinuousClock()
    let names = (0..<200_000).map { "\"k\($0)\":0" }.joined(separator: ",")
    let escapes = "\"" + String(repeating: "\\n", count: 2_000_000) + "\""
    let digits = String(repeating: "7", count: 4_000_000)
    let took = try clock.measure {
      _ = try JSONReader.read("{" + names + "}")
      _ = try JSONReader.read(escapes)
      #expect(throws: JSONError.self) { try JSONReader.read(digits) }
      #expect(throws: JSONError.self) { try JSONReader.read("0." + digits) }
    }
    // Quadratic work on these would take hours.
    #expect(took < .seconds(60))
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `what is written reads back the same`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let value = generator.value()
      let bytes = JSONWriter.bytes(value)
      #expect(try JSONReader.read(bytes) == value, "seed \(seed)")
      #expect(JSONWriter.bytes(try JSONReader.read(bytes)) == bytes, "seed \(seed)")
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `bytes changed at random are read or refused, and never trap`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      var bytes = JSONWriter.bytes(generator.value())
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0...2, using: &generator) {
        case 0 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
        case 1 where place < bytes.count: bytes.removeSubrange(place...)
        default: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: place)
        }
      }
      do {
        let value = try JSONReader.read(bytes)
        #expect(try JSONReader.read(JSONWriter.bytes(value)) == value, "seed \(seed)")
      } catch {
        #expect((0...bytes.count).contains(error.byteOffset), "seed \(seed)")
      }
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `doubles read as the standard library reads them`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<5_000 {
      let whole = generator.next() >> UInt64.random(in: 0...63, using: &generator)
      let fraction = generator.next() >> UInt64.random(in: 0...63, using: &generator)
      let exponent = Int.random(in: -40...40, using: &generator)
      let text = "\(whole).\(fraction)e\(exponent)"
      #expect(try JSONReader.read(text) == Double(text).map(Value.double), "seed \(seed): \(text)")
    }
  }
}
