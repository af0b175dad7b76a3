import Testing
import Tidemark
import TidemarkEvents
import TidemarkTesting

/// Records as Swift types, written by hand.
@Suite struct RecordTests {
  static let schema = """
    type Note @model @auth(rules: [{ allow: owner }]) {
      text: String!
      owner: String
      stars: Int @merge(as: counter)
      tags: [String] @merge(as: set)
    }
    """

  struct Note: Record, Equatable {
    static let modelName = "Note"
    static let fieldNames = ["text", "stars", "tags"]
    var id: RecordID
    var text: String
    var stars: Int64 = 0
    var tags: Set<String> = []
  }

  /// A type of a model that no schema here has.
  struct Stranger: Record {
    static let modelName = "Stranger"
    static let fieldNames: [String] = []
    var id: RecordID
    init(from decoder: borrowing RecordDecoder) throws(StoreError) { id = decoder.id }
    func encode(into encoder: inout RecordEncoder) throws(StoreError) {}
  }

  let store: Store
  let session: Session

  init() throws {
    store = try Store.inMemory(schema: Self.schema)
    session = store.session(as: .user("ann"))
  }

  /// What the last event changed, by name.
  private func lastChanges() throws -> [String: FieldOperation] {
    let history = try store.history("Note", "n1")
    let line = try #require(history.last?.line)
    let event = try #require(line.event)
    let names = ["text", "owner", "stars", "tags"]
    return Dictionary(uniqueKeysWithValues: event.changes.map { (names[$0.field], $0.operation) })
  }

  private func count() throws -> UInt64 { try store.vector.entries.first?.seq ?? 0 }

  @Test func `a record by hand is written and read`() throws {
    let note = Note(id: "n1", text: "Low tide", stars: 2, tags: ["a", "b"])
    try session.create(note)
    #expect(try session.get(Note.self, "n1") == note)
    #expect(try session.all(Note.self) == [note])
    #expect(try session.get(Note.self, "n2") == nil)
    #expect(try store.withSnapshot { try $0.get(Note.self, "n1") } == note)
    // The owner, whom the type does not know, was filled in.
    #expect(try store.record("Note", "n1")?["owner"] == "ann")
  }

  @Test func `save makes a record, and then writes no more than what changed`() throws {
    var note = Note(id: "n1", text: "Low tide", stars: 2, tags: ["a", "b"])
    try session.save(note)
    note.text = "High tide"
    try session.save(note)
    #expect(try lastChanges() == ["text": .set("High tide")])
    note.stars = 5
    note.tags = ["b", "c"]
    try session.save(note)
    #expect(try lastChanges() == ["stars": .add(3), "tags": .edit(add: ["c"], remove: ["a"])])
    #expect(try session.get(Note.self, "n1") == note)
    #expect(try count() == 3)
    try session.save(note)
    #expect(try count() == 3)
  }

  @Test func `update writes what its closure changed`() throws {
    try session.create(Note(id: "n1", text: "Low tide"))
    let after = try session.update(Note.self, "n1") { $0.stars += 4 }
    #expect(after.stars == 4)
    #expect(try lastChanges() == ["stars": .add(4)])
    try session.update(Note.self, "n1") { _ in }
    #expect(try count() == 2)
    #expect(throws: StoreError.self) { try session.update(Note.self, "n1") { $0.id = "n2" } }
    let error = #expect(throws: AuthorizationError.self) {
      try session.update(Note.self, "n9") { $0.stars = 1 }
    }
    #expect(error?.reason?.code == "noSuchRecord")
    #expect(try count() == 2)
  }

  @Test func `a transaction reads what it has written`() throws {
    try session.write { transaction in
      #expect(try transaction.get(Note.self, "n1") == nil)
      try transaction.create(Note(id: "n1", text: "0"))
      for number in 1...12 {
        try transaction.update(Note.self, "n1") { note in
          #expect(note.text == "\(number - 1)")
          note.text = "\(number)"
        }
      }
      try transaction.create(Note(id: "n2", text: "other"))
      try transaction.delete(Note.self, "n2")
      #expect(try transaction.get(Note.self, "n2") == nil)
      try transaction.save(Note(id: "n2", text: "again", stars: 1))
    }
    #expect(try session.all(Note.self).map(\.text) == ["12", "again"])
    #expect(try store.verify().problems == [])
  }

  @Test func `counters and sets change by one line`() throws {
    try session.create(Note(id: "n1", text: "Low tide"))
    let stars = CounterField<Note>("stars")
    let tags = SetField<Note, String>("tags")
    try session.increment(stars, of: "n1")
    try session.increment(stars, of: "n1", by: -3)
    try session.insert("a", "b", into: tags, of: "n1")
    try session.remove("a", from: tags, of: "n1")
    let note = try #require(try session.get(Note.self, "n1"))
    #expect(note.stars == -2)
    #expect(note.tags == ["b"])
    try session.delete(note)
    #expect(try session.get(Note.self, "n1") == nil)
  }

  @Test func `what the rules refuse is thrown, and nothing is written`() throws {
    let note = Note(id: "n1", text: "Low tide")
    try session.create(note)
    let other = store.session(as: .user("bob"))
    var changed = note
    changed.text = "mine"
    let mine = changed
    #expect(throws: AuthorizationError.self) { try other.save(mine) }
    #expect(throws: AuthorizationError.self) { try other.update(Note.self, "n1") { $0.text = "x" } }
    #expect(throws: AuthorizationError.self) { try other.create(note) }
    #expect(throws: AuthorizationError.self) { try other.delete(note) }
    #expect(throws: AuthorizationError.self) {
      try other.increment(CounterField<Note>("stars"), of: "n1")
    }
    #expect(try count() == 1)
    // Nor does he read it.
    #expect(try other.get(Note.self, "n1") == nil)
    #expect(try other.all(Note.self) == [])
    #expect(try !other.can(.delete, note).isAllowed)
    #expect(try session.can(.delete, note).isAllowed)
    #expect(try other.can(.create, Note.self).isAllowed)
    #expect(try other.permissions(for: Note.self, "n1")["text"]?.write.isAllowed == false)
  }

  @Test func `the same suspends in asynchronous code`() async throws {
    try await session.create(Note(id: "n1", text: "Low tide"))
    try await session.update(Note.self, "n1") { $0.text = "High tide" }
    try await session.increment(CounterField<Note>("stars"), of: "n1", by: 2)
    try await session.insert("a", into: SetField<Note, String>("tags"), of: "n1")
    #expect(
      try session.get(Note.self, "n1")
        == Note(id: "n1", text: "High tide", stars: 2, tags: ["a"]))
    try await session.save(Note(id: "n1", text: "Ebb"))
    try await session.delete(Note.self, "n1")
    #expect(try session.all(Note.self) == [])
  }

  @Test func `a type that the schema does not fit is named`() throws {
    let error = #expect(throws: StoreError.self) { try session.get(Stranger.self, "x") }
    #expect(error?.code == .schema)
    #expect(error?.message.contains("no model Stranger") == true)
  }

  /// Takes each field for something that it is not.
  struct Confused: Record {
    static let modelName = "Note"
    static let fieldNames = ["text", "stars", "tags"]
    nonisolated(unsafe) static var place = 0
    var id: RecordID

    init(from decoder: borrowing RecordDecoder) throws(StoreError) {
      id = decoder.id
      switch unsafe Confused.place {
      case 0: _ = try decoder.required(0) as Int64
      case 1: _ = try decoder.required(1) as String
      case 2: _ = try decoder.required(2) as String
      case 3: _ = try decoder.required(2) as Int64
      case 4: _ = try decoder.set(0, of: String.self)
      case 5: _ = try decoder.required(2) as [Bool]
      default: _ = try decoder.optional(3) as String?
      }
    }

    func encode(into encoder: inout RecordEncoder) throws(StoreError) { try encoder.set(7, true) }
  }

  @Test func `a field of another type is told with its record and its name`() throws {
    try session.create(Note(id: "n1", text: "x", stars: 5, tags: ["a"]))
    try session.save(Note(id: "n1", text: "y", stars: 6, tags: ["a", "b"]))
    for (place, name) in ["text", "stars", "tags", "tags", "text", "tags"].enumerated() {
      unsafe Confused.place = place
      let error = #expect(throws: StoreError.self) { try session.get(Confused.self, "n1") }
      #expect(error?.code == .schema)
      #expect(error?.message.hasPrefix("Note n1: \(name) is no ") == true)
      let inPlace = #expect(throws: StoreError.self) {
        try store.withSnapshot { _ = try $0.get(Confused.self, "n1") }
      }
      #expect(inPlace?.message.hasPrefix("Note n1: \(name) is no ") == true)
    }
    unsafe Confused.place = 6
    #expect(
      #expect(throws: StoreError.self) { try session.get(Confused.self, "n1") }?.code == .misuse)
  }

  @Test func `many threads look one type up at once`() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<16 {
        group.addTask { [session] in
          for number in 0..<10 {
            let note = Note(id: RecordID("\(writer)-\(number)"), text: "x")
            try await session.create(note)
            #expect(try session.get(Note.self, note.id) == note)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try session.all(Note.self).count == 160)
  }

  @Test func `fields are looked up again when the store takes another schema`() throws {
    let note = Note(id: "n1", text: "Low tide", stars: 1)
    try session.create(note)
    try store.adopt(
      schema: Self.schema.replacing("text: String!", with: "place: String\n  text: String!"))
    #expect(try session.get(Note.self, "n1") == note)
    try session.update(Note.self, "n1") { $0.text = "High tide" }
    #expect(try store.record("Note", "n1")?["text"] == "High tide")
    #expect(try store.record("Note", "n1")?["place"] == nil)
  }

  @Test func `conditions are filters that the compiler has checked`() {
    let text = RecordField<Note, String>("text")
    let stars = CounterField<Note>("stars")
    let tags = SetField<Note, String>("tags")
    let wanted = text == "x" && stars >= 3 && !tags.contains("a")
    #expect(
      wanted.filter
        == .all([
          .compare(field: "text", .equal, "x"), .compare(field: "stars", .greaterOrEqual, 3),
          .not(.contains(field: "tags", "a")),
        ]))
    let other = text.beginsWith("L") || text.isIn(["a", "b"]) || stars.between(1, 2)
    #expect(
      other.filter
        == .any([
          .beginsWith(field: "text", "L"), .isIn(field: "text", ["a", "b"]),
          .between(field: "stars", 1, 2),
        ]))
    #expect((text == nil).filter == .compare(field: "text", .equal, .null))
    #expect(text.exists.filter == .exists(field: "text"))
    #expect((text != "a" && text < "b").filter != (text <= "b" && text > "a").filter)
  }
}

extension RecordTests.Note {
  init(from decoder: borrowing RecordDecoder) throws(StoreError) {
    id = decoder.id
    text = try decoder.required(0)
    stars = try decoder.counter(1)
    tags = try decoder.set(2)
  }

  func encode(into encoder: inout RecordEncoder) throws(StoreError) {
    try encoder.set(0, text)
    try encoder.set(1, stars)
    try encoder.set(2, tags)
  }
}
