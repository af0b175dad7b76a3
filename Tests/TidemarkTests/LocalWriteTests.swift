import Testing
import Tidemark
import TidemarkEvents
import TidemarkTesting

/// Local writes through every place where rows lie: the tail, the tree, the runs.
@Suite struct LocalWriteTests {
  static let schema = """
    type Post @model @auth(rules: [
      { allow: owner }, { allow: groups, groups: ["Admins"], operations: [delete] }
    ]) {
      title: String! owner: String likes: Int @merge(as: counter) tags: [String] @merge(as: set)
      date: AWSDate
    }
    """

  let directory = try? TemporaryDirectory()

  /// What a store should hold, kept the naive way.
  struct Model {
    struct Post: Equatable {
      var title: String
      var owner: String
      var likes: Int64 = 0
      var tags: Set<String> = []
    }

    var posts: [RecordID: Post] = [:]
  }

  /// Thresholds so small that rows move all the time.
  static func options(_ generator: inout SeededGenerator) -> StoreOptions {
    var options = StoreOptions()
    options.durability = Bool.random(using: &generator) ? .relaxed : .full
    options.tuning.segmentRowCount = Int.random(in: 1...40, using: &generator)
    options.tuning.runRowCount = Int.random(in: 1...20, using: &generator)
    options.tuning.treeRowCount = Int.random(in: 2...30, using: &generator)
    options.tuning.mergeStepRowCount = Int.random(in: 1...50, using: &generator)
    options.tuning.journalByteCount = 8192 << Int.random(in: 0...4, using: &generator)
    return options
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `what is written is what is there, wherever it lies`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let path = try #require(directory).path + "/s"
    let options = Self.options(&generator)
    var store = try Store.create(at: path, schema: Self.schema, options: options)
    var model = Model()
    for step in 0..<400 {
      let user = ["ann", "bob", "cid"].randomElement(using: &generator) ?? ""
      let isAdmin = Int.random(in: 0..<8, using: &generator) == 0
      let principal = Principal.user(user, groups: isAdmin ? ["Admins"] : [])
      let plan = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
        Step.random(using: &generator)
      }
      let posts = try store.model("Post")
      let before = model
      let result = Result {
        try store.write(as: principal) { transaction in
          for step in plan { try step.run(posts, &transaction) }
        }
      }
      let expected = Result { for step in plan { try step.run(&model, user, isAdmin) } }
      switch (result, expected) {
      case (.success, .success): break
      case (.failure(let error as AuthorizationError), .failure(let wanted as Refused)):
        #expect(error.reason?.code == wanted.code, "seed \(seed) step \(step)")
        model = before
      default:
        Issue.record("seed \(seed) step \(step): \(result) and not \(expected)")
        return
      }
      if Int.random(in: 0..<8, using: &generator) == 0 {
        let id = Step.id(using: &generator)
        let found = try store.record("Post", id)
        #expect(found.map(Model.Post.init) == model.posts[id], "seed \(seed) step \(step)")
        #expect(try read(store, id) == model.posts[id], "seed \(seed) step \(step)")
      }
      switch Int.random(in: 0..<60, using: &generator) {
      case 0:
        try check(store, model, "seed \(seed) step \(step)")
      case 1:
        store.close()
        store = try Store.open(at: path, options: options)
      case 2:
        // Another opening takes over while the first still has a tail.
        let other = try Store.open(at: path, options: options)
        try check(other, model, "seed \(seed) step \(step), elsewhere")
      default: break
      }
    }
    try check(store, model, "seed \(seed) at the end")
    store.close()
    try check(Store.open(at: path), model, "seed \(seed), opened again")
  }

  /// Through the typed reader.
  private func read(_ store: Store, _ id: RecordID) throws -> Model.Post? {
    try store.get(store.model("Post"), id: id) { try Model.Post($0, store.model("Post")) }
  }

  @Test func `what one opening has written another sees at once, and goes on`() throws {
    let path = try #require(directory).path + "/s"
    let first = try Store.create(at: path, schema: Self.schema)
    let second = try Store.open(at: path)
    let (mine, theirs) = (try first.model("Post"), try second.model("Post"))
    let (title, theirTitle) = (try mine.field("title"), try theirs.field("title"))
    for number in 0..<20 {
      // Neither closes; each finds what the other left in the journal.
      try first.write(as: .user("ann")) {
        try $0.create(mine, id: RecordID("a\(number)")) { try $0.set(title, "first") }
      }
      #expect(
        try second.get(theirs, id: RecordID("a\(number)")) { try $0.string(theirTitle) }
          == "first")
      try second.write(as: .user("ann")) {
        try $0.update(theirs, id: RecordID("a\(number)")) { try $0.set(theirTitle, "second") }
      }
      #expect(try first.record("Post", RecordID("a\(number)"))?["title"] == "second")
    }
    #expect(try first.verify().problems == [])
    #expect(try second.vector.entries.map(\.seq) == [40])
  }

  @Test func `writers at once share syncs and lose nothing`() async throws {
    let path = try #require(directory).path + "/s"
    let store = try Store.create(at: path, schema: Self.schema)
    let posts = try store.model("Post")
    let title = try posts.field("title")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<32 {
        group.addTask {
          for number in 0..<20 {
            let id = RecordID("\(writer)-\(number)")
            try await store.write(as: .user("u\(writer)")) {
              try $0.create(posts, id: id) { try $0.set(title, "x") }
            }
            // What was answered is there.
            #expect(try store.get(posts, id: id) { try $0.string(title) } == "x")
          }
        }
      }
      try await group.waitForAll()
    }
    var count = 0
    try store.forEach(posts) { _ in
      count += 1
      return true
    }
    #expect(count == 640)
    #expect(try store.verify().problems == [])
  }

  @Test func `a transaction that does not fit the journal is written all the same`() throws {
    let path = try #require(directory).path + "/s"
    var options = StoreOptions()
    options.tuning.journalByteCount = 8192
    let store = try Store.create(at: path, schema: Self.schema, options: options)
    let posts = try store.model("Post")
    let title = try posts.field("title")
    let text = String(repeating: "x", count: 1000)
    for round in 0..<4 {
      try store.write(as: .user("ann")) {
        try $0.create(posts, id: RecordID("small-\(round)")) { try $0.set(title, "s") }
      }
      try store.write(as: .user("ann")) { transaction in
        for number in 0..<100 {
          try transaction.create(posts, id: RecordID("\(round)-\(number)")) {
            try $0.set(title, text)
          }
        }
      }
    }
    #expect(try store.record("Post", "3-99")?["title"] == .string(text))
    #expect(try store.record("Post", "small-3")?["title"] == "s")
    #expect(try store.verify().problems == [])
    store.close()
    #expect(try Store.open(at: path).vector.entries.map(\.seq) == [404])
  }

  @Test func `edits of one field leave a record in its line`() throws {
    let path = try #require(directory).path + "/s"
    let store = try Store.create(at: path, schema: Self.schema, role: .device)
    let cloud = try Store.create(
      at: #require(directory).path + "/c", schema: Self.schema, role: .authority)
    let posts = try store.model("Post")
    let title = try posts.field("title")
    try store.write(as: .user("ann")) {
      try $0.create(posts, id: "p") { try $0.set(title, "0") }
    }
    for number in 1...30 {
      let refused = number % 7 == 0
      let result = Result {
        try store.write(as: .user(refused ? "bob" : "ann")) { transaction in
          try transaction.update(posts, id: "p") { try $0.set(title, "\(number)") }
          if number % 5 == 0 { throw CancellationError() }
        }
      }
      let expected = (1...number).last { $0 % 7 != 0 && $0 % 5 != 0 } ?? 0
      #expect((try? result.get()) == nil || expected == number)
      #expect(try store.get(posts, id: "p") { try $0.string(title) } == "\(expected)")
    }
    let page = try store.page(after: nil, for: cloud.knowledge())
    let outcome = try cloud.take(page, from: store.identity.logID)
    #expect(outcome.failure == nil && outcome.rejectedCount == 0)
    #expect(try cloud.record("Post", "p")?["title"] == "29")
    #expect(try cloud.digest().view == store.digest().view)
    #expect(try store.replay().agrees && cloud.replay().agrees)
    #expect(try cloud.verify().problems == [])
  }

  private func check(_ store: Store, _ model: Model, _ comment: Comment) throws {
    var found: [RecordID: Model.Post] = [:]
    var last: RecordID?
    try store.forEachRecord(of: "Post") { view in
      if let last { #expect(last < view.id, comment) }
      last = view.id
      found[view.id] = Model.Post(view)
      return true
    }
    #expect(found == model.posts, comment)
    var typed: [RecordID: Model.Post] = [:]
    let posts = try store.model("Post")
    try store.forEach(posts) { record in
      typed[record.id] = try Model.Post(record, posts)
      return true
    }
    #expect(typed == model.posts, comment)
    #expect(try store.verify().problems == [], comment)
  }

  struct Refused: Error {
    let code: String
  }

  enum Step: Sendable {
    case create(RecordID, String)
    case title(RecordID, String)
    case like(RecordID, Int64)
    case tag(RecordID, String, Bool)
    case delete(RecordID)

    static func id(using generator: inout SeededGenerator) -> RecordID {
      let number = Int.random(in: 0..<60, using: &generator)
      return number < 30
        ? RecordID("text-\(number)") : RecordID("6ba7b810-9dad-11d1-80b4-00c04fd430\(number)")
    }

    static func random(using generator: inout SeededGenerator) -> Step {
      let id = id(using: &generator)
      let text = "t\(Int.random(in: 0..<1000, using: &generator))"
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<4: return .create(id, text)
      case 4, 5: return .title(id, text)
      case 6, 7: return .like(id, Int64.random(in: -3...9, using: &generator))
      case 8: return .tag(id, String(text.prefix(2)), Bool.random(using: &generator))
      default: return .delete(id)
      }
    }

    func run(_ posts: ModelReference, _ transaction: inout LocalTransaction) throws {
      switch self {
      case .create(let id, let text):
        // Out of the schema's order, and without the owner, who is filled in.
        try transaction.create(posts, id: id) {
          try $0.set(posts.field("date"), "2026-01-31")
          try $0.set(posts.field("title"), text)
        }
      case .title(let id, let text):
        try transaction.update(posts, id: id) { try $0.set(posts.field("title"), text) }
      case .like(let id, let amount):
        try transaction.update(posts, id: id) { try $0.add(posts.field("likes"), amount) }
      case .tag(let id, let tag, let isIn):
        try transaction.update(posts, id: id) {
          let tags: [Value] = [.string(tag)]
          try $0.edit(posts.field("tags"), insert: isIn ? tags : [], remove: isIn ? [] : tags)
        }
      case .delete(let id): try transaction.delete(posts, id: id)
      }
    }

    func run(_ model: inout Model, _ user: String, _ isAdmin: Bool) throws {
      func change(_ id: RecordID, _ body: (inout Model.Post) -> Void) throws {
        guard var post = model.posts[id] else { throw Refused(code: "noSuchRecord") }
        guard post.owner == user else { throw Refused(code: "notOwner") }
        body(&post)
        model.posts[id] = post
      }
      switch self {
      case .create(let id, let text):
        guard model.posts[id] == nil else { throw Refused(code: "alreadyExists") }
        model.posts[id] = Model.Post(title: text, owner: user)
      case .title(let id, let text): try change(id) { $0.title = text }
      case .like(let id, let amount): try change(id) { $0.likes += amount }
      case .tag(let id, let tag, let isIn):
        try change(id) { if isIn { $0.tags.insert(tag) } else { $0.tags.remove(tag) } }
      case .delete(let id):
        if !isAdmin { try change(id) { _ in } }
        guard model.posts.removeValue(forKey: id) != nil else {
          throw Refused(code: "noSuchRecord")
        }
      }
    }
  }
}

extension LocalWriteTests.Model.Post {
  init(_ record: borrowing RecordReader, _ posts: ModelReference) throws {
    self.init(
      title: try record.string(posts.field("title")) ?? "",
      owner: try record.string(posts.field("owner")) ?? "")
    likes = try record.integer(posts.field("likes")) ?? 0
    if case .list(let tags) = try record.value(posts.field("tags")) {
      self.tags = Set(tags.compactMap(\.stringValue))
    }
  }

  init(_ view: RecordView) {
    self.init(title: view["title"]?.stringValue ?? "", owner: view.owner?.stringValue ?? "")
    if case .int(let likes) = view["likes"] { self.likes = likes }
    if case .list(let tags) = view["tags"] { self.tags = Set(tags.compactMap(\.stringValue)) }
  }
}
