import Testing
import TidemarkEvents
import TidemarkSchema

@Suite struct CoerceTests {
  static let schema = try? Schema.parse(
    """
    type A @model {
      int: Int float: Float flag: Boolean text: String id2: ID date: AWSDate time: AWSTime
      dateTime: AWSDateTime timestamp: AWSTimestamp email: AWSEmail json: AWSJSON url: AWSURL
      phone: AWSPhone ip: AWSIPAddress mood: Mood place: Place list: [Int!] need: String!
    }
    enum Mood { GOOD BAD }
    type Place { name: String! zip: Int }
    """)

  static let accepted: [(String, Value, Value?)] = [
    ("int", 9_223_372_036_854_775_807, nil), ("int", -9_223_372_036_854_775_808, nil),
    ("float", 1, 1.0), ("float", 0.1, nil), ("flag", true, nil), ("text", "", nil),
    ("text", nil, nil), ("date", "2024-02-29", nil), ("date", "2026-01-31Z", nil),
    ("time", "23:59", nil), ("time", "23:59:59.123456789+02:00", nil),
    ("dateTime", "2026-01-31T00:00:00Z", nil), ("timestamp", -1, nil),
    ("email", "a@example.org", nil), ("json", "{\"a\":[1]}", nil),
    ("url", "https://example.org/a?b#c", nil), ("phone", "+1 555 0100", nil),
    ("ip", "192.0.2.1", nil), ("ip", "192.0.2.0/24", nil), ("ip", "::", nil), ("ip", "::1", nil),
    ("ip", "2001:db8::", nil), ("ip", "1:2:3:4:5:6:7:8", nil), ("ip", "::ffff:192.0.2.1/128", nil),
    ("mood", "GOOD", nil), ("list", [1, 2], nil),
    (
      "place", .object([.init("zip", 1), .init("name", "x")]),
      .object([.init("name", "x"), .init("zip", 1)])
    ),
  ]

  @Test(arguments: accepted)
  func `a value of the type is taken`(field: String, value: Value, stored: Value?) throws {
    let schema = try #require(Self.schema)
    let type = try #require(schema.models[0].field(field)?.type)
    #expect(try schema.coerce(value, to: type, path: field) == stored ?? value)
  }

  static let refused: [(String, Value, ValueError.Code)] = [
    ("int", 1.0, .wrongType), ("int", "1", .wrongType), ("int", true, .wrongType),
    ("float", 9_007_199_254_740_993, .outOfRange), ("float", "1", .wrongType),
    ("flag", 1, .wrongType), ("text", 1, .wrongType), ("text", "a\u{0}b", .badFormat),
    ("date", "2023-02-29", .badFormat), ("date", "2026-1-1", .badFormat),
    ("time", "24:00", .badFormat), ("time", "23:59:59.", .badFormat),
    ("dateTime", "2026-01-31T00:00:00", .badFormat), ("dateTime", "2026-01-31", .badFormat),
    ("timestamp", 1.5, .wrongType), ("email", "a@", .badFormat), ("email", "a@b@c", .badFormat),
    ("json", "{", .badFormat), ("url", "example", .badFormat), ("url", "a b:c", .badFormat),
    ("phone", "12", .badFormat), ("ip", "256.0.0.1", .badFormat), ("ip", "1:2:3", .badFormat),
    ("ip", ":::", .badFormat), ("ip", "1::2::3", .badFormat), ("ip", "192.0.2.0/33", .badFormat),
    ("ip", "1:2:3:4:5:6:7:8:9", .badFormat), ("mood", "OK", .unknownCase),
    ("list", [1, nil], .missingField), ("list", 1, .wrongType), ("need", nil, .missingField),
    ("place", .object([.init("zip", 1)]), .missingField),
    ("place", .object([.init("name", "x"), .init("no", 1)]), .unknownField),
  ]

  @Test(arguments: refused)
  func `a value of another type is refused`(
    field: String, value: Value, code: ValueError.Code
  ) throws {
    let schema = try #require(Self.schema)
    let type = try #require(schema.models[0].field(field)?.type)
    do {
      _ = try schema.coerce(value, to: type, path: field)
      Issue.record("accepted")
    } catch {
      #expect(error.code == code, "\(error)")
      #expect(error.path.hasPrefix(field))
    }
  }

  @Test func `an event from elsewhere is held to the schema`() throws {
    let schema = try #require(Self.schema)
    let need = try #require(schema.models[0].fieldIndex("need"))
    let set = { (field: Int, value: Value) in FieldChange(field: field, operation: .set(value)) }
    try schema.check(kind: .create, modelIndex: 0, changes: [set(need, "x")])
    let hostile: [(EventKind, Int, [FieldChange])] = [
      (.create, 0, []), (.create, 1, []), (.update, 0, [set(99, 1)]), (.update, 0, [set(0, "x")]),
      (.update, 0, [FieldChange(field: 0, operation: .add(1))]), (.delete, 0, [set(0, 1)]),
      (.update, 0, [set(1, 1)]),
    ]
    for (kind, model, changes) in hostile {
      #expect(throws: ValueError.self) {
        try schema.check(kind: kind, modelIndex: model, changes: changes)
      }
    }
  }
}
