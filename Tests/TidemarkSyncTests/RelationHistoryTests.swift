import Testing
import Tidemark
import TidemarkEvents
import TidemarkSync
import TidemarkTesting

/// Records that name each other, on devices that do not know of each other's writes.
@Suite struct RelationHistoryTests {
  static let schema = """
    type Folder @model @auth(rules: [{ allow: private }]) {
      inside: Folder @belongsTo(onDelete: CASCADE)
      name: String
    }
    type File @model @auth(rules: [
      { allow: private, operations: [create, read, update] }, { allow: owner }
    ]) {
      folder: Folder @belongsTo(onDelete: CASCADE)
      label: Label @belongsTo(onDelete: NULLIFY)
      owner: String @auth(rules: [{ allow: private, operations: [create, read] }, { allow: owner }])
    }
    type Label @model @auth(rules: [{ allow: private }]) { name: String }
    type Lock @model @deletes(wins: update) @auth(rules: [{ allow: private }]) {
      folder: Folder @belongsTo(onDelete: DENY)
    }
    """

  static let keys: [(model: String, key: String, target: String)] = [
    ("Folder", "folderInsideId", "Folder"), ("File", "fileFolderId", "Folder"),
    ("File", "fileLabelId", "Label"), ("Lock", "lockFolderId", "Folder"),
  ]

  /// A cloud and devices with this schema.
  private struct World {
    let clock = ManualClock(milliseconds: 1_700_000_000_000)
    let cloud: Store

    init() throws {
      cloud = try Store.inMemory(
        schema: RelationHistoryTests.schema, role: .authority, options: clock.options)
    }

    func device(_ acceptance: AcceptanceMode) throws -> Store {
      try Store.inMemory(
        schema: RelationHistoryTests.schema, acceptance: acceptance, options: clock.options)
    }
  }

  struct Name: Hashable {
    let model: String
    let id: RecordID
  }

  /// What a store shows, by record.
  static func records(_ store: Store) throws -> [Name: RecordView] {
    var records: [Name: RecordView] = [:]
    try store.forEachRecord {
      records[Name(model: $0.model, id: $0.id)] = $0
      return true
    }
    return records
  }

  /// What a delete should leave, worked out by looking at all records again and again: by record, the
  /// values of its keys. `nil` where it is refused.
  static func expected(
    deleting name: Name, from records: [Name: RecordView], by user: String, isChecked: Bool
  ) -> [Name: [Value?]]? {
    func named(_ record: Name, _ view: RecordView, _ place: Int) -> Name? {
      guard record.model == keys[place].model, let text = view[keys[place].key]?.stringValue else {
        return nil
      }
      return Name(model: keys[place].target, id: RecordID(text))
    }
    if records[name] == nil, isChecked { return nil }
    var doomed: Set<Name> = [name]
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for (record, view) in records {
        for place in [0, 1] {
          guard let other = named(record, view, place), doomed.contains(other) else { continue }
          if doomed.insert(record).inserted { isGrowing = true }
        }
      }
    }
    var left: [Name: [Value?]] = [:]
    for (record, view) in records {
      if doomed.contains(record) {
        if isChecked, record.model == "File", view.owner?.stringValue != user { return nil }
        continue
      }
      if let other = named(record, view, 3), doomed.contains(other) { return nil }
      var values = keys.map { view[$0.key] }
      if let other = named(record, view, 2), doomed.contains(other) {
        // To empty a field needs `delete` on it, which the rules give the owner.
        if isChecked, view.owner?.stringValue != user { return nil }
        values[2] = .null
      }
      left[record] = values
    }
    return left
  }

  private func operation(
    _ user: String, using generator: inout SeededGenerator
  ) -> Tidemark.Operation {
    func id() -> RecordID { RecordID("r\(Int.random(in: 0..<5, using: &generator))") }
    let model =
      ["Folder", "Folder", "File", "File", "Label", "Lock"]
      .randomElement(using: &generator) ?? "File"
    let kind: EventKind =
      [.create, .create, .update, .delete].randomElement(using: &generator) ?? .create
    var changes: [Tidemark.Operation.Change] = []
    if kind != .delete {
      for key in Self.keys where key.model == model && Bool.random(using: &generator) {
        changes.append(.init(key.key, .set(.string(id().string))))
      }
    }
    return Operation(kind, model, id(), changes, by: .user(user))
  }

  @Test(arguments: [UInt64](1...60))
  func `delete rules hold at each write, and stores converge`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let world = try World()
    let devices = try [world.device(.optimistic), world.device(.enforce)]
    let stores = devices + [world.cloud]
    for step in 0..<60 {
      world.clock.advance(by: UInt64.random(in: 0...5000, using: &generator))
      let place = Int.random(in: 0..<3, using: &generator)
      let store = stores[place]
      if Int.random(in: 0..<5, using: &generator) == 0, place < 2 {
        _ = try Replication.sync(store, world.cloud)
        continue
      }
      let user = Bool.random(using: &generator) ? "ann" : "bob"
      let operation = operation(user, using: &generator)
      let before = try Self.records(store)
      let receipt = try store.submit(transactions: [[operation]])[0]
      guard operation.kind == .delete else { continue }
      let after = try Self.records(store).mapValues { view in Self.keys.map { view[$0.key] } }
      let expected = Self.expected(
        deleting: Name(model: operation.model, id: operation.id), from: before, by: user,
        isChecked: place != 0)
      #expect(
        (receipt.decision == .rejected) == (expected == nil), "seed \(seed), step \(step)")
      let same = before.mapValues { view in Self.keys.map { view[$0.key] } }
      #expect(after == expected ?? same, "seed \(seed), step \(step): \(operation)")
    }
    for _ in 0..<2 { for device in devices { _ = try Replication.sync(device, world.cloud) } }
    let digest = try world.cloud.digest()
    for store in stores {
      #expect(try store.digest() == digest, "seed \(seed)")
      #expect(try store.verify().problems == [], "seed \(seed)")
      // What dangles, dangles everywhere.
      #expect(try store.danglingReferences() == world.cloud.danglingReferences())
    }
  }

  private func create(
    _ store: Store, _ model: String, _ id: RecordID, _ keys: [String: RecordID] = [:],
    by user: String
  ) throws {
    _ = try store.submit([
      Operation(
        .create, model, id, keys.map { .init($0.key, .set(.string($0.value.string))) },
        by: .user(user))
    ])
  }

  @Test func `a cascade that the authority refuses is undone whole`() throws {
    let world = try World()
    let phone = try world.device(.optimistic)
    try create(world.cloud, "Folder", "a", by: "ann")
    try create(world.cloud, "Folder", "b", ["folderInsideId": "a"], by: "ann")
    try create(world.cloud, "File", "f", ["fileFolderId": "a"], by: "bob")
    try create(world.cloud, "File", "g", ["fileFolderId": "b"], by: "ann")
    _ = try Replication.sync(phone, world.cloud)
    let before = try Self.records(phone)
    // Ann may not delete Bob's file; the phone shows the delete at once all the same.
    let receipt = try phone.submit([Operation(.delete, "Folder", "a", by: .user("ann"))])
    #expect(receipt.decision == .pending && receipt.impliedDots[0].count == 3)
    #expect(try Self.records(phone).isEmpty)
    _ = try Replication.sync(phone, world.cloud)
    #expect(try Self.records(phone) == before)
    let rejections = try phone.rejections()
    #expect(rejections.count == 4)
    #expect(
      Set(rejections.compactMap { $0.line.reason?.code }) == ["notOwner", "transactionRejected"])
    #expect(try phone.digest() == world.cloud.digest())
  }

  @Test func `a record made while the one it names is deleted stays, and names nothing`() throws {
    let world = try World()
    let (phone, tablet) = (try world.device(.enforce), try world.device(.enforce))
    try create(phone, "Folder", "a", by: "ann")
    _ = try Replication.sync(phone, world.cloud)
    _ = try Replication.sync(tablet, world.cloud)
    try create(tablet, "File", "f", ["fileFolderId": "a"], by: "bob")
    _ = try phone.submit([Operation(.delete, "Folder", "a", by: .user("ann"))])
    for _ in 0..<2 {
      for store in [phone, tablet] { _ = try Replication.sync(store, world.cloud) }
    }
    for store in [phone, tablet, world.cloud] {
      #expect(
        try store.danglingReferences().map(\.description) == [
          "File f: fileFolderId names Folder a, which is not there"
        ])
      #expect(try store.verify().problems == [])
    }
  }

  /// Under “delete wins” a file that was edited meanwhile goes with its folder; a model where updates win
  /// keeps its record.
  @Test func `a record edited while a cascade takes it goes by its model's policy`() throws {
    let world = try World()
    let (phone, tablet) = (try world.device(.enforce), try world.device(.enforce))
    try create(phone, "Folder", "a", by: "ann")
    try create(phone, "File", "f", ["fileFolderId": "a"], by: "ann")
    for store in [phone, tablet] { _ = try Replication.sync(store, world.cloud) }
    _ = try tablet.submit([
      Operation(.update, "File", "f", [.init("fileLabelId", .set("l"))], by: .user("bob"))
    ])
    // A lock that the phone does not know of stops nothing there, and dangles.
    try create(tablet, "Lock", "k", ["lockFolderId": "a"], by: "bob")
    _ = try phone.submit([Operation(.delete, "Folder", "a", by: .user("ann"))])
    for _ in 0..<2 {
      for store in [phone, tablet] { _ = try Replication.sync(store, world.cloud) }
    }
    for store in [phone, tablet, world.cloud] {
      #expect(try Self.records(store).keys.map(\.model) == ["Lock"])
    }
  }
}
