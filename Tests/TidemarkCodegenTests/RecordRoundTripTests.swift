import Foundation
import Testing
import Tidemark
import TidemarkEvents
import TidemarkTesting

/// Generated types against real stores.
@Suite struct RecordRoundTripTests {
  static func text(using generator: inout SeededGenerator) -> String {
    let letters = ["", "a", "é", "e\u{301}", "🌊", "\n", "\"", "\\", "xyz"]
    return (0..<Int.random(in: 0..<4, using: &generator))
      .map { _ in letters.randomElement(using: &generator) ?? "" }.joined()
  }

  static func number(using generator: inout SeededGenerator) -> Int64 {
    [0, 1, -1, .max, .min, Int64.random(in: -999...999, using: &generator)]
      .randomElement(using: &generator) ?? 0
  }

  static func book(_ id: RecordID, using generator: inout SeededGenerator) -> Book {
    func maybe<T>(_ value: T) -> T? { Bool.random(using: &generator) ? value : nil }
    func some<T>(_ make: () -> T) -> [T] {
      (0..<Int.random(in: 0..<4, using: &generator)).map { _ in make() }
    }
    func genre() -> Genre { Genre.allCases.randomElement(using: &generator) ?? .essay }
    func shelf() -> Shelf {
      Shelf(
        room: text(using: &generator), row: maybe(number(using: &generator)),
        in: maybe(Sign(text: text(using: &generator))))
    }
    return Book(
      id: id, title: text(using: &generator), authorId: RecordID(text(using: &generator)),
      class: maybe(text(using: &generator)), default: Bool.random(using: &generator),
      price: maybe([0, -0.5, 1e300, 3].randomElement(using: &generator) ?? 0),
      pages: number(using: &generator), isbn: nil, published: maybe("2026-01-31"),
      printedAt: maybe(number(using: &generator)), url: maybe("https://example.org/a"),
      genre: genre(), formerGenres: maybe(some(genre)), moods: Set(some(genre)), place: shelf(),
      copies: some(shelf), decoder: maybe(text(using: &generator)),
      notes: maybe(some { maybe(text(using: &generator)) }),
      loans: Int64.random(in: -5...5, using: &generator), keeper: "ann")
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `any record is read as it was written`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let store = try Store.inMemory(schema: CodegenTests.schema("Library"))
    let session = store.session(as: .user("ann"))
    var model: [RecordID: Book] = [:]
    for step in 0..<120 {
      let id = RecordID("b\(Int.random(in: 0..<12, using: &generator))")
      let book = Self.book(id, using: &generator)
      let (before, events) = (model[id], try store.vector.entries.first?.seq ?? 0)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0 where before != nil:
        try session.delete(Book.self, id)
        model[id] = nil
      case 1 where before != nil:
        try session.update(Book.self, id) {
          $0.copies = book.copies
          $0.loans += 2
        }
        model[id]?.copies = book.copies
        model[id]?.loans += 2
      case 2:
        try session.write { transaction in
          try transaction.save(book)
          // What has just been written is no change.
          try transaction.save(book)
          let read = try transaction.get(Book.self, id)
          #expect(read == book)
        }
        model[id] = book
      default:
        try session.save(book)
        model[id] = book
      }
      if before == model[id] { #expect(try store.vector.entries.first?.seq ?? 0 == events) }
      #expect(try session.get(Book.self, id) == model[id], "seed \(seed) step \(step)")
    }
    let expected = model.values.sorted { $0.id < $1.id }
    #expect(try session.all(Book.self) == expected, "seed \(seed)")
    #expect(try store.withSnapshot { try $0.all(Book.self) } == expected, "seed \(seed)")
    #expect(try store.verify().problems == [], "seed \(seed)")
    // Through JSON, with the names of the schema.
    let json = try JSONEncoder().encode(expected)
    #expect(try JSONDecoder().decode([Book].self, from: json) == expected, "seed \(seed)")
    if !expected.isEmpty { #expect(String(decoding: json, as: UTF8.self).contains("author_id")) }
  }

  @Test func `an update's event has what was changed and nothing else`() throws {
    let store = try Store.inMemory(schema: CodegenTests.schema("Feed"))
    let session = store.session(as: .user("ann"))
    let post = Post(id: "p1", title: "Low tide", tags: ["sea", "moon"])
    try session.create(post)
    var read = try #require(try session.get(Post.self, "p1"))
    #expect(read.owner == "ann")
    read.title = "High tide"
    read.likes = 3
    read.tags = ["sea", "sun"]
    try session.save(read)
    let event = try #require(try store.history("Post", "p1").last?.line.event)
    #expect(
      event.changes == [
        FieldChange(field: 0, operation: .set("High tide")),
        FieldChange(field: 2, operation: .add(3)),
        FieldChange(field: 3, operation: .edit(add: ["sun"], remove: ["moon"])),
      ])
  }

  @Test func `a record that was made without its owner is saved without taking the owner away`()
    throws
  {
    let store = try Store.inMemory(schema: CodegenTests.schema("Feed"))
    let session = store.session(as: .user("ann"))
    var post = Post(id: "p1", title: "Low tide", content: "…")
    try session.save(post)
    post.title = "High tide"
    post.content = nil
    try session.save(post)
    let saved = try #require(try session.get(Post.self, "p1"))
    #expect(saved == Post(id: "p1", title: "High tide", owner: "ann"))
  }

  @Test func `two texts that are one to Swift are two to the store, and stay so`() throws {
    let store = try Store.inMemory(schema: CodegenTests.schema("Feed"))
    let session = store.session(as: .user("ann"))
    try session.create(Post(id: "p1", title: "\u{e9}"))
    try session.insert("\u{e9}", "e\u{301}", into: Post.fields.tags, of: "p1")
    // The set has one of them; that is nobody's change.
    try session.update(Post.self, "p1") { $0.title = "e\u{301}" }
    let view = try #require(try store.record("Post", "p1"))
    #expect(view["title"] == "e\u{301}")
    #expect(view["tags"] == ["e\u{301}", "\u{e9}"])
  }

  @Test func `others' additions stay, whatever was read before them`() throws {
    let store = try Store.inMemory(schema: CodegenTests.schema("Feed"))
    let session = store.session(as: .user("ann"))
    let post = Post(title: "Low tide")
    try session.create(post)
    try session.increment(Post.fields.likes, of: post.id, by: 4)
    try session.update(Post.self, post.id) { $0.title = "High tide" }
    #expect(try session.get(Post.self, post.id)?.likes == 4)
    #expect(post.id.string.utf8.count == 36 && post.id != .random())
  }

  @Test func `who may not read a field gets no value of it`() throws {
    let store = try Store.inMemory(schema: CodegenTests.schema("Library"))
    var generator = SeededGenerator(seed: 1)
    var book = Self.book("b1", using: &generator)
    book.isbn = "978"
    book.keeper = "eve"
    let staff = store.session(as: .user("eve", groups: ["Staff"]))
    let made = book
    try staff.create(made)
    let reader = store.session(as: .user("ann"))
    #expect(try staff.get(Book.self, "b1")?.isbn == "978")
    let read = try #require(try reader.get(Book.self, "b1"))
    #expect(read.isbn == nil && read.title == book.title)
    // To change another field is not to take it away.
    try reader.update(Book.self, "b1") { $0.pages = 7 }
    #expect(try staff.get(Book.self, "b1")?.isbn == "978")
    #expect(throws: AuthorizationError.self) {
      try reader.update(Book.self, "b1") { $0.isbn = "1" }
    }
  }

  /// The README's example.
  @Test func `the README's session runs`() throws {
    let schema = try CodegenTests.schema("Feed")
    let store = try Store.inMemory(schema: schema)
    let session = store.session(as: .user("ann"))
    let post = Post(title: "Low tide", tags: ["sea"])
    try session.create(post)
    try session.update(Post.self, post.id) { $0.title = "High tide" }  // one field in the event
    try session.increment(Post.fields.likes, of: post.id)
    try session.insert("moon", into: Post.fields.tags, of: post.id)
    let shown = try session.get(Post.self, post.id)
    let mine = Post.fields.owner == "ann" && Post.fields.likes >= 1

    #expect(shown?.title == "High tide")
    #expect(shown?.tags == ["sea", "moon"])
    #expect(mine.filter != .all([]))
    #expect(throws: AuthorizationError.self) {
      try store.session(as: .user("bob")).delete(post)
    }
  }
}
