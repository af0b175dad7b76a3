import Testing
import TidemarkEvents
import TidemarkSync
import TidemarkTesting

@testable import Tidemark

/// Several users on one device: whose work waits, goes, is kept, handed over or given up.
@Suite struct PrincipalTests {
  /// Ann and Bob have both written on one phone, by turns, and nothing is decided.
  private func sharedPhone(_ feed: Feed) throws -> Store {
    let phone = try feed.device("phone")
    _ = try phone.submit([create("a1", "Ann's", by: ann)])
    _ = try phone.submit([create("b1", "Bob's", by: bob)])
    feed.clock.advance(by: 10)
    _ = try phone.submit([retitle("a1", "Ann's again", by: ann)])
    _ = try phone.submit([retitle("b1", "Bob's again", by: bob)])
    return phone
  }

  private func check(_ stores: Store...) throws {
    for store in stores {
      #expect(try store.verify().problems == [])
      #expect(try store.replay().agrees)
    }
  }

  @Test func `who signs out leaves nothing that others send, judge or see, and finds it again`()
    throws
  {
    let feed = try Feed()
    let phone = try sharedPhone(feed)
    let before = try phone.digest()
    let receipt = try phone.signOut(ann, .keep)
    #expect(receipt.eventCount == 2 && receipt.operations.count == 2)
    #expect(try phone.titles() == ["b1": "Bob's again"])
    #expect(
      try phone.waitingWork().map(\.isKept) == [false, true]
        && phone.waitingWork().map(\.eventCount) == [2, 2])
    #expect(try phone.history("Post", "a1").isEmpty)
    try check(phone)
    _ = try Replication.sync(phone, feed.cloud)
    #expect(try feed.cloud.titles() == ["b1": "Bob's again"])
    feed.clock.advance(by: 1000)
    _ = try phone.submit([retitle("b1", "Bob alone", by: bob)])
    _ = try Replication.sync(phone, feed.cloud)

    let path = phone.directory
    phone.close()
    let again = try Store.open(at: path, options: feed.clock.options)
    #expect(try again.signIn(bob) == 0)
    #expect(try again.signIn(ann) == 2)
    #expect(try again.signIn(ann) == 0)
    #expect(try again.titles() == ["a1": "Ann's again", "b1": "Bob alone"])
    try check(again)
    let exchange = try Replication.sync(again, feed.cloud)
    #expect(exchange.toRight.takenCount == 2 && exchange.toRight.rejectedCount == 0)
    #expect(try feed.cloud.digest() == again.digest())
    #expect(try feed.cloud.digest() != before)
    try check(again, feed.cloud)
    // Stamps are those of the writing.
    let events = try feed.cloud.history("Post", "a1").map(\.line.stamp.milliseconds)
    #expect(events == [1_700_000_000_000, 1_700_000_000_010])
  }

  @Test func `what is given up is on the receipt, and gone`() throws {
    let feed = try Feed()
    let phone = try sharedPhone(feed)
    let receipt = try phone.signOut(bob, .discard)
    #expect(
      receipt.operations.map { $0[0].changes.first?.operation }
        == [.set("Bob's"), .set("Bob's again")])
    #expect(try phone.signIn(bob) == 0)
    _ = try Replication.sync(phone, feed.cloud)
    #expect(try feed.cloud.titles() == ["a1": "Ann's again"])
    #expect(try phone.digest() == feed.cloud.digest())
    try check(phone, feed.cloud)
  }

  @Test func `what is handed over is judged as the other's`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let note = Operation(.create, "Note", "n1", [.init("text", .set("x"))], by: ann)
    _ = try phone.submit([note])
    let receipt = try phone.signOut(ann, .handOver(to: bob))
    #expect(receipt.dots.count == 1)
    _ = try Replication.sync(phone, feed.cloud)
    #expect(try feed.cloud.logLine(receipt.dots[0]).event?.principal == bob)
    expect(.misuse) { _ = try phone.signOut(bob, .handOver(to: bob)) }
    expect(.misuse) { _ = try phone.signOut(bob, .handOver(to: .anonymous)) }
    expect(.misuse) { _ = try feed.cloud.signOut(bob, .keep) }
    try check(phone, feed.cloud)
  }

  @Test func `a device that enforces refuses a hand-over that the rules do, and changes nothing`()
    throws
  {
    let feed = try Feed()
    let phone = try feed.device("phone", .enforce)
    _ = try phone.submit([create("a1", "Ann's", by: ann)])
    _ = try Replication.sync(phone, feed.cloud)
    _ = try phone.submit([retitle("a1", "Ann's again", by: ann)])
    #expect(throws: AuthorizationError.self) { try phone.signOut(ann, .handOver(to: bob)) }
    #expect(try phone.titles() == ["a1": "Ann's again"])
    #expect(try phone.waitingWork().map(\.principal) == [ann])
  }

  @Test func `only the work of who is signed in goes, and the rest says why it waits`() throws {
    let feed = try Feed()
    let phone = try sharedPhone(feed)
    func held(_ credentials: [Credential]) throws -> [HeldWork] {
      try Replication.sync(phone, feed.cloud, credentials: credentials).toRight.held
    }
    let expired = Credential(ann, expiresMilliseconds: feed.clock.milliseconds)
    #expect(
      try held([expired]) == [
        HeldWork(principal: ann, reason: .expired, eventCount: 2),
        HeldWork(principal: bob, reason: .notSignedIn, eventCount: 2),
      ])
    #expect(try feed.cloud.titles().isEmpty)
    #expect(
      try held([Credential(ann, expiresMilliseconds: feed.clock.milliseconds + 1)]) == [
        HeldWork(principal: bob, reason: .notSignedIn, eventCount: 2),
        HeldWork(principal: ann, reason: .behind, eventCount: 1),
      ])
    #expect(try feed.cloud.titles() == ["a1": "Ann's"])
    // Once bob has signed out, nothing holds ann's work up.
    _ = try phone.signOut(bob, .keep)
    #expect(try held([Credential(ann)]).isEmpty)
    #expect(try feed.cloud.titles() == ["a1": "Ann's again"])
    #expect(try phone.signIn(bob) == 2)
    #expect(try held([Credential(ann), Credential(bob)]).isEmpty)
    #expect(try feed.cloud.digest() == phone.digest())
    try check(phone, feed.cloud)
  }

  @Test func `work in one record by two users survives that one of them signs out and in again`()
    throws
  {
    let feed = try Feed()
    let phone = try feed.device("phone")
    func note(_ kind: EventKind, _ text: String, _ principal: Principal) -> Tidemark.Operation {
      Operation(kind, "Note", "n1", [.init("text", .set(.string(text)))], by: principal)
    }
    _ = try phone.submit([note(.create, "Ann's", ann)])
    _ = try Replication.sync(phone, feed.cloud)
    _ = try phone.submit([note(.update, "bob 1", bob)])
    _ = try phone.submit([note(.update, "ann 2", ann)])
    _ = try phone.signOut(bob, .keep)
    #expect(try phone.record("Note", "n1")?["text"] == "ann 2")
    _ = try phone.signOut(ann, .keep)
    #expect(try phone.record("Note", "n1")?["text"] == "Ann's")
    _ = try phone.signIn(ann)
    _ = try phone.signIn(bob)
    try check(phone)
    _ = try Replication.sync(phone, feed.cloud)
    #expect(try feed.cloud.digest() == phone.digest())
    #expect(try feed.cloud.record("Note", "n1")?["text"] == "ann 2")
    try check(feed.cloud)
  }

  @Test func `several credentials are tried in the order of modes, and all travel with the event`()
    throws
  {
    let feed = try Feed()
    let phone = try feed.device("phone", .enforce)
    let both = try #require(Principal(credentials: [.anonymous, ann]))
    let receipt = try phone.submit([
      Operation(.create, "Post", "p1", [.init("title", .set("Hi"))], by: both)
    ])
    #expect(try phone.record("Post", "p1")?.owner == "ann")
    _ = try Replication.sync(phone, feed.cloud)
    let line = try feed.cloud.logLine(receipt.dots[0])
    #expect(line.event?.principal == both && line.status == .accepted)
    #expect(try feed.cloud.explain(receipt.dots[0]).trace?.decision.isAllowed == true)
    #expect(throws: AuthorizationError.self) {
      try phone.submit([retitle("p1", "x", by: .anonymous)])
    }
    // What any of them may read is readable.
    #expect(try phone.record("Post", "p1", as: both) != nil)
  }

  @Test func `an app asks for its buttons what it would be told on trying`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone", .enforce)
    _ = try phone.submit([create("p1", "One", by: ann)])
    #expect(try phone.can(.delete, "Post", "p1", as: ann).isAllowed)
    #expect(try phone.can(.delete, "Post", "p1", as: admin).isAllowed)
    #expect(try phone.can(.delete, "Post", "p1", as: bob).denial?.code == .notOwner)
    #expect(try phone.can(.create, "Post", "p1", as: bob).denial?.code == .alreadyExists)
    #expect(try phone.can(.create, "Post", as: bob).isAllowed)
    #expect(try phone.can(.update, "Post", "p2", as: bob).denial?.code == .noSuchRecord)
    let anns = try phone.permissions(for: "Post", "p1", as: ann)
    #expect(anns.update.isAllowed && anns["title"]?.write.isAllowed == true)
    #expect(anns["owner"]?.write.denial?.code == .ownerChange)
    let bobs = try phone.permissions(for: "Post", "p1", as: bob)
    #expect(bobs.read.isAllowed && !bobs.update.isAllowed && bobs["title"]?.read.isAllowed == true)
    let new = try phone.permissions(for: "Post", as: .anonymous)
    #expect(new.create.denial?.code == .notSignedIn)
    expect(.notFound) { _ = try phone.permissions(for: "Nothing", as: ann) }
  }

  @Test(arguments: 1...40)
  func `whoever signs in and out, and whatever schema is taken, all stores come to one view`(
    seed: Int
  ) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let feed = try Feed()
    let devices = [try feed.device("phone"), try feed.device("tablet", .enforce)]
    let users = [ann, bob, admin]
    let schemas = [
      feedSchema, "# another\n" + feedSchema, feedSchema + "type Extra @model { x: Int }",
    ]
    func pick<T>(_ choices: [T]) -> T {
      choices[Int.random(in: 0..<choices.count, using: &random)]
    }
    func operation() -> Tidemark.Operation {
      let model = pick(["Post", "Note", "Note"])
      let field = model == "Post" ? "title" : "text"
      let kind = pick([EventKind.create, .create, .update, .update, .update, .delete])
      return Operation(
        kind, model, RecordID("\(pick([1, 2, 3, 4]))"),
        kind == .delete ? [] : [.init(field, .set(.string(pick(["a", "b", "c"]))))],
        by: pick(users))
    }
    for _ in 0..<40 {
      feed.clock.advance(by: 3)
      let device = pick(devices)
      switch Int.random(in: 0..<12, using: &random) {
      case 0: try device.signOut(pick(users), .keep)
      case 1: try device.signIn(pick(users))
      case 2: try pick(devices + [feed.cloud]).adopt(schema: pick(schemas))
      case 3, 4:
        let signedIn = users.filter { _ in Bool.random(using: &random) }.map { Credential($0) }
        _ = try Replication.sync(device, feed.cloud, credentials: signedIn)
      case 5: try device.signOut(pick(users), .discard)
      default:
        let operations = (0..<pick([1, 1, 2])).map { _ in operation() }
        _ = try? device.submit(operations)
      }
      let problems = try device.verify().problems.map { "\($0.code): \($0.message)" }
      guard problems.isEmpty else {
        Issue.record("seed \(seed): \(problems)")
        return
      }
    }
    for device in devices {
      for user in users { try device.signIn(user) }
      #expect(try device.waitingWork().allSatisfy { !$0.isKept })
    }
    for device in devices + devices { _ = try Replication.sync(device, feed.cloud) }
    for store in devices + [feed.cloud] {
      try store.adopt(schema: feedSchema)
      let problems = try store.verify().problems.map { "\($0.code): \($0.message)" }
      if !problems.isEmpty { Issue.record("seed \(seed): \(problems)") }
      #expect(try store.replay().agrees, "seed \(seed)")
      #expect(try store.digest() == feed.cloud.digest(), "seed \(seed)")
    }
  }

  private func expect(_ code: StoreError.Code, _ body: () throws -> Void) {
    let error = #expect(throws: StoreError.self) { try body() }
    #expect(error?.code == code)
  }
}
