import Testing
import Tidemark
import TidemarkTesting

/// Generated types that are related: reading, deleting, linking, defaults.
@Suite struct RelationTests {
  let store: Store
  let ann: Session
  let bob: Session
  let admin: Session

  init() throws {
    store = try Store.inMemory(schema: CodegenTests.schema("Forum"))
    ann = store.session(as: .user("ann"))
    bob = store.session(as: .user("bob"))
    admin = store.session(as: .user("eve", groups: ["Admins"]))
  }

  private func count() throws -> UInt64 { try store.vector.entries.first?.seq ?? 0 }

  @Test func `a record is read from another, and back`() throws {
    try ann.create(Member(id: "m1", name: "Ann"))
    try ann.create(Topic(id: "t1", title: "Low tide", authorId: "m1"))
    try ann.create(Topic(id: "t2", title: "Nobody's"))
    try ann.create(Reply(id: "r1", text: "Yes", topicRepliesId: "t1"))
    try bob.create(Reply(id: "r2", text: "No", topicRepliesId: "t1", replyInReplyToId: "r1"))
    let topic = try #require(try ann.get(Topic.self, "t1"))
    #expect(try topic.author(in: ann)?.name == "Ann")
    #expect(try topic.replies(in: ann).map(\.id) == ["r1", "r2"])
    #expect(try topic.answer(in: ann) == nil)
    let answer = try #require(try topic.replies(in: ann).last)
    #expect(try answer.topic(in: bob) == topic)
    #expect(try answer.inReplyTo(in: bob)?.id == "r1")
    let member = try #require(try topic.author(in: ann))
    #expect(try member.topics(in: ann) == [topic])
    let found = try ann.get(
      Topic.self, "t1", including: Topic.relations.author, Topic.relations.replies)
    let (read, author, replies) = try #require(found)
    #expect(read == topic && author == member && replies.count == 2)
    #expect(try ann.get(Topic.self, "t9", including: Topic.relations.author) == nil)
  }

  /// Everything that is read along with records is what is read of each alone, and what a look at all
  /// records gives.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `what is read ahead is what is read one by one`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    func id(_ letter: String) -> RecordID {
      RecordID("\(letter)\(Int.random(in: 0..<6, using: &generator))")
    }
    for _ in 0..<60 {
      let session = try #require([ann, bob, admin].randomElement(using: &generator))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: try session.save(Member(id: id("m"), name: "?"))
      case 1:
        let author = Bool.random(using: &generator) ? id("m") : nil
        try session.save(Topic(id: id("t"), title: "?", authorId: author, topicAnswerId: id("r")))
      case 2: try? session.create(Reply(id: id("r"), text: "?", topicRepliesId: id("t")))
      case 3: try? session.create(Profile(id: id("p"), memberId: id("m")))
      case 4: try session.save(Tag(id: id("g"), name: "?"))
      default: try session.link(Topic.relations.tags, of: id("t"), to: id("g"))
      }
    }
    for session in [ann, bob, admin] {
      let replies = try session.all(Reply.self)
      let tags = try session.all(Tag.self)
      let links = try session.all(TopicTags.self)
      let rows = try session.all(
        Topic.self, including: Topic.relations.author, Topic.relations.answer,
        Topic.relations.replies, Topic.relations.tags)
      #expect(try rows.map(\.0) == session.all(Topic.self), "seed \(seed)")
      for (topic, author, answer, its, tagged) in rows {
        #expect(try author == topic.authorId.flatMap { try session.get(Member.self, $0) })
        #expect(try answer == topic.topicAnswerId.flatMap { try session.get(Reply.self, $0) })
        #expect(its == replies.filter { $0.topicRepliesId == topic.id }, "seed \(seed)")
        let wanted = tags.filter { tag in
          links.contains { $0.topicId == topic.id && $0.tagId == tag.id }
        }
        #expect(tagged == wanted, "seed \(seed)")
        #expect(try topic.tags(in: session) == tagged && topic.author(in: session) == author)
      }
      let profiles = try session.all(Profile.self)
      let members = try session.all(Member.self)
      let theirs = try session.related(Member.relations.profile, of: members)
      for (member, profile) in zip(members, theirs) {
        #expect(profile == profiles.first { $0.memberId == member.id }, "seed \(seed)")
      }
      let back = try session.related(Tag.relations.topics, of: tags)
      for (tag, topics) in zip(tags, back) {
        #expect(
          topics == rows.filter { $0.4.contains(tag) }.map(\.0), "seed \(seed)")
      }
    }
    #expect(try store.verify().problems == [], "seed \(seed)")
  }

  @Test func `a relation shows what the principal may read of the other model`() throws {
    try ann.create(Member(id: "m1", name: "Ann"))
    try ann.create(Profile(id: "p1", memberId: "m1"))
    let member = try #require(try bob.get(Member.self, "m1"))
    #expect(try member.profile(in: ann)?.owner == "ann")
    #expect(try member.profile(in: bob) == nil)
    #expect(try member.profile(in: admin) != nil)
    let all = try bob.all(Member.self, including: Member.relations.profile)
    #expect(all.count == 1 && all[0].1 == nil)
    #expect(
      try store.withSnapshot { try $0.related(Member.relations.profile, of: [member]) }
        .map { $0?.id } == ["p1"])
  }

  @Test func `a delete is denied while others name the record, with the first of them`() throws {
    try ann.create(Member(id: "m1", name: "Ann"))
    for number in 10..<23 {
      try ann.create(Topic(id: RecordID("t\(number)"), title: "?", authorId: "m1"))
    }
    let before = try count()
    let error = #expect(throws: DeleteDenied.self) { try ann.delete(Member.self, "m1") }
    #expect(error?.count == 13)
    #expect(error?.ids.map(\.string) == (10..<20).map { "t\($0)" })
    #expect(error?.model == "Member" && error?.id == "m1")
    #expect(error?.holderModel == "Topic" && error?.key == "authorId")
    #expect(error?.description.contains("13 of Topic name it by authorId: t10, t11") == true)
    #expect(try count() == before)
    try ann.write { transaction in
      for number in 10..<23 {
        try transaction.update(Topic.self, RecordID("t\(number)")) { $0.authorId = nil }
      }
      try transaction.delete(Member.self, "m1")
    }
    #expect(try ann.all(Member.self).isEmpty)
  }

  @Test
  func `a cascade is events of the same transaction, and those that name what goes lose their key`()
    throws
  {
    try ann.create(Topic(id: "t1", title: "Low tide"))
    try ann.create(Topic(id: "t2", title: "High tide"))
    try ann.create(Tag(id: "g1", name: "sea"))
    try ann.link(Topic.relations.tags, of: "t1", to: "g1")
    try ann.create(Reply(id: "r1", text: "1", topicRepliesId: "t1"))
    try ann.create(Reply(id: "r2", text: "2", topicRepliesId: "t1", replyInReplyToId: "r1"))
    try ann.create(Reply(id: "r3", text: "3", topicRepliesId: "t2", replyInReplyToId: "r1"))
    try ann.delete(Topic.self, "t1")
    #expect(try ann.all(Reply.self).map(\.id) == ["r3"])
    #expect(try ann.get(Reply.self, "r3")?.replyInReplyToId == nil)
    #expect(try ann.all(TopicTags.self).isEmpty)
    #expect(try ann.all(Tag.self).count == 1)
    let last = try #require(try store.history("Topic", "t1").last?.line)
    let other = try #require(try store.history("Reply", "r1").last?.line)
    #expect(last.transaction == other.transaction)
    #expect(try store.danglingReferences().isEmpty)
    #expect(try store.verify().problems == [])
  }

  @Test func `one that may not be deleted keeps all, and the error says which`() throws {
    try ann.create(Topic(id: "t1", title: "Low tide"))
    try ann.create(Reply(id: "r1", text: "mine", topicRepliesId: "t1"))
    try bob.create(Reply(id: "r2", text: "his", topicRepliesId: "t1"))
    let before = try count()
    let error = #expect(throws: AuthorizationError.self) { try ann.delete(Topic.self, "t1") }
    #expect(error?.reason?.code == "notOwner")
    #expect(error?.reason?.message.contains("Topic t1: Reply r2 would be deleted with it") == true)
    #expect(try count() == before)
    // Nothing of it is in a transaction that goes on.
    try ann.write { transaction in
      try? transaction.delete(Topic.self, "t1")
      try transaction.update(Topic.self, "t1") { $0.state = .closed }
    }
    #expect(try count() == before + 1)
    #expect(try ann.all(Reply.self).count == 2)
    try admin.delete(Topic.self, "t1")
    #expect(try ann.all(Reply.self).isEmpty)
  }

  @Test func `a link is made once for each who makes it, and unlinking takes all`() throws {
    try ann.create(Topic(id: "t1", title: "Low tide"))
    try ann.create(Tag(id: "g1", name: "sea"))
    try ann.link(Topic.relations.tags, of: "t1", to: "g1")
    let after = try count()
    try ann.link(Tag.relations.topics, of: "g1", to: "t1")
    #expect(try count() == after)
    let made = try #require(try ann.all(TopicTags.self).first)
    #expect(made.id.string.utf8.dropFirst(14).first == UInt8(ascii: "8"))
    // Another store comes to the same.
    let other = try Store.inMemory(schema: CodegenTests.schema("Forum"))
    try other.session(as: .user("ann")).link(Tag.relations.topics, of: "g1", to: "t1")
    #expect(try other.session(as: .user("ann")).all(TopicTags.self) == [made])
    let topic = try #require(try ann.get(Topic.self, "t1"))
    #expect(try topic.tags(in: ann).map(\.id) == ["g1"])
    try bob.unlink(Topic.relations.tags, of: "t1", from: "g1")
    #expect(try topic.tags(in: ann).isEmpty)
    let parted = try count()
    try bob.unlink(Topic.relations.tags, of: "t1", from: "g1")
    #expect(try count() == parted)
    let error = #expect(throws: StoreError.self) {
      try ann.link(Topic.relations.replies, of: "t1", to: "r1")
    }
    #expect(error?.code == .misuse)
  }

  @Test func `a default is filled in where a create leaves it out, and shown where it was not`()
    throws
  {
    try ann.create(Topic(id: "t1", title: "Low tide"))
    let event = try #require(try store.history("Topic", "t1").last?.line.event)
    #expect(event.changes.map(\.field) == [0, 1, 2, 3])
    // Also where only an operation was given.
    _ = try store.submit([
      Operation(
        .create, "Topic", "t2", [.init("title", .set("High tide")), .init("views", .set(.int(3)))],
        by: .user("ann"))
    ])
    let second = try #require(try ann.get(Topic.self, "t2"))
    #expect(second == Topic(id: "t2", title: "High tide", views: 3))
    #expect(try store.record("Topic", "t2")?["state"] == "OPEN")
    // Not where nothing is to be created.
    try ann.update(Topic.self, "t2") { $0.isPinned = nil }
    #expect(try ann.get(Topic.self, "t2")?.isPinned == nil)
    #expect(try store.verify().problems == [])
  }

  @Test func `records from before a field was there show its default`() throws {
    let before = """
      input AMPLIFY { globalAuthRule: AuthRule = { allow: private } }
      type Topic @model { title: String! }
      """
    let store = try Store.inMemory(schema: before)
    let session = store.session(as: .user("ann"))
    _ = try store.submit([
      Operation(.create, "Topic", "t1", [.init("title", .set("Low tide"))], by: .user("ann"))
    ])
    try store.adopt(schema: CodegenTests.schema("Forum"))
    #expect(try session.get(Topic.self, "t1") == Topic(id: "t1", title: "Low tide"))
    #expect(try store.withSnapshot { try $0.all(Topic.self) }.first?.state == .open)
    #expect(try store.record("Topic", "t1")?["views"] == .int(0))
    // What is shown is no change.
    let vector = try store.vector
    try session.save(Topic(id: "t1", title: "Low tide"))
    #expect(try store.vector == vector)
    try session.update(Topic.self, "t1") { $0.isPinned = nil }
    #expect(try session.get(Topic.self, "t1")?.isPinned == nil)
    #expect(try store.verify().problems == [])
  }
}
