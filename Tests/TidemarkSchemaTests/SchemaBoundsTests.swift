import Testing
import TidemarkEvents
import TidemarkSchema

/// Texts in schemas, and where the bounds are.
@Suite struct SchemaBoundsTests {
  private static func rules(_ text: String) -> String {
    "type A @model @auth(rules: [\(text)]) { x: Int }"
  }

  private static func group(_ text: String) -> String {
    rules("{ allow: groups, groups: [\(text)] }")
  }

  @Test(arguments: [
    (#""\"\\\/""#, "\"\\/"), (#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t"), (#""\u0041""#, "A"),
    (#""\u{1F600}""#, "\u{1F600}"), (#""é""#, "é"),
  ])
  func `escapes in a text stand for what they say`(source: String, text: String) throws {
    let escaped = try Schema.parse(Self.group(source))
    #expect(escaped.model("A")?.rules.first?.groups == [text])
  }

  @Test(arguments: [#""\x""#, #""\u00""#, #""\u{110000}""#, #""\u0000""#, #""\uD800""#])
  func `an escape that says nothing is refused`(source: String) {
    Self.expect(.invalidEscape, Self.group(source))
  }

  @Test func `a block of text describes a type, whatever quotes it holds`() throws {
    let described = "\"\"\"\nA \"post\", \\\"\"\" even so.\n\"\"\" type A @model { x: Int }"
    #expect(try Schema.parse(described).models.map(\.name) == ["A"])
    Self.expect(.unterminatedString, "\"\"\"never closed type A @model { x: Int }")
    Self.expect(.unexpectedCharacter, "\"a\u{1}b\" type A @model { x: Int }")
  }

  static let mistakes: [(SchemaError.Code, String)] = [
    (.misplacedDirective, "type A @model { x: E } enum E @auth { GOOD }"),
    (.emptyType, "type A @model { x: E } enum E { }"),
    (.misplacedDirective, "type A @model { x: P } type P @deletes(wins: update) { y: Int }"),
    (.notSupported, "type A @model(queries: null) { x: Int }"),
    (.missingArgument, "type A @model @auth { x: Int }"),
    (.missingArgument, rules("{ operations: [read] }")),
    (.wrongArgument, rules("{ allow: groups, groups: [Admins] }")),
    (.notSupported, "type A implements B @model { x: Int }"),
    (
      .duplicateName,
      "input AMPLIFY { globalAuthRule: AuthRule = { allow: public } } "
        + "input AMPLIFY { globalAuthRule: AuthRule = { allow: public } } type A @model { x: Int }"
    ),
  ]

  @Test(arguments: mistakes)
  func `what has no meaning is refused`(code: SchemaError.Code, source: String) {
    Self.expect(code, source)
  }

  @Test func `a name, a type, a schema and its rules have bounds, which they may reach`() throws {
    func model(fields count: Int) -> String {
      "type A @model { " + (0..<count).map { "f\($0): Int" }.joined(separator: " ") + " }"
    }
    func types(_ count: Int) -> String {
      (0..<count).map { "type T\($0) @model { x: Int }" }.joined(separator: "\n")
    }
    func name(_ byteCount: Int) -> String {
      "type \(String(repeating: "N", count: byteCount)) @model { x: Int }"
    }
    func many(_ count: Int) -> String {
      Self.rules(Array(repeating: "{ allow: owner }", count: count).joined(separator: ","))
    }
    for within in [
      model(fields: Schema.fieldCountMax), types(Schema.typeCountMax),
      name(Schema.nameByteCountMax), many(Schema.ruleCountMax),
    ] { _ = try Schema.parse(within) }
    Self.expect(.tooManyFields, model(fields: Schema.fieldCountMax + 1))
    Self.expect(.tooManyTypes, types(Schema.typeCountMax + 1))
    Self.expect(.nameTooLong, name(Schema.nameByteCountMax + 1))
    Self.expect(.tooManyRules, many(Schema.ruleCountMax + 1))
  }

  private static func expect(_ code: SchemaError.Code, _ source: String) {
    do {
      _ = try Schema.parse(source)
      Issue.record("it parses: \(source.prefix(200))")
    } catch {
      #expect(error.code == code, "\(error.message) in \(source.prefix(200))")
    }
  }
}
