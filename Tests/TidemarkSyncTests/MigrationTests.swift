import Testing
import Tidemark
import TidemarkEvents
import TidemarkSchema
import TidemarkSync
import TidemarkTesting

/// What stores do with the versions of an app's schema.
@Suite struct MigrationTests {
  private static let first = """
    type Person @model @auth(rules: [{ allow: public }]) {
      name: String!
      age: String
      tags: [String] @merge(as: set)
    }
    """
  private static let renamed = first.replacing(
    "name: String!", with: #"fullName: String! @renamed(from: "name")"#)

  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private var path: String { directory.path + "/people" }

  private func open(
    _ migrations: [Migration], acceptance: AcceptanceMode = .enforce
  ) throws -> Store {
    try Store.open(at: path, migrations: migrations, acceptance: acceptance)
  }

  private func person(_ id: RecordID, _ fields: [String: Value]) -> Tidemark.Operation {
    Operation(.create, "Person", id, fields.map { .init($0.key, .set($0.value)) })
  }

  private func check(_ stores: Store...) throws {
    for store in stores {
      #expect(try store.verify().problems == [])
      #expect(try store.digest() == stores[0].digest())
    }
  }

  @Test func `a renamed field keeps what it holds, also of events that come later`() throws {
    let store = try open([Migration(schema: Self.first)])
    let late = try Store.create(at: directory.path + "/late", schema: Self.first)
    _ = try store.submit([person("p1", ["name": "Ann"])])
    _ = try late.submit([person("p2", ["name": "Bob"])])
    try store.adopt(schema: Self.renamed)
    #expect(try store.record("Person", "p1")?.fields == [.init("fullName", "Ann")])
    _ = try store.submit([
      Operation(.update, "Person", "p1", [.init("fullName", .set("Ann B"))])
    ])
    #expect(
      try store.history("Person", "p1").flatMap(\.changes).map(\.field) == ["fullName", "fullName"])

    // One that has the new schema from the start, and meets the old one in events.
    let cloud = try Store.create(
      at: directory.path + "/cloud", schema: Self.renamed, role: .authority)
    for device in [store, late] { _ = try Replication.sync(device, cloud) }
    _ = try Replication.sync(store, cloud)
    #expect(try cloud.record("Person", "p1")?["fullName"] == "Ann B")
    #expect(try cloud.record("Person", "p2")?["fullName"] == "Bob")
    try check(cloud, store)
    // One that does not know the new schema yet shows what it knows, under its own names.
    _ = try Replication.sync(late, cloud)
    #expect(try late.record("Person", "p1")?.fields == [.init("name", "Ann B")])
    try late.adopt(schema: Self.renamed)
    try check(cloud, late)
  }

  @Test func `a renamed model keeps its records`() throws {
    let store = try open([Migration(schema: Self.first)])
    let dots = try store.submit([person("p1", ["name": "Ann"])]).dots
    let next = Self.first.replacing(
      "type Person @model", with: #"type Human @model @renamed(from: ["Being", "Person"])"#)
    let adoption = try store.adopt(schema: next)
    #expect(adoption.changes.map(\.code) == [.modelRenamed, .rulesChanged])
    #expect(try store.record("Human", "p1")?["name"] == "Ann")
    #expect(throws: StoreError.self) { try store.record("Person", "p1") }
    #expect(try store.explain(dots[0]).effect == .live)
    #expect(try store.history("Human", "p1", as: .anonymous).count == 1)
    var query = LogQuery()
    query.model = "Human"
    var dotsFound: [Dot] = []
    try store.forEachLogLine(query) {
      dotsFound.append($0.dot)
      return true
    }
    #expect(dotsFound == dots)
    try check(store)
  }

  @Test func `names that belong to two are refused, and nothing changes`() throws {
    let store = try open([Migration(schema: Self.first)])
    try store.adopt(schema: Self.renamed)
    let before = try store.identity
    for candidate in [
      // What was one would be two.
      Self.renamed.replacing("age: String", with: "name: String"),
      Self.first.replacing("age: String", with: "fullName: String"),
    ] {
      let error = #expect(throws: StoreError.self) { try store.adopt(schema: candidate) }
      #expect(error?.code == .schema)
      #expect(try store.identity == before)
    }
    // Two that were two would be one.
    let error = #expect(throws: StoreError.self) {
      try store.adopt(
        schema: Self.renamed.replacing("age: String", with: #"age: String @renamed(from: "name")"#))
    }
    #expect(error?.code == .schema)
  }

  @Test(
    arguments: [
      // As it was declared and written; as it is declared then and shown.
      ("Int", 7, "String", "7"), ("String", "7", "Int", 7), ("String", "seven", "Int", .null),
      ("String", "1.5", "Float", 1.5), ("Float", 2.0, "Int", 2), ("Float", 2.5, "Int", .null),
      ("Boolean", true, "Int", 1), ("Int", 0, "Boolean", false),
      ("String", "true", "Boolean", true),
      ("String", "RED", "Colour", "RED"), ("String", "PINK", "Colour", .null),
      ("Colour", "RED", "String", "RED"), ("String", "a", "[String]", ["a"]),
      ("[String]", ["a"], "String", "a"), ("[String]", ["a", "b"], "String", .null),
      ("[String!]", ["1", "x", "3"], "[Int!]", [1, 3]),
      ("String", "2026-01-31", "AWSDate", "2026-01-31"), ("String", "soon", "AWSDate", .null),
      ("Float", 1e300, "Int", .null), ("String", "9223372036854775808", "Int", .null),
    ] as [(String, Value, String, Value)])
  func `a type may change: values are shown converted, and come back with it`(
    _ before: String, _ written: Value, _ after: String, _ shown: Value
  ) throws {
    func schema(_ type: String) -> String {
      "enum Colour { RED GREEN }\n"
        + "type Thing @model @auth(rules: [{ allow: public }]) { it: \(type), other: Int }"
    }
    let store = try open([Migration(schema: schema(before))])
    _ = try store.submit([Operation(.create, "Thing", "t1", [.init("it", .set(written))])])
    let adoption = try store.adopt(schema: schema(after))
    #expect(adoption.changes.map(\.code) == (adoption.refoldedCount == 0 ? [] : [.typeConverted]))
    let found = try store.record("Thing", "t1")?["it"]
    #expect(found == shown)
    _ = try store.submit([Operation(.update, "Thing", "t1", [.init("other", .set(1))])])
    #expect(try store.record("Thing", "t1")?["it"] == shown)
    try check(store)
    try store.adopt(schema: schema(before))
    #expect(try store.record("Thing", "t1")?["it"] == written)
    try check(store)
  }

  @Test func `pending events survive a change of types and names, and are accepted after it`()
    throws
  {
    let device = try open([Migration(schema: Self.first)], acceptance: .optimistic)
    let cloud = try Store.create(
      at: directory.path + "/cloud", schema: Self.first, role: .authority)
    _ = try device.submit([person("p1", ["name": "Ann", "age": "7"])])
    let next = Self.renamed.replacing("age: String", with: "age: Int")
    try cloud.adopt(schema: next)
    try device.adopt(schema: next)
    #expect(
      try device.record("Person", "p1")?.fields == [
        .init("fullName", "Ann"), .init("age", 7),
      ])
    let summary = try Replication.sync(device, cloud)
    #expect(summary.toRight.rejectedCount == 0)
    try check(cloud, device)
    #expect(try cloud.record("Person", "p1")?["age"] == 7)
  }

  @Test func `an app's versions are gone through in order, with what they write`() throws {
    let second = Self.first.replacing("age: String", with: "age: String\n  initial: String")
    let third = second.replacing("initial: String", with: "initial: String\n  letters: Int")
    _ = try open([Migration(schema: Self.first)]).submit([
      person("p1", ["name": "Ann"]), person("p2", ["name": "Bob"]),
    ])
    let migrations = [
      Migration(schema: Self.first),
      Migration(schema: second, as: .anonymous) { migration in
        for person in try migration.records(of: "Person") {
          #expect(person["initial"] == nil)
          let name = person["name"]?.stringValue ?? ""
          migration.update("Person", person.id, ["initial": .string(String(name.prefix(1)))])
        }
      },
      Migration(schema: third, as: .anonymous) { migration in
        for person in try migration.records(of: "Person") {
          #expect(person["initial"]?.stringValue?.count == 1)
          migration.update("Person", person.id, ["letters": 3])
        }
      },
    ]
    for _ in 0..<2 {
      let store = try open(migrations)
      #expect(try store.record("Person", "p2")?["initial"] == "B")
      #expect(try store.record("Person", "p2")?["letters"] == 3)
      #expect(try store.vector.entries.map(\.seq) == [6])
      try check(store)
      store.close()
    }
    // An app that is older than the store.
    let error = #expect(throws: StoreError.self) {
      try open(Array(migrations[..<2]))
    }
    #expect(error?.code == .newerSchema)
    // One whose versions the store is none of.
    let stranger = #expect(throws: StoreError.self) {
      try open([Migration(schema: Self.renamed), Migration(schema: Self.renamed + "\n")])
    }
    #expect(stranger?.code == .schema)
  }

  @Test func `a migration that throws half way, or may not write, leaves the store as it was`()
    throws
  {
    struct Interrupted: Error {}
    _ = try open([Migration(schema: Self.first)]).submit([person("p1", ["name": "Ann"])])
    let before = try Store.open(at: path).digest()
    let second = Self.first.replacing(
      "age: String", with: "age: String @auth(rules: [{ allow: groups, groups: [\"Doctors\"] }])")
    let bodies: [@Sendable (inout MigrationTransaction) throws -> Void] = [
      { migration in
        migration.update("Person", "p1", ["name": "Eve"])
        throw Interrupted()
      },
      { migration in
        migration.update("Person", "p1", ["name": "Eve"])
        migration.update("Person", "p1", ["age": "8"])
      },
      { $0.update("Person", "p1", ["weight": 3]) },
    ]
    for (body, code) in zip(bodies, [.callback, .invalid, .invalid] as [StoreError.Code]) {
      let error = #expect(throws: StoreError.self) {
        try open([Migration(schema: Self.first), Migration(schema: second, as: .anonymous, body)])
      }
      #expect(error?.code == code)
      let store = try Store.open(at: path)
      #expect(try store.digest() == before)
      #expect(try store.identity.schema == SchemaVersion(source: Self.first))
      try check(store)
    }
  }

  @Test func `who opens at once migrates once`() async throws {
    let second = Self.first.replacing(
      "age: String", with: "age: String\n  visits: Int @merge(as: counter)")
    _ = try open([Migration(schema: Self.first)]).submit([person("p1", ["name": "Ann"])])
    let path = path
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let store = try Store.open(
            at: path,
            migrations: [
              Migration(schema: Self.first),
              Migration(schema: second, as: .anonymous) {
                $0.write(Operation(.update, "Person", "p1", [.init("visits", .add(1))]))
              },
            ])
          #expect(try store.record("Person", "p1")?["visits"] == 1)
        }
      }
      try await group.waitForAll()
    }
    try check(Store.open(at: path))
  }

  @Test func `a store that is older than a peer keeps and forwards what it does not know`() throws {
    let newer = Self.first + "\ntype Pet @model @auth(rules: [{ allow: public }]) { name: String }"
    let old = try open([Migration(schema: Self.first)])
    let (cloud, other) = try (
      Store.create(at: directory.path + "/cloud", schema: newer, role: .authority),
      Store.create(at: directory.path + "/other", schema: newer)
    )
    _ = try cloud.submit([
      Operation(.create, "Pet", "x1", [.init("name", .set("Rex"))])
    ])
    _ = try Replication.sync(old, cloud)
    #expect(throws: StoreError.self) { _ = try old.submit([Operation(.create, "Pet", "x2")]) }
    _ = try Replication.sync(other, old)
    #expect(try other.record("Pet", "x1")?["name"] == "Rex")
    try old.adopt(schema: newer)
    #expect(try old.record("Pet", "x1")?["name"] == "Rex")
    try check(cloud, other, old)
  }
}
