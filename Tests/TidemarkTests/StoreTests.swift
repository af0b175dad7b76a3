import Testing
import Tidemark
import TidemarkEvents
import TidemarkTesting

@Suite struct StoreTests {
  static let schema = """
    type Post @model @auth(rules: [{ allow: owner }, { allow: public, operations: [read] }]) {
      title: String! secret: String @auth(rules: [{ allow: owner }])
    }
    """

  let directory = try? TemporaryDirectory()
  let ann = Principal.user("ann")

  func path(_ name: String) throws -> String { try #require(directory).path + "/" + name }

  func post(_ id: RecordID, _ title: String) -> Tidemark.Operation {
    Operation(.create, "Post", id, [.init("title", .set(.string(title)))], by: ann)
  }

  @Test func `what was submitted is there after opening again`() throws {
    let path = try path("a")
    var receipt: TransactionReceipt?
    do {
      let store = try Store.create(at: path, schema: Self.schema)
      receipt = try store.submit([post("p1", "Hi"), post("p2", "Ho")])
    }
    let store = try Store.open(at: path)
    #expect(receipt?.dots.map(\.seq) == [1, 2])
    #expect(try store.record("Post", "p2")?["title"] == "Ho")
    #expect(try store.record("Post", "p1")?.owner == "ann")
    #expect(try store.verify().problems == [])
  }

  @Test func `a place that is no store, or is one already, is told`() throws {
    let path = try path("a")
    expect(.notAStore) { _ = try Store.open(at: path) }
    expect(.schema) { _ = try Store.create(at: path, schema: "type A { x: Int }") }
    expect(.notAStore) { _ = try Store.open(at: path) }
    _ = try Store.create(at: path, schema: Self.schema)
    expect(.exists) { _ = try Store.create(at: path, schema: Self.schema) }
  }

  func expect(_ code: StoreError.Code, _ body: () throws -> Void) {
    do {
      try body()
      Issue.record("no error")
    } catch {
      #expect((error as? StoreError)?.code == code, "\(error)")
    }
  }

  @Test func `a copy goes on under a replica id of its own`() throws {
    let store = try Store.create(at: path("a"), schema: Self.schema)
    let first = try store.submit([post("p1", "Hi")])
    try store.backup(to: path("b"))
    let copy = try Store.open(at: path("b"))
    #expect(try copy.digest() == store.digest())
    let original = try store.submit([post("p2", "original")])
    let copied = try copy.submit([post("p3", "copy")])
    #expect(original.dots[0].replica == first.dots[0].replica)
    #expect(copied.dots[0].replica != first.dots[0].replica)
    #expect(try copy.verify().problems == [])
    expect(.exists) { try store.backup(to: path("b")) }
  }

  @Test func `what cannot be stored is refused in either mode, and the log stays readable`() throws
  {
    for (name, mode) in [("e", AcceptanceMode.enforce), ("o", .optimistic)] {
      let store = try Store.create(at: path(name), schema: Self.schema, acceptance: mode)
      var labelled = post("p", "x")
      labelled.transactionLabel = String(repeating: "l", count: Limits.labelByteCountMax + 1)
      var deep = Value.null
      for _ in 0..<200 { deep = .list([deep]) }
      let bad: [Tidemark.Operation] = [
        labelled, post("", "x"), post("a\u{0}", "x"),
        post(RecordID(String(repeating: "i", count: RecordID.byteCountMax + 1)), "x"),
        Operation(.create, "Nope", "p", by: ann),
        Operation(.create, "Post", "p", [.init("nope", .set(1))], by: ann),
        Operation(.create, "Post", "p", [.init("title", .set(1))], by: ann),
        Operation(.create, "Post", "p", [.init("title", .set(deep))], by: ann),
        Operation(.create, "Post", "p", [.init("title", .add(1))], by: ann),
        Operation(.create, "Post", "p", by: ann),
        Operation(
          .create, "Post", "p", [.init("title", .set("x")), .init("title", .set("y"))], by: ann),
      ]
      for operation in bad { expect(.invalid) { _ = try store.submit([operation]) } }
      #expect(try store.nextLSN == 1)
      #expect(try store.submit([post("p", "x")]).dots.map(\.seq) == [1])
      #expect(try store.verify().problems == [])
    }
  }

  @Test func `a map that grows in the middle of a write loses and repeats nothing`() throws {
    var options = StoreOptions()
    options.mapByteCountInitial = 256 << 10
    let store = try Store.create(at: path("a"), schema: Self.schema, options: options)
    let text = String(repeating: "x", count: 900)
    for batch in 0..<20 {
      let receipts = try store.submit(
        transactions: (0..<100).map { [post(RecordID("\(batch)-\($0)"), text)] })
      #expect(receipts.map { $0.dots[0].seq } == (1...100).map { UInt64(batch * 100 + $0) })
    }
    #expect(try store.stats().fileByteCount > 1 << 20)
    #expect(try store.verify().problems == [])
    #expect(try store.replay().recordCount == 2000)
  }

  @Test func `ids of every kind are sorted by their bytes`() throws {
    let store = try Store.create(at: path("a"), schema: Self.schema)
    let ids: [RecordID] = [
      "z", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c7",
      "6BA7B810-9dad-11d1-80b4-00c04fd430c8", "6", "6ba7b811", "\u{e9}", "e\u{301}", "0",
    ]
    _ = try store.submit(ids.map { post($0, $0.string) })
    var seen: [RecordID] = []
    try store.forEachRecord { view in
      seen.append(view.id)
      return true
    }
    #expect(seen == ids.sorted())
  }

  @Test func `a moment shows what was`() throws {
    let clock = ManualClock(milliseconds: 1000)
    let store = try Store.create(at: path("a"), schema: Self.schema, options: clock.options)
    let first = try store.submit([post("p1", "one")])
    clock.advance(by: 1000)
    let second = try store.submit([
      Operation(.update, "Post", "p1", [.init("title", .set("two"))], by: ann)
    ])
    clock.advance(by: 1000)
    _ = try store.submit([Operation(.delete, "Post", "p1", by: ann)])
    func title(_ moment: Moment?) throws -> Value? {
      try store.record("Post", "p1", at: moment)?["title"]
    }
    #expect(try title(nil) == nil)
    #expect(try title(.time(milliseconds: 999)) == nil)
    #expect(try title(.time(milliseconds: 1500)) == "one")
    #expect(try title(.event(first.dots[0])) == "one")
    #expect(try title(.event(second.dots[0])) == "two")
    #expect(
      try title(.vector(VersionVector([(first.dots[0].replica, UInt64(2))]))) == "two")
    var shown: [Value?] = []
    try store.forEachRecord(at: .event(first.dots[0])) { view in
      shown.append(view["title"])
      return true
    }
    #expect(shown == ["one"])
  }

  @Test func `a reader sees what its rules let it see`() throws {
    let store = try Store.create(at: path("a"), schema: Self.schema)
    _ = try store.submit([
      Operation(
        .create, "Post", "p1", [.init("title", .set("t")), .init("secret", .set("s"))], by: ann)
    ])
    #expect(try store.record("Post", "p1", as: ann)?["secret"] == "s")
    #expect(try store.record("Post", "p1", as: .anonymous)?["secret"] == .null)
    #expect(try store.record("Post", "p1", as: .anonymous)?["title"] == "t")
    #expect(try store.record("Post", "p1", as: .user("bob")) == nil)
  }

  @Test func `an app can ask first, and what it is told holds`() throws {
    let store = try Store.create(at: path("a"), schema: Self.schema)
    let create = post("p1", "x")
    let asked: [(Tidemark.Operation, ReasonCode?)] = [
      (create, nil), (Operation(.delete, "Post", "p1", by: ann), .noSuchRecord),
      (Operation(.create, "Post", "p1", [.init("title", .set("x"))]), .notSignedIn),
    ]
    for (operation, code) in asked {
      #expect(try store.decision(on: operation).denial?.code == code)
    }
    #expect(try store.nextLSN == 1)
    try store.submit([create])
    #expect(try store.decision(on: create).denial?.code == .alreadyExists)
    for (who, code) in [(ann, nil), (.user("bob"), ReasonCode.notOwner)] {
      let operation = Operation(.update, "Post", "p1", [.init("title", .set("y"))], by: who)
      #expect(try store.decision(on: operation).denial?.code == code)
      let receipt = try store.submit(transactions: [[operation]])[0]
      #expect((receipt.decision == .rejected) == (code != nil))
    }
  }

  @Test func `history and explanation tell what each event did`() throws {
    let store = try Store.create(at: path("a"), schema: Self.schema, role: .authority)
    let created = try store.submit([post("p1", "one")])
    let updated = try store.submit([
      Operation(.update, "Post", "p1", [.init("title", .set("two"))], by: ann)
    ])
    let history = try store.history("Post", "p1")
    #expect(history.map(\.effect) == [.live, .live])
    #expect(
      history[1].changes == [HistoryLine.Change(field: "title", before: "one", after: "two")])
    let first = try store.explain(created.dots[0])
    #expect(first.fields.first { $0.field == "title" }?.outcome == .overwritten)
    #expect(first.fields.first { $0.field == "title" }?.by == updated.dots[0])
    let second = try store.explain(updated.dots[0])
    #expect(second.fields.map(\.outcome) == [.wins])
    #expect(second.trace?.decision.isAllowed == true)
  }

  @Test func `writers of one process take turns and lose nothing`() async throws {
    let store = try Store.create(at: path("a"), schema: Self.schema)
    let author = ann
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for index in 0..<20 {
            _ = try store.submit([
              Operation(
                .create, "Post", RecordID("\(task)-\(index)"), [.init("title", .set("x"))],
                by: author)
            ])
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try store.vector.entries.map(\.seq) == [160])
    #expect(try store.verify().problems == [])
  }
}
