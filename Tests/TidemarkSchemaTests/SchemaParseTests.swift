import Testing
import TidemarkEvents
import TidemarkSchema
import TidemarkTesting

@Suite struct SchemaParseTests {
  @Test func `a whole schema is read in order`() throws {
    let schema = try Schema.parse(
      """
      "A post." type Post @model @deletes(wins: update) @auth(rules: [
        { allow: owner, ownerField: "author", identityClaim: "sub" }, # who wrote it
        { allow: groups, groups: ["Admins"], operations: [delete, read] }
        { allow: groups, groupsField: "teams" }
      ]) {
        id: ID!
        title: String!
        likes: Int @merge(as: counter)
        tags: [String!] @merge(as: set)
        mood: Mood @auth(rules: [{ allow: private, operations: [update] }])
        place: Place
      }
      enum Mood { GOOD BAD }
      type Place { name: String! at: [Float] }
      type Tag @model { name: String }
      """)
    #expect(schema.models.map(\.name) == ["Post", "Tag"])
    let post = try #require(schema.model("Post"))
    #expect(
      post.fields.map(\.name) == ["title", "likes", "tags", "mood", "place", "author", "teams"])
    #expect(post.fields.map(\.isImplicit) == [false, false, false, false, false, true, true])
    #expect(post.fields.map(\.merge).prefix(3) == [.register, .counter, .set])
    #expect(post.deletePolicy == .updateWins)
    #expect(post.ownerFields == ["author"])
    #expect(post.rules.count == 3)
    #expect(post.rules[1].operations == AuthRule.Operation.partsOfRead.union([.delete]))
    #expect(post.rules[1].name == "Post.auth[1] allow: groups")
    #expect(post.field("mood")?.rules?.first?.allow == .signedIn)
    #expect(post.field("mood")?.type == .enumeration("Mood"))
    #expect(schema.model("Tag")?.rules == [])
  }

  /// Source, code, line, column.
  static let mistakes: [(String, SchemaError.Code, Int, Int)] = [
    ("", .noModels, 1, 1),
    ("type A { x: Int }", .noModels, 1, 1),
    ("type A @model {}", .emptyType, 1, 6),
    ("type A @model {\n  x: Strin\n}", .unknownType, 2, 6),
    ("type A @model { x: Int x: Int }", .duplicateName, 1, 24),
    ("type A @model { x: Int } enum A { B }", .duplicateName, 1, 31),
    ("type Int @model { x: ID }", .reservedName, 1, 6),
    ("type A @model { id: String x: Int }", .idType, 1, 21),
    ("type A @model { x: Int @merge(as: text) }", .notSupported, 1, 35),
    ("type A @model { x: String @merge(as: counter) }", .wrongMergeType, 1, 38),
    ("type A @model { x: String @merge(as: set) }", .wrongMergeType, 1, 38),
    ("type A @model { x: Int @merge(as: sum) }", .wrongArgument, 1, 35),
    ("type A @model { x: Int @merge }", .missingArgument, 1, 24),
    ("type A @model @deletes(wins: none) { x: Int }", .wrongArgument, 1, 30),
    ("type A @model @modle { x: Int }", .unknownDirective, 1, 15),
    ("type A @model @model { x: Int }", .duplicateDirective, 1, 15),
    (
      "type A @auth(rules: [{allow: owner}]) { x: Int } type B @model { y: Int }",
      .authWithoutModel, 1, 8
    ),
    ("type A @model @auth(rules: []) { x: Int }", .emptyRules, 1, 28),
    ("type A @model @auth(rules: [{allow: all}]) { x: Int }", .wrongArgument, 1, 37),
    (
      "type A @model @auth(rules: [{allow: owner, provider: iam}]) { x: Int }", .providerNotTaken,
      1, 54
    ),
    ("type A @model @auth(rules: [{allow: groups, groups: []}]) { x: Int }", .emptyGroups, 1, 53),
    (
      "type A @model @auth(rules: [{allow: groups, groups: [\"G\"], groupsField: \"g\"}]) { x: Int }",
      .groupsAndGroupsField, 1, 45
    ),
    (
      "type A @model @auth(rules: [{allow: private, identityClaim: \"sub\"}]) { x: Int }",
      .identityClaimWithoutOwner, 1, 46
    ),
    (
      "type A @model @auth(rules: [{allow: owner, groupClaim: \"g\"}]) { x: Int }",
      .groupClaimWithoutGroups, 1, 44
    ),
    (
      "type A @model @auth(rules: [{allow: owner, operations: [read, get]}]) { x: Int }",
      .readAndPartOfRead, 1, 63
    ),
    (
      "type A @model { x: Int @auth(rules: [{allow: owner, operations: [list]}]) }",
      .partOfReadOnField, 1, 66
    ),
    ("type A @model { b: B } type B { c: C } type C { b: B }", .recursiveType, 1, 29),
    ("interface A { x: Int }", .notSupported, 1, 1),
    ("type A @model { x(y: Int): Int }", .notSupported, 1, 18),
    ("type A @model { x: Int @index }", .notSupported, 1, 24),
    ("type A @model { x: }", .unexpectedToken, 1, 20),
    ("type A @model { x: Int", .unexpectedToken, 1, 23),
    ("type A @model { x: Int \"open }", .unterminatedString, 1, 24),
    ("type A @model { é: Int }", .unexpectedCharacter, 1, 17),
  ]

  @Test(arguments: mistakes)
  func `a mistake is refused at its place`(
    source: String, code: SchemaError.Code, line: Int, column: Int
  ) {
    do {
      _ = try Schema.parse(source)
      Issue.record("accepted")
    } catch {
      #expect(error.code == code, "\(error)")
      #expect(error.line == line && error.column == column, "\(error)")
      #expect(!error.message.isEmpty)
    }
  }

  @Test func `changed bytes of a schema never trap`() {
    let source = Array(
      """
      type Post @model @auth(rules: [{ allow: owner, operations: [create, read] }]) {
        id: ID! title: String! tags: [String] @merge(as: set) place: Place }
      enum E { A B } type Place { x: [Float!]! }
      """.utf8)
    var accepted = 0
    for seed in UInt64(1)...3000 {
      var generator = SeededGenerator(seed: seed)
      var bytes = source
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes[place...].prefix(9), at: place)
        }
      }
      if (try? Schema.parse(bytes: bytes)) != nil { accepted += 1 }
    }
    #expect(accepted > 0 && accepted < 3000)
  }

  @Test func `deep and long input is refused in time that its length allows`() {
    let deep = "type A @model { x: " + String(repeating: "[", count: 100_000)
    #expect(throws: SchemaError.self) { try Schema.parse(deep) }
    let long = String(repeating: "#", count: Schema.byteCountMax + 1)
    #expect(throws: SchemaError.self) { try Schema.parse(long) }
  }

  @Test func `a model without rules has those of the whole schema`() throws {
    let schema = try Schema.parse(
      """
      input AMPLIFY { globalAuthRule: AuthRule = { allow: owner, operations: [read, create] } } # all
      type Post @model { title: String }
      type Note @model @auth(rules: [{ allow: public }]) { text: String }
      """)
    #expect(schema.models[0].rules.map(\.name) == ["schema.auth[0] allow: owner"])
    #expect(schema.models[0].field("owner")?.isImplicit == true)
    #expect(schema.models[1].rules.map(\.name) == ["Note.auth[0] allow: public"])
    #expect(schema.defaultRules.count == 1)
  }

  @Test(arguments: [
    ("input Other { a: Int = 1 }", SchemaError.Code.notSupported, 1),
    ("input AMPLIFY { rule: AuthRule = { allow: public } }", .unknownArgument, 17),
    ("input AMPLIFY { globalAuthRule: AuthRule }", .unexpectedToken, 42),
    ("input AMPLIFY { globalAuthRule: AuthRule = { allow: all } }", .wrongArgument, 53),
    ("input AMPLIFY { globalAuthRule: [AuthRule] = [] }", .emptyRules, 46),
  ])
  func `a mistake in the rules of the whole schema is shown`(
    text: String, code: SchemaError.Code, column: Int
  ) {
    let error = #expect(throws: SchemaError.self) {
      try Schema.parse(text + " type Post @model { title: String }")
    }
    #expect(error?.code == code)
    #expect(error?.column == column)
  }
}
