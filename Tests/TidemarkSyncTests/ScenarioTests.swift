import Testing
import Tidemark
import TidemarkEvents
import TidemarkSync
import TidemarkTesting

/// What becomes of writes between devices and their authority. `a3'` is pending, `a3~` void.
@Suite struct ScenarioTests {
  @Test func `a refused create is shown, then undone, and its author is told why`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let receipt = try phone.submit([create("p1", "Hello", by: .anonymous)])
    #expect(receipt.decision == .pending)
    #expect(try phone.titles() == ["p1": "Hello"])
    let exchange = try Replication.sync(phone, feed.cloud)
    #expect(exchange.toRight.rejectedCount == 1)
    #expect(try phone.titles().isEmpty)
    let rejection = try #require(try phone.rejections().first)
    #expect(rejection.line.dot == receipt.dots[0])
    #expect(rejection.line.reason?.code == "notSignedIn")
    #expect(rejection.before == [Value.Member("title", "Hello")])
    #expect(rejection.after.isEmpty)
    #expect(try phone.digest() == feed.cloud.digest())
    try phone.acknowledge(receipt.dots[0])
    #expect(try phone.rejections().map(\.isAcknowledged) == [true])
  }

  @Test func `lawful edits between an unlawful one and its tombstone survive`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let tablet = try feed.device("tablet")
    _ = try phone.submit([create("p1", "Ann's", by: ann)])
    _ = try Replication.sync(phone, feed.cloud)
    _ = try Replication.sync(tablet, feed.cloud)
    _ = try tablet.submit([retitle("p1", "Bob was here", by: bob)])
    feed.clock.advance(by: 10)
    _ = try tablet.submit([
      Operation(.update, "Post", "p1", [.init("likes", .add(2))], by: ann)
    ])
    feed.clock.advance(by: 10)
    _ = try phone.submit([
      Operation(.update, "Post", "p1", [.init("tags", .edit(add: ["x"], remove: []))], by: ann)
    ])
    #expect(try tablet.titles() == ["p1": "Bob was here"])
    for store in [phone, tablet, phone] { _ = try Replication.sync(store, feed.cloud) }
    for store in [phone, tablet, feed.cloud] {
      let post = try #require(try store.record("Post", "p1"))
      #expect(post["title"] == "Ann's")
      #expect(post["likes"] == 2)
      #expect(post["tags"] == ["x"])
      #expect(try store.verify().problems == [])
    }
    let rejection = try #require(try tablet.rejections().first)
    #expect(rejection.line.reason?.code == "notOwner")
    #expect(rejection.before == [Value.Member("title", "Bob was here")])
    #expect(rejection.after == [Value.Member("title", "Ann's")])
    #expect(rejection.dependents.count == 1)
  }

  @Test func `enforce refuses before anything is written`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone", .enforce)
    _ = try phone.submit([create("p1", "Ann's", by: ann)])
    let before = try (phone.digest(), phone.nextLSN)
    func refusal(_ operations: [Tidemark.Operation]) throws -> [String] {
      do {
        _ = try phone.submit(operations)
        return []
      } catch let error as AuthorizationError {
        return error.reasons.map(\.code)
      }
    }
    #expect(
      try refusal([retitle("p1", "mine", by: ann), retitle("p1", "stolen", by: bob)])
        == ["transactionRejected", "notOwner"])
    #expect(try refusal([retitle("nothing", "x", by: ann)]) == ["noSuchRecord"])
    #expect(try refusal([create("p1", "x", by: ann)]) == ["alreadyExists"])
    #expect(try (phone.digest(), phone.nextLSN) == before)
    let together = try phone.submit(transactions: [
      [retitle("p1", "stolen", by: bob)], [retitle("p1", "mine", by: ann)],
    ])
    #expect(together.map(\.decision) == [.rejected, .pending])
    #expect(together[0].dots.isEmpty)
    #expect(try phone.submit([delete("p1", by: admin)]).decision == .pending)
  }

  @Test func `nobody takes a record over by creating it at the same time`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let tablet = try feed.device("tablet")
    _ = try phone.submit([create("p1", "Ann's", by: ann)])
    _ = try tablet.submit([create("p1", "Bob's", by: bob)])
    for store in [phone, tablet, phone] { _ = try Replication.sync(store, feed.cloud) }
    #expect(try feed.cloud.titles() == ["p1": "Ann's"])
    #expect(try tablet.rejections().map { $0.line.reason?.code } == ["notOwner"])
    #expect(try tablet.digest() == feed.cloud.digest())
    #expect(try phone.digest() == feed.cloud.digest())
  }

  @Test func `what is built on a rejected create is rejected as well`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    _ = try phone.submit([create("p1", "No", by: .anonymous)])
    _ = try phone.submit([retitle("p1", "Nor this", by: ann)])
    _ = try phone.submit([create("p2", "Yes", by: ann)])
    _ = try Replication.sync(phone, feed.cloud)
    #expect(try phone.titles() == ["p2": "Yes"])
    #expect(try phone.rejections().map { $0.line.reason?.code } == ["notSignedIn", "noSuchRecord"])
  }

  @Test func `a stamp from the future is held to the authority's clock`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let tablet = try feed.device("tablet")
    let future = feed.clock.milliseconds + 86_400_000
    _ = try phone.submit([
      Operation(
        .create, "Post", "p1", [.init("title", .set("tomorrow"))], by: ann, at: future)
    ])
    _ = try Replication.sync(phone, feed.cloud)
    _ = try Replication.sync(tablet, feed.cloud)
    feed.clock.advance(by: 1000)
    _ = try tablet.submit([retitle("p1", "today", by: ann)])
    for store in [tablet, phone, tablet] { _ = try Replication.sync(store, feed.cloud) }
    for store in [phone, tablet, feed.cloud] {
      let post = try #require(try store.record("Post", "p1"))
      #expect(post["title"] == "today")
      #expect(post.created.stamp.milliseconds <= feed.clock.milliseconds)
      #expect(try store.digest() == feed.cloud.digest())
      #expect(try store.verify().problems == [])
    }
  }

  @Test func `two stores under one replica id fork, and nothing is lost`() throws {
    let feed = try Feed()
    let twin = ReplicaID(0x77)
    let phone = try feed.device("phone", replica: twin)
    let clone = try feed.device("clone", replica: twin)
    _ = try phone.submit([create("p1", "phone's", by: ann)])
    _ = try clone.submit([create("p2", "clone's", by: ann)])
    _ = try clone.submit([retitle("p2", "clone's, edited", by: ann)])
    _ = try Replication.sync(phone, feed.cloud)
    let healed = try Replication.sync(clone, feed.cloud)
    #expect((healed.toRight.forks + healed.toLeft.forks).map(\.eventCount) == [2])
    _ = try Replication.sync(phone, feed.cloud)
    for store in [phone, clone, feed.cloud] {
      #expect(try store.titles() == ["p1": "phone's", "p2": "clone's, edited"])
      #expect(try store.digest() == feed.cloud.digest())
      #expect(try store.verify().problems == [])
      #expect(try store.replay().agrees)
    }
    _ = try clone.submit([retitle("p2", "and on", by: ann)])
    _ = try Replication.sync(clone, feed.cloud)
    #expect(try feed.cloud.titles()["p2"] == "and on")
  }

  @Test func `two authorities that clamped one event unite on the lesser`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let second = try Store.create(
      at: feed.directory.path + "/second", schema: feedSchema, role: .authority,
      options: feed.clock.options)
    _ = try phone.submit([
      Operation(
        .create, "Post", "p1", [.init("title", .set("x"))], by: ann,
        at: feed.clock.milliseconds + 86_400_000)
    ])
    _ = try Replication.merge(from: phone, into: feed.cloud)
    feed.clock.advance(by: 5000)
    _ = try Replication.merge(from: phone, into: second)
    for _ in 0..<2 { _ = try Replication.sync(feed.cloud, second) }
    #expect(try feed.cloud.digest() == second.digest())
    #expect(try second.replay().agrees && feed.cloud.replay().agrees)
  }

  @Test func `an update that a concurrent delete ended is explained by the owner it had`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let tablet = try feed.device("tablet")
    _ = try phone.submit([create("p1", "x", by: ann)])
    for device in [phone, tablet] { _ = try Replication.sync(device, feed.cloud) }
    _ = try phone.submit([delete("p1", by: ann)])
    let late = try tablet.submit([retitle("p1", "y", by: ann)])
    for device in [phone, tablet] { _ = try Replication.sync(device, feed.cloud) }
    let explanation = try feed.cloud.explain(late.dots[0])
    #expect(explanation.line.status == .accepted)
    #expect(explanation.effect == .ended)
    #expect(explanation.trace?.decision.isAllowed == true)
  }

  @Test func `pending events do not travel between devices`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let tablet = try feed.device("tablet")
    _ = try phone.submit([create("p1", "x", by: ann)])
    _ = try Replication.merge(from: phone, into: tablet)
    #expect(try tablet.titles().isEmpty)
    _ = try Replication.sync(phone, feed.cloud)
    _ = try Replication.merge(from: phone, into: tablet)
    #expect(try tablet.titles() == ["p1": "x"])
    #expect(try tablet.digest() == feed.cloud.digest())
  }
}
