import Synchronization
import Testing
import Tidemark
import TidemarkEvents
import TidemarkSync
import TidemarkTesting

/// Live views: each result is what a query gives, each difference leads from one to the next.
@Suite struct ObservationTests {
  struct Post: Record, Equatable {
    static let modelName = "Post"
    static let fieldNames = ["title", "likes", "content"]
    enum Fields {
      static let title = RecordField<Post, String>("title")
      static let likes = CounterField<Post>("likes")
    }

    var id: RecordID
    var title: String
    var likes: Int64 = 0
    var content: String?

    init(id: RecordID, title: String) {
      self.id = id
      self.title = title
    }

    init(from decoder: borrowing RecordDecoder) throws(StoreError) {
      id = decoder.id
      title = try decoder.required(0)
      likes = try decoder.counter(1)
      content = try decoder.optional(2)
    }

    func encode(into encoder: inout RecordEncoder) throws(StoreError) {
      try encoder.set(0, title)
      try encoder.set(1, likes)
      try encoder.set(2, content)
    }
  }

  private func next<S: AsyncIteratorProtocol>(
    _ iterator: inout S
  ) async throws -> S.Element { try #require(await iterator.next()) }

  @Test func `the first result comes at once, and then each change of it`() async throws {
    let store = try Store.inMemory(schema: feedSchema)
    let session = store.session(as: ann)
    try await session.create(Post(id: "p1", title: "b"))
    var updates = session.query(Post.self).sorted(by: Post.Fields.title).updates()
      .makeAsyncIterator()
    var update = try await next(&updates)
    #expect(update.records.map(\.id) == ["p1"])
    #expect(update.inserted == [0])
    #expect(!update.isSynced)

    try await session.create(Post(id: "p2", title: "a"))
    update = try await next(&updates)
    #expect(update.records.map(\.id) == ["p2", "p1"])
    #expect(update.inserted == [0] && update.removed == [] && update.moved == [])

    try await session.update(Post.self, "p2") { $0.title = "c" }
    update = try await next(&updates)
    #expect(update.records.map(\.title) == ["b", "c"])
    #expect(update.moved.count == 1 && update.updated == [1])

    try await session.delete(Post.self, "p1")
    update = try await next(&updates)
    #expect(update.records.map(\.id) == ["p2"])
    #expect(update.removed == [0])
  }

  @Test func `changes say what changed and why, and what is undone`() async throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    var changes = try phone.session(as: ann).changes(of: Post.self).makeAsyncIterator()
    _ = try phone.submit([create("p1", "One", by: ann)])
    var change = try await next(&changes)
    #expect(change.id == "p1" && change.kind == .create && change.cause == .local)
    #expect(change.fields.contains("title") && change.record?.title == "One")

    // Bob may not write to Ann's post; the phone shows it until the authority says so.
    _ = try phone.submit([retitle("p1", "Bob's", by: bob)])
    change = try await next(&changes)
    #expect(change.cause == .local && change.record?.title == "Bob's")
    _ = try Replication.sync(phone, feed.cloud)
    change = try await next(&changes)
    guard case .undone(let reason) = change.cause else {
      Issue.record("the refused update is undone, not \(change.cause)")
      return
    }
    #expect(reason.code == "notOwner" && change.record?.title == "One")

    _ = try feed.cloud.submit([
      Operation(.delete, "Post", "p1", by: admin)
    ])
    _ = try Replication.sync(phone, feed.cloud)
    change = try await next(&changes)
    #expect(change.kind == .delete && change.cause == .remote && change.record == nil)

    // Who comes back goes on where they stopped.
    let all = try phone.session(as: ann).changes(of: Post.self, after: 0)
    var again = all.makeAsyncIterator()
    var seen: [UInt64] = []
    for _ in 0..<4 { seen.append(try await next(&again).lsn) }
    #expect(seen == seen.sorted() && Set(seen).count == 4)
    var rest = try phone.session(as: ann).changes(of: Post.self, after: seen[1])
      .makeAsyncIterator()
    #expect(try await next(&rest).lsn == seen[2])
  }

  @Test func `a result says when an authority has decided everything`() async throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    _ = try feed.cloud.submit([create("p0", "Zero", by: bob)])
    _ = try Replication.sync(phone, feed.cloud)
    var updates = phone.session(as: ann).query(Post.self).updates().makeAsyncIterator()
    #expect(try await next(&updates).isSynced)
    _ = try phone.submit([create("p1", "One", by: ann)])
    #expect(try await next(&updates).isSynced == false)
    _ = try Replication.sync(phone, feed.cloud)
    let update = try await next(&updates)
    #expect(update.isSynced && update.records.count == 2 && update.inserted == [])
    var there = feed.cloud.session(as: ann).query(Post.self).updates().makeAsyncIterator()
    #expect(try await next(&there).isSynced)
  }

  @Test func `nobody is shown what they may not read`() async throws {
    let schema = """
      type Post @model @auth(rules: [{ allow: owner }]) {
        title: String!
        likes: Int @merge(as: counter)
        content: String
      }
      """
    let store = try Store.inMemory(schema: schema)
    var results = store.session(as: ann).query(Post.self).updates().makeAsyncIterator()
    var changes = try store.session(as: ann).changes(of: Post.self).makeAsyncIterator()
    #expect(try await next(&results).records.isEmpty)
    try await store.session(as: bob).create(Post(id: "b1", title: "Bob's"))
    try await store.session(as: bob).delete(Post.self, "b1")
    try await store.session(as: ann).create(Post(id: "a1", title: "Ann's"))
    #expect(try await next(&results).records.map(\.id) == ["a1"])
    #expect(try await next(&changes).id == "a1")
  }

  @Test func `an observation ends with its task and with its store`() async throws {
    let store = try Store.inMemory(schema: feedSchema)
    let session = store.session(as: ann)
    let task = Task {
      var count = 0
      for try await _ in session.query(Post.self).updates() { count += 1 }
      return count
    }
    let other = Task {
      var count = 0
      for try await _ in try session.changes(of: Post.self) { count += 1 }
      return count
    }
    while !task.isCancelled {
      try await Task.sleep(for: .milliseconds(5))
      task.cancel()
    }
    #expect(try await task.value <= 1)
    try await Task.sleep(for: .milliseconds(5))
    store.close()
    #expect(try await other.value == 0)
  }

  @Test func `an observer that never reads is told little, and catches up at once`() async throws {
    let store = try Store.inMemory(schema: feedSchema)
    let session = store.session(as: ann)
    var updates = session.query(Post.self).updates().makeAsyncIterator()
    var changes = try session.changes(of: Post.self).makeAsyncIterator()
    _ = try await next(&updates)
    for batch in 0..<10 {
      try await session.write { transaction in
        for number in 0..<1_000 {
          try transaction.create(Post(id: RecordID("p\(batch * 1_000 + number)"), title: "x"))
        }
      }
    }
    var update = try await next(&updates)
    while update.records.count < 10_000 { update = try await next(&updates) }
    #expect(update.records.count == 10_000)
    var ids: Set<RecordID> = []
    for _ in 0..<10_000 { ids.insert(try await next(&changes).id) }
    #expect(ids.count == 10_000)
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `results and differences agree with a fresh query`(seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    let feed = try Feed()
    let (phone, other) = (try feed.device("phone"), try feed.device("other"))
    let session = phone.session(as: ann)
    var query = session.query(Post.self)
    if Bool.random(using: &generator) { query = query.where(Post.Fields.title > "c") }
    if Bool.random(using: &generator) {
      query = query.sorted(
        by: Post.Fields.title, Bool.random(using: &generator) ? .ascending : .descending)
    }
    if Bool.random(using: &generator) {
      query = query.limit(Int.random(in: 1...6, using: &generator))
    }
    if Bool.random(using: &generator) { query = query.offset(2) }
    var updates = query.updates(pollSeconds: 60).makeAsyncIterator()
    var shown = try await next(&updates).records
    for _ in 0..<120 {
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let id = RecordID("p\(Int.random(in: 0..<16, using: &generator))")
        let title = String(UnicodeScalar(UInt8.random(in: 97...105, using: &generator)))
        let author = [ann, bob].randomElement(using: &generator) ?? ann
        let store = [phone, other].randomElement(using: &generator) ?? phone
        switch Int.random(in: 0..<6, using: &generator) {
        case 0, 1: _ = try store.submit([create(id, title, by: author)])
        case 2, 3: _ = try store.submit([retitle(id, title, by: author)])
        case 4: _ = try store.submit([delete(id, by: author)])
        default:
          _ = try Replication.sync(other, feed.cloud)
          _ = try Replication.sync(phone, feed.cloud)
        }
      }
      let wanted = try query.fetch()
      // What is equal is not told.
      while shown != wanted {
        let update = try await next(&updates)
        #expect(Self.applying(update, to: shown) == update.records, "seed \(seed)")
        shown = update.records
      }
    }
  }

  /// The result before, changed as the update says: what a list in an app does.
  private static func applying(_ update: QueryUpdate<Post>, to before: [Post]) -> [Post?] {
    var after = [Post?](repeating: nil, count: update.records.count)
    for place in update.inserted { after[place] = update.records[place] }
    for move in update.moved { after[move.to] = before[move.from] }
    let gone = Set(update.removed + update.moved.map(\.from))
    var stays = before.indices.filter { !gone.contains($0) }[...]
    for place in after.indices where after[place] == nil {
      after[place] = stays.popFirst().map { before[$0] }
    }
    for place in update.updated { after[place] = update.records[place] }
    return after
  }
}
