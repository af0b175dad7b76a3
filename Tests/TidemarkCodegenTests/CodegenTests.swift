import Foundation
import Testing
import TidemarkCodegen
import TidemarkSchema

/// What `tidemark codegen` writes.
@Suite struct CodegenTests {
  static let directory = URL(filePath: #filePath).deletingLastPathComponent()

  static func schema(_ name: String) throws -> String {
    try String(
      contentsOf: directory.appending(path: "Schemas/\(name).graphql"), encoding: .utf8)
  }

  /// These files are compiled into this target. To write them anew:
  /// `tidemark codegen Schemas/Feed.graphql --output Generated/Feed.swift`, and so on, Library with
  /// `--access public`.
  @Test(arguments: [
    ("Feed", SwiftGenerator.Access.internal), ("Forum", .internal), ("Library", .public),
  ])
  func `the code of a schema is that of the file`(
    name: String, access: SwiftGenerator.Access
  ) throws {
    let made = try SwiftGenerator.source(for: Schema.parse(Self.schema(name)), access: access)
    let kept = try String(
      contentsOf: Self.directory.appending(path: "Generated/\(name).swift"), encoding: .utf8)
    #expect(made == kept)
  }

  private func error(_ source: String) throws -> SchemaError? {
    let schema = try Schema.parse(source)
    do {
      _ = try SwiftGenerator.source(for: schema)
      return nil
    } catch {
      return error
    }
  }

  @Test func `names that Swift cannot have are refused with their place`() throws {
    let taken = try error("type Post @model { a: Set }\n\n  type Set { b: Int }")
    #expect(taken?.code == .reservedName)
    #expect(taken.map { [$0.line, $0.column] } == [3, 8])
    let twice = try error("type Post @model {\n  created_at: Int\n  createdAt: Int\n}")
    #expect(twice?.code == .duplicateName)
    #expect(twice.map { [$0.line, $0.column] } == [3, 3])
    let cases = try error("type Post @model { a: E }\nenum E { A_B\n a_b }")
    #expect(cases.map { [$0.line, $0.column] } == [3, 2])
    #expect(try error("type post @model { a: Int }\ntype Post { a: Int }")?.line == 2)
    #expect(try error("type Post @model { ID: Int }")?.code == .duplicateName)
    #expect(try error("type Post @model { id: ID! }") == nil)
  }

  @Test func `names are told apart from what the code says itself`() throws {
    let source = try SwiftGenerator.source(
      for: Schema.parse(
        "type item @model { self: Int, hashValue: Int, _1: Int, URLString: String, encoder: Int }"))
    for line in [
      "struct Item: Record", "static let modelName = \"item\"", "var selfValue: Int64?",
      "var hashValueValue: Int64?", "var _1: Int64?", "var urlString: String?",
      "try encoder.set(4, self.encoder)", "case urlString = \"URLString\"",
    ] {
      #expect(source.contains(line))
    }
  }

  @Test func `relations have names and descriptions of their own`() throws {
    let taken = try error(
      "type A @model { posts: [A] @hasMany(references: [\"x\"]) x: ID Posts: Int }")
    #expect(taken?.code == .duplicateName)
    #expect(taken.map { [$0.line, $0.column] } == [1, 17])
    #expect(try error("type Relations @model { a: Int }")?.code == .reservedName)
    let source = try SwiftGenerator.source(
      for: Schema.parse(
        """
        type post @model { relations: [note] @hasMany "All \\"of\\" them." in: note @hasOne }
        type note @model { x: String @default(value: "a\\n\\"b\\\\") y: Float @default(value: "1e300") }
        """))
    for line in [
      "func relationsValue(in session: Session) throws(StoreError) -> [Note]",
      "  /// All \"of\" them.\n  func `in`(in session: Session) throws(StoreError) -> Note?",
      "RecordRelation<Post, Note?>(\"in\", of: Note.self, key: { $0.postInId })",
      "    x: String? = \"a\\n\\\"b\\\\\",\n    y: Double? = 1e+300,",
    ] {
      #expect(source.contains(line), "\(line)\n\(source)")
    }
  }

  @Test func `descriptions are found wherever they stand`() throws {
    let schema = try Schema.parse(
      """
      input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }
      "A post." type Post @model @auth(rules: [{ allow: owner, ownerField: "writer" }]) {
        title: String! @auth(rules: [{ allow: private, operations: [read] }])
        \"""
          First.

            Second, \\\""".
        \"""
        mood: Mood
      }
      enum Mood { "Good.\\nfatalError()\\r\\n" good bad }
      """)
    let outline = try SchemaOutline(schema)
    #expect(outline["Post"]?.description == ["A post."])
    #expect(outline["Post", "title"]?.description == [])
    #expect(outline["Post", "mood"]?.description == ["First.", "", "  Second, \"\"\"."])
    #expect(outline["Mood", "good"]?.description == ["Good.", "fatalError()"])
    let source = try SwiftGenerator.source(for: schema)
    #expect(source.contains("  /// Good.\n  /// fatalError()\n  case good\n"))
    #expect(source.contains("  ///   Second, "))
    #expect(outline["Mood", "bad"].map { [$0.line, $0.column] } == [11, 44])
    #expect(outline["Post", "writer"] == nil)
    #expect(outline["Post", "rules"] == nil)
  }
}
