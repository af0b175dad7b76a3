import Testing
import Tidemark
import TidemarkEvents
import TidemarkTesting

/// Reads of one moment, and of a part of a model.
@Suite struct SnapshotTests {
  let directory = try? TemporaryDirectory()

  private func store(_ generator: inout SeededGenerator) throws -> Store {
    try Store.create(
      at: try #require(directory).path + "/s", schema: LocalWriteTests.schema,
      options: LocalWriteTests.options(&generator))
  }

  private func titles(_ snapshot: borrowing StoreSnapshot, _ store: Store) throws -> [String] {
    let posts = try store.model("Post")
    let title = try posts.field("title")
    var titles: [String] = []
    try snapshot.forEach(posts) { record in
      titles.append(try record.string(title) ?? "")
      return true
    }
    return titles
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `a snapshot stays as it is while writes go on and rows move`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let store = try store(&generator)
    defer { store.close() }
    let posts = try store.model("Post")
    let title = try posts.field("title")
    func write(_ numbers: Range<Int>, _ text: String, isNew: Bool) throws {
      for number in numbers {
        try store.write(as: .user("ann")) { transaction in
          let id = RecordID("p\(number)")
          if isNew {
            try transaction.create(posts, id: id) { try $0.set(title, text) }
          } else {
            try transaction.update(posts, id: id) { try $0.set(title, text) }
          }
        }
      }
    }
    try write(0..<50, "before", isNew: true)
    try store.withSnapshot { snapshot in
      try write(0..<50, "after", isNew: false)
      try write(50..<90, "after", isNew: true)
      try store.write(as: .user("ann")) { try $0.delete(posts, id: "p7") }
      let seen = try titles(snapshot, store)
      #expect(seen == Array(repeating: "before", count: 50), "seed \(seed)")
      #expect(try snapshot.get(posts, id: "p7") { try $0.string(title) } == "before")
      #expect(try snapshot.get(posts, id: "p60") { try $0.string(title) } == nil)
    }
    try store.withSnapshot { snapshot in
      let seen = try titles(snapshot, store)
      #expect(seen == Array(repeating: "after", count: 89), "seed \(seed)")
      #expect(try snapshot.get(posts, id: "p7") { try $0.string(title) } == nil)
    }
  }

  /// Ids around the ones that are packed: UUIDs, what begins or ends as one does, and others.
  private static func id(_ generator: inout SeededGenerator) -> String {
    func hexadecimal(_ count: Int) -> String {
      String((0..<count).map { _ in "0123456789abcdef".randomElement(using: &generator) ?? "0" })
    }
    let uuid = [8, 4, 4, 4, 12].map(hexadecimal).joined(separator: "-")
    let cut = String(uuid.prefix(Int.random(in: 1...36, using: &generator)))
    return switch Int.random(in: 0..<8, using: &generator) {
    case 0...3: uuid
    case 4: cut
    case 5: cut + String("-/:Zag~é".randomElement(using: &generator) ?? "-")
    case 6: uuid.uppercased()
    default: hexadecimal(Int.random(in: 1...3, using: &generator))
    }
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `a scan begins at any id and goes on in the order of ids`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let store = try store(&generator)
    defer { store.close() }
    let posts = try store.model("Post")
    let title = try posts.field("title")
    let ids = Set((0..<150).map { _ in RecordID(Self.id(&generator)) })
    for id in ids.sorted(by: { $0.string.utf8.lexicographicallyPrecedes($1.string.utf8) }) {
      try store.write(as: .user("ann")) { try $0.create(posts, id: id) { try $0.set(title, "x") } }
    }
    let sorted = ids.map(\.string).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for _ in 0..<200 {
      let isKnown = Bool.random(using: &generator)
      let start = isKnown ? sorted.randomElement(using: &generator) ?? "" : Self.id(&generator)
      let limit = Int.random(in: 1...20, using: &generator)
      let expected = sorted.filter { !$0.utf8.lexicographicallyPrecedes(start.utf8) }.prefix(limit)
      var found: [String] = []
      try store.forEach(posts, from: RecordID(start)) { record in
        found.append(record.id.string)
        return found.count < limit
      }
      #expect(found == Array(expected), "seed \(seed), from \(start)")
    }
  }
}
