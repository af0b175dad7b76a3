import Testing
import Tidemark
import TidemarkEvents
import TidemarkLMDB
import TidemarkSync
import TidemarkTesting

/// What must survive a rejection, a stale page, and a backup that was brought back.
@Suite struct SurvivalTests {
  @Test func `lawful edits between an unlawful one and its tombstone survive`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let tablet = try feed.device("tablet")
    try feed.cloud.submit([create("p", "Ann's", by: ann)])
    for device in [phone, tablet] { _ = try Replication.sync(device, feed.cloud) }
    func like(_ amount: Int64, _ tag: Value) -> Tidemark.Operation {
      Operation(
        .update, "Post", "p",
        [.init("likes", .add(amount)), .init("tags", .edit(add: [tag], remove: []))], by: ann)
    }
    // On the phone, offline: a lawful edit, bob's unlawful one, and lawful ones on top of it.
    try phone.submit([like(1, "a")])
    let unlawful = try phone.submit([
      Operation(
        .update, "Post", "p",
        [.init("title", .set("Bob's")), .init("tags", .edit(add: ["bob"], remove: ["a"]))], by: bob)
    ])
    try phone.submit([like(2, "b")])
    try phone.submit([
      Operation(.update, "Post", "p", [.init("content", .set("Ann's words"))], by: ann)
    ])
    // Elsewhere, at the same time: another lawful one.
    try tablet.submit([like(4, "c")])
    #expect(try phone.record("Post", "p")?["title"] == "Bob's")

    _ = try Replication.sync(tablet, feed.cloud)
    _ = try Replication.sync(phone, feed.cloud)
    _ = try Replication.sync(tablet, feed.cloud)

    for store in [phone, tablet, feed.cloud] {
      let view = try #require(try store.record("Post", "p"))
      #expect(view["title"] == "Ann's")
      #expect(view["content"] == "Ann's words")
      #expect(view["likes"] == 7)
      #expect(view["tags"] == ["a", "b", "c"])
      #expect(try LogModel(store).differences(from: store) == [])
    }
    let rejection = try #require(try phone.rejections().first)
    #expect(rejection.line.dot == unlawful.dots[0])
    #expect(rejection.dependents.count == 2)
    #expect(try phone.rejections().count == 1)
  }

  /// A device whose disk can be put back to an earlier state, as the same file.
  private func device(_ feed: Feed) throws -> (store: Store, memory: StoreMemory) {
    var options = feed.clock.options
    let memory = StoreMemory()
    options.memory = memory
    let store = try Store.create(
      at: "device", schema: feedSchema, acceptance: .optimistic, replica: ReplicaID(7),
      options: options)
    return (store, memory)
  }

  private func reopened(_ feed: Feed, _ memory: StoreMemory) throws -> Store {
    var options = feed.clock.options
    options.memory = memory
    return try Store.open(at: "device", options: options)
  }

  @Test
  func `a page that was made before a backup was brought back is refused, and nothing is lost`()
    throws
  {
    let feed = try Feed()
    let (store, memory) = try device(feed)
    let empty = memory.disk.image
    try feed.cloud.submit([create("p", "first", by: ann)])
    _ = try Replication.sync(store, feed.cloud)
    try feed.cloud.submit([create("q", "second", by: ann)])
    let logID = try feed.cloud.identity.logID
    let late = try feed.cloud.page(after: store.cursor(for: logID), for: store.knowledge())
    store.abandon()
    memory.disk.restore(empty)

    let restored = try reopened(feed, memory)
    #expect(try restored.take(late, from: logID).failure?.code == .early)
    #expect(try restored.cursor(for: logID) == nil)
    _ = try Replication.sync(restored, feed.cloud)
    #expect(try restored.titles() == ["p": "first", "q": "second"])
  }

  @Test func `what was issued again after a fork is found when a backup is brought back`() throws {
    let feed = try Feed()
    let (store, memory) = try device(feed)
    try feed.cloud.submit([create("p", "post", by: ann)])
    _ = try Replication.sync(store, feed.cloud)
    let original = memory.disk.image
    func like(_ store: Store) throws {
      try store.submit([Operation(.update, "Post", "p", [.init("likes", .add(1))], by: ann)])
    }
    // One state of the store writes and is heard.
    try store.submit([retitle("p", "theirs", by: ann)])
    _ = try Replication.sync(store, feed.cloud)
    store.abandon()
    memory.disk.restore(original)
    // An earlier one writes under the same dot, and is backed up before it is heard.
    var restored = try reopened(feed, memory)
    try like(restored)
    _ = try restored.vector  // What is in the journal goes into the tables.
    let pending = memory.disk.image
    let first = try Replication.sync(restored, feed.cloud).toRight
    #expect(first.forks.count == 1)
    #expect(try feed.cloud.record("Post", "p")?["likes"] == 1)
    restored.abandon()
    memory.disk.restore(pending)

    restored = try reopened(feed, memory)
    let second = try Replication.sync(restored, feed.cloud).toRight
    #expect(second.forks.map(\.replica) == first.forks.map(\.replica))
    #expect(try feed.cloud.record("Post", "p")?["likes"] == 1)
    #expect(try restored.digest() == feed.cloud.digest())
    #expect(try restored.verify().problems == [])
  }
}
