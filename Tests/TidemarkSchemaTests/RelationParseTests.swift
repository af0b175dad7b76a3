import Testing
import TidemarkEvents
import TidemarkSchema
import TidemarkTesting

/// `@hasOne`, `@hasMany`, `@belongsTo`, `@manyToMany` and `@default`.
@Suite struct RelationParseTests {
  /// A schema; `Model.relation: key` of each; `Model.key: target rule` of each key.
  static let forms: [(String, [String], [String])] = [
    (
      "type Post @model { comments: [Comment] @hasMany } type Comment @model { text: String }",
      ["Post.comments: target Comment postCommentsId"], ["Comment.postCommentsId: Post KEEP"]
    ),
    (
      """
      type Post @model { comments: [Comment!]! @hasMany(onDelete: CASCADE) }
      type Comment @model { post: Post! @belongsTo }
      """,
      ["Post.comments: target Comment postCommentsId", "Comment.post: own Post postCommentsId"],
      ["Comment.postCommentsId!: Post CASCADE"]
    ),
    (
      """
      type Post @model { comments: [Comment] @hasMany(fields: ["id"], references: ["postID"]) }
      type Comment @model { postID: ID post: Post @belongsTo(fields: "postID", onDelete: NULLIFY) }
      """,
      ["Post.comments: target Comment postID", "Comment.post: own Post postID"],
      ["Comment.postID: Post NULLIFY"]
    ),
    (
      """
      type Post @model { comments: [Comment] @hasMany(references: ["postID"]) }
      type Comment @model { postID: ID! post: Post @belongsTo }
      """,
      ["Post.comments: target Comment postID", "Comment.post: own Post postID"],
      ["Comment.postID!: Post KEEP"]
    ),
    (
      // As Amplify has it, each side of these has a key of its own.
      """
      type Project @model { team: Team @hasOne }
      type Team @model { project: Project! @belongsTo(onDelete: DENY) }
      """,
      ["Project.team: own Team projectTeamId", "Team.project: own Project teamProjectId"],
      ["Project.projectTeamId: Team KEEP", "Team.teamProjectId!: Project DENY"]
    ),
    (
      """
      type Project @model { teamID: ID team: Team @hasOne(fields: ["teamID"]) }
      type Team @model { name: String }
      """,
      ["Project.team: own Team teamID"], ["Project.teamID: Team KEEP"]
    ),
    (
      """
      type Customer @model { cart: Cart @hasOne(references: ["customerId"], onDelete: CASCADE) }
      type Cart @model { customerId: ID customer: Customer @belongsTo(references: ["customerId"]) }
      """,
      ["Customer.cart: target Cart customerId", "Cart.customer: own Customer customerId"],
      ["Cart.customerId: Customer CASCADE"]
    ),
    (
      "type Folder @model { inside: Folder @belongsTo within: [Folder] @hasMany(onDelete: CASCADE) }",
      ["Folder.inside: own Folder folderWithinId", "Folder.within: target Folder folderWithinId"],
      ["Folder.folderWithinId: Folder CASCADE"]
    ),
    (
      // Two relations between two models, by keys that are given.
      """
      type User @model {
        posts: [Post] @hasMany(references: ["authorId"])
        edits: [Post] @hasMany(references: ["editorId"])
      }
      type Post @model {
        authorId: ID editorId: ID
        author: User @belongsTo(fields: ["authorId"])
        editor: User @belongsTo(fields: ["editorId"])
      }
      """,
      [
        "User.posts: target Post authorId", "User.edits: target Post editorId",
        "Post.author: own User authorId", "Post.editor: own User editorId",
      ], ["Post.authorId: User KEEP", "Post.editorId: User KEEP"]
    ),
    (
      """
      type BlogPost @model { tags: [Tag] @manyToMany(relationName: "PostTags", onDelete: DENY) }
      type Tag @model { posts: [BlogPost] @manyToMany(relationName: "PostTags") }
      """,
      [
        "BlogPost.tags: PostTags Tag blogPostId tagId",
        "Tag.posts: PostTags BlogPost tagId blogPostId",
        "PostTags.blogPost: own BlogPost blogPostId",
        "PostTags.tag: own Tag tagId",
      ], ["PostTags.blogPostId!: BlogPost DENY", "PostTags.tagId!: Tag CASCADE"]
    ),
  ]

  @Test(arguments: forms)
  func `each relation has its key`(source: String, relations: [String], keys: [String]) throws {
    let schema = try Schema.parse(source)
    let shown = schema.models.flatMap { model in
      model.relations.map { relation in
        let key =
          switch relation.key {
          case .own(let key): "own \(relation.target) \(key)"
          case .target(let key): "target \(relation.target) \(key)"
          case .join(let join, let own, let target): "\(join) \(relation.target) \(own) \(target)"
          }
        return "\(model.name).\(relation.name): \(key)"
      }
    }
    #expect(shown == relations)
    let references = try schema.references.map { reference in
      let model = try #require(schema.model(reference.model))
      let field = try #require(model.field(reference.key))
      #expect(field.type.unwrapped == .scalar(.id))
      let mark = field.type.isRequired ? "!" : ""
      return
        "\(reference.model).\(reference.key)\(mark): \(reference.target) \(reference.onDelete.rawValue)"
    }
    #expect(references == keys)
    for model in schema.models {
      for relation in model.relations { #expect(model.field(relation.name) == nil) }
    }
  }

  /// Source, code, line, column.
  static let mistakes: [(String, SchemaError.Code, Int, Int)] = [
    ("type A @model { b: B } type B @model { x: Int }", .missingRelation, 1, 20),
    ("type A @model { b: C @belongsTo }", .unknownType, 1, 20),
    ("type A @model { b: Int @belongsTo }", .relationTarget, 1, 20),
    ("type A @model { b: B @hasOne } type B { x: Int }", .relationTarget, 1, 20),
    ("type A @model { b: [A] @belongsTo }", .relationType, 1, 20),
    ("type A @model { b: A @hasMany }", .relationType, 1, 20),
    ("type A @model { b: [[A]] @hasMany }", .relationType, 1, 20),
    ("type A @model { id: A @belongsTo }", .idType, 1, 21),
    ("type A @model { b: A @belongsTo @hasOne }", .duplicateDirective, 1, 33),
    ("type A @model { b: A @belongsTo @merge(as: register) }", .misplacedDirective, 1, 33),
    (
      "type A @model { b: A @belongsTo @auth(rules: [{allow: owner}]) }", .misplacedDirective, 1, 33
    ),
    ("type A @model @hasMany { x: Int }", .misplacedDirective, 1, 15),
    ("type A @model { b: B } type B { a: A @belongsTo }", .misplacedDirective, 1, 38),
    ("type A @model { b: [A] @hasMany(limit: 5) }", .unknownArgument, 1, 33),
    ("type A @model { b: A @belongsTo(fields: [\"bId\"]) }", .relationKey, 1, 42),
    ("type A @model { bId: Int b: A @belongsTo(fields: [\"bId\"]) }", .relationKey, 1, 51),
    ("type A @model { bId: [ID] b: A @belongsTo(fields: [\"bId\"]) }", .relationKey, 1, 52),
    ("type A @model { b: A @belongsTo(fields: [\"id\"]) }", .relationKey, 1, 42),
    ("type A @model { x: ID b: A @belongsTo(fields: [\"x\", \"y\"]) }", .wrongArgument, 1, 47),
    (
      "type A @model { x: ID b: A @belongsTo(fields: [\"x\"], references: [\"x\"]) }",
      .wrongArgument,
      1, 54
    ),
    ("type A @model { x: ID b: [A] @hasMany(fields: [\"x\"]) }", .wrongArgument, 1, 47),
    ("type A @model { b: [A] @hasMany(indexName: \"byA\") }", .relationKey, 1, 44),
    ("type A @model { b: [A] @hasMany aBId: Int }", .relationKey, 1, 39),
    ("type A @model { b: A @belongsTo(onDelete: DROP) }", .wrongArgument, 1, 43),
    ("type A @model { b: A! @belongsTo(onDelete: NULLIFY) }", .wrongArgument, 1, 44),
    ("type A @model { b: A @hasOne(onDelete: CASCADE) }", .wrongArgument, 1, 30),
    (
      """
      type A @model { b: [B] @hasMany(onDelete: CASCADE) }
      type B @model { a: A @belongsTo(onDelete: DENY) }
      """, .relationsDisagree, 2, 43
    ),
    (
      """
      type A @model { c: [C] @hasMany(references: ["x"]) }
      type B @model { c: [C] @hasMany(references: ["x"]) }
      type C @model { x: ID }
      """, .relationsDisagree, 2, 24
    ),
    (
      """
      type A @model { b: [B] @hasMany }
      type B @model { x: ID a: A @belongsTo(fields: ["x"]) }
      """, .ambiguousRelation, 1, 24
    ),
    (
      """
      type A @model { b: [B] @hasMany c: [B] @hasMany }
      type B @model { a: A @belongsTo }
      """, .ambiguousRelation, 2, 22
    ),
    (
      """
      type A @model { b: [B] @hasMany }
      type B @model { a: A @belongsTo c: A @belongsTo }
      """, .ambiguousRelation, 2, 22
    ),
    (
      """
      type A @model { b: B! @belongsTo(onDelete: CASCADE) }
      type B @model { c: C! @belongsTo(onDelete: CASCADE) }
      type C @model { a: A! @belongsTo(onDelete: CASCADE) }
      """, .requiredCycle, 3, 23
    ),
    ("type A @model { b: A! @belongsTo(onDelete: CASCADE) }", .requiredCycle, 1, 23),
    ("type A @model { b: [A] @manyToMany }", .missingArgument, 1, 24),
    ("type A @model { b: [A] @manyToMany(relationName: \"A B\") }", .wrongArgument, 1, 50),
    ("type A @model { b: [A] @manyToMany(relationName: \"X\") }", .relationsDisagree, 1, 24),
    (
      "type A @model { b: [A] @manyToMany(relationName: \"X\") c: [A] @manyToMany(relationName: \"X\") }",
      .relationTarget, 1, 59
    ),
    (
      """
      type A @model { b: [B] @manyToMany(relationName: "X") }
      type B @model { c: [C] @manyToMany(relationName: "X") }
      type C @model { x: Int }
      """, .relationsDisagree, 2, 21
    ),
    (
      """
      type A @model { b: [B] @manyToMany(relationName: "E") }
      type B @model { a: [A] @manyToMany(relationName: "E") }
      enum E { X }
      """, .duplicateName, 1, 24
    ),
    (
      """
      type A @model { b: [B] @manyToMany(relationName: "X", onDelete: NULLIFY) }
      type B @model { a: [A] @manyToMany(relationName: "X") }
      """, .wrongArgument, 1, 65
    ),
    (
      "type A @model @auth(rules: [{allow: owner, ownerField: \"b\"}]) { b: A @belongsTo }",
      .ownerFieldType, 1, 65
    ),
    ("type A @model { x: Int @default(value: \"a\") }", .wrongDefault, 1, 40),
    ("type A @model { x: Int @default(value: [1]) }", .wrongDefault, 1, 40),
    ("type A @model { x: Int @default }", .missingArgument, 1, 24),
    ("type A @model { x: Int @default(value: null) }", .wrongDefault, 1, 40),
    ("type A @model { x: [Int] @default(value: \"1\") }", .wrongDefault, 1, 26),
    ("type A @model { x: Int @default(value: \"1\") @merge(as: counter) }", .wrongDefault, 1, 24),
    ("type A @model { x: E @default(value: \"b\") } enum E { a }", .wrongDefault, 1, 38),
    ("type A @model { x: AWSDate @default(value: \"today\") }", .wrongDefault, 1, 44),
    ("type A @model { id: ID! @default(value: \"1\") x: Int }", .misplacedDirective, 1, 25),
    ("type A @model { x: B } type B { y: Int @default(value: \"1\") }", .misplacedDirective, 1, 40),
    (
      "type A @model @auth(rules: [{allow: owner}]) { owner: String @default(value: \"ann\") }",
      .wrongDefault, 1, 62
    ),
    (
      "type A @model { x: ID @default(value: \"a\") b: A @belongsTo(fields: [\"x\"]) }",
      .wrongDefault, 1, 23
    ),
  ]

  @Test(arguments: mistakes)
  func `a mistake is refused at its place, with what to write`(
    source: String, code: SchemaError.Code, line: Int, column: Int
  ) {
    do {
      _ = try Schema.parse(source)
      Issue.record("accepted")
    } catch {
      #expect(error.code == code, "\(error)")
      #expect(error.line == line && error.column == column, "\(error)")
      #expect(error.message.count > 20)
    }
  }

  @Test func `a key follows its model and its relation when they are renamed`() throws {
    let first = try Schema.parse(
      """
      type Post @model { comments: [Comment] @hasMany tags: [Tag] @manyToMany(relationName: "PT") }
      type Comment @model { text: String }
      type Tag @model { posts: [Post] @manyToMany(relationName: "PT") }
      """)
    let second = try Schema.parse(
      """
      type Article @model @renamed(from: "Post") {
        replies: [Comment] @hasMany @renamed(from: "comments")
        tags: [Tag] @manyToMany(relationName: "PT")
      }
      type Comment @model { text: String }
      type Tag @model { posts: [Article] @manyToMany(relationName: "PT") }
      """)
    #expect(
      second.model("Comment")?.field("articleRepliesId")?.earlierNames == [
        "articleCommentsId", "postRepliesId", "postCommentsId",
      ])
    let changes = first.changes(to: second)
    #expect(
      changes.filter { $0.code == .fieldRenamed }.map { "\($0.model).\($0.field ?? "")" } == [
        "Comment.postCommentsId", "PT.postId",
      ])
    #expect(!changes.contains { $0.code == .fieldRemoved || $0.code == .requiredFieldAdded })
  }

  @Test func `a join model has the rules of both, each once, or those that it declares`() throws {
    let made = try Schema.parse(
      """
      input AMPLIFY { globalAuthRule: AuthRule = { allow: private } }
      type Post @model @auth(rules: [{ allow: owner }, { allow: private }]) {
        tags: [Tag] @manyToMany(relationName: "PostTags")
      }
      type Tag @model { posts: [Post] @manyToMany(relationName: "PostTags") }
      """)
    let join = try #require(made.model("PostTags"))
    #expect(
      join.rules.map(\.name) == [
        "PostTags.auth[0] allow: owner", "PostTags.auth[1] allow: private",
      ])
    #expect(join.fields.map(\.name) == ["postId", "tagId", "owner"])
    let declared = try Schema.parse(
      """
      type PostTags @model @auth(rules: [{ allow: public }]) { tagId: ID! since: AWSDate }
      type Post @model { tags: [Tag] @manyToMany(relationName: "PostTags") }
      type Tag @model { posts: [Post] @manyToMany(relationName: "PostTags") }
      """)
    #expect(declared.models.map(\.name) == ["PostTags", "Post", "Tag"])
    #expect(declared.models[0].fields.map(\.name) == ["tagId", "since", "postId"])
    #expect(declared.models[0].rules.map(\.name) == ["PostTags.auth[0] allow: public"])
    #expect(declared.models[0].relations.map(\.name) == ["post", "tag"])
  }

  @Test func `changed bytes of relations never trap`() {
    let source = Array(
      """
      type Post @model { comments: [Comment] @hasMany(onDelete: CASCADE) tags: [Tag] @manyToMany(relationName: "PT")
        author: User @belongsTo(fields: ["by"]) by: ID cover: Image @hasOne }
      type Comment @model { post: Post! @belongsTo mood: Mood! @default(value: "good") n: Int @default(value: "1") }
      type Tag @model { posts: [Post] @manyToMany(relationName: "PT", onDelete: KEEP) }
      type User @model { posts: [Post] @hasMany(references: ["by"], onDelete: NULLIFY) }
      type Image @model { of: Post @belongsTo } enum Mood { good bad }
      """.utf8)
    #expect(throws: Never.self) { try Schema.parse(bytes: source) }
    var accepted = 0
    for seed in UInt64(1)...3000 {
      var generator = SeededGenerator(seed: seed)
      var bytes = source
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[place] = bytes.randomElement(using: &generator) ?? 0
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes[place...].prefix(9), at: place)
        }
      }
      guard let schema = try? Schema.parse(bytes: bytes) else { continue }
      accepted += 1
      // What is said of keys is true of the models.
      for reference in schema.references {
        let type = schema.model(reference.model)?.field(reference.key)?.type
        #expect(type?.unwrapped == .scalar(.id), "seed \(seed)")
        #expect(schema.model(reference.target) != nil, "seed \(seed)")
        #expect(reference.onDelete != .nullify || type?.isRequired == false, "seed \(seed)")
      }
    }
    #expect(accepted > 0 && accepted < 3000)
  }

  @Test func `a schema has a bounded number of relations, which it may reach`() throws {
    func source(_ count: Int) -> String {
      let names = (0..<Schema.typeCountMax).map { "M\($0)" }
      var left = count
      return names.map { name in
        let fields = (0..<min(left, 3)).map { "r\($0): \(name) @hasOne" }
        left -= fields.count
        return "type \(name) @model { x: Int \(fields.joined(separator: " ")) }"
      }.joined(separator: "\n")
    }
    let whole = try Schema.parse(source(Schema.relationCountMax))
    #expect(whole.references.count == Schema.relationCountMax)
    let error = #expect(throws: SchemaError.self) {
      try Schema.parse(source(Schema.relationCountMax + 1))
    }
    #expect(error?.code == .tooManyRelations)
  }

  @Test func `a default is a value of its field's type`() throws {
    let schema = try Schema.parse(
      """
      type A @model {
        s: String! @default(value: "draft") i: Int @default(value: "-3") f: Float @default(value: 0.5)
        b: Boolean! @default(value: true) e: E @default(value: "second") t: AWSDate @default(value: "2026-01-31")
      }
      enum E { first second }
      """)
    let fields = schema.models[0].fields
    #expect(
      fields.map(\.defaultValue) == [
        "draft", .int(-3), .double(0.5), .bool(true), "second", "2026-01-31",
      ])
    #expect(!fields.contains { $0.isGivenOnCreate })
    let before = try Schema.parse("type A @model { s: String! @default(value: \"new\") }")
    let changes = before.changes(to: schema)
    #expect(changes.first?.code == .defaultChanged)
    #expect(!changes.contains { $0.code == .requiredFieldAdded })
  }
}
