import Testing
import Tidemark
import TidemarkEvents
import TidemarkSync
import TidemarkTesting

/// What a device's app is told of its refused events, and what it can do about them.
@Suite struct RejectionTests {
  private func refusedPhone(_ feed: Feed) throws -> (phone: Store, dots: [Dot]) {
    let phone = try feed.device("phone")
    _ = try phone.submit([create("p1", "One", by: ann)])
    _ = try Replication.sync(phone, feed.cloud)
    let dots = try [
      phone.submit([retitle("p1", "Bob's", by: bob)]).dots[0],
      phone.submit([create("p2", "Nobody's", by: .anonymous)]).dots[0],
    ]
    _ = try Replication.sync(phone, feed.cloud)
    return (phone, dots)
  }

  @Test(.timeLimit(.minutes(1)))
  func
    `an app is told what waits, then what comes, each once, and never of what is not undone yet`()
    async throws
  {
    let feed = try Feed()
    let (phone, dots) = try refusedPhone(feed)
    var updates = phone.rejectionUpdates(pollSeconds: 30).makeAsyncIterator()
    var told: [Dot] = []
    for _ in 0..<2 {
      let rejection = try #require(try await updates.next())
      told.append(rejection.line.dot)
      #expect(try phone.titles() == ["p1": "One"])
    }
    #expect(told == dots)
    try phone.acknowledge(dots[0])
    // A third comes while the app waits.
    let third = try phone.submit([delete("p1", by: bob)]).dots[0]
    let task = Task { () -> Dot? in
      var iterator = updates
      return try await iterator.next()?.line.dot
    }
    try await Task.sleep(for: .milliseconds(50))
    _ = try Replication.sync(phone, feed.cloud)
    #expect(try await task.value == third)

    // After a restart what was not acknowledged comes again, and no more.
    let path = phone.directory
    phone.close()
    let again = try Store.open(at: path)
    var repeated = again.rejectionUpdates().makeAsyncIterator()
    #expect(try await repeated.next()?.line.dot == dots[1])
    #expect(try await repeated.next()?.line.dot == third)
    var bobs = again.rejectionUpdates(as: bob).makeAsyncIterator()
    #expect(try await bobs.next()?.line.dot == third)
  }

  @Test(.timeLimit(.minutes(1)))
  func `one that was acknowledged between two looks is passed over`() async throws {
    let feed = try Feed()
    let (phone, dots) = try refusedPhone(feed)
    let third = try phone.submit([delete("p1", by: bob)]).dots[0]
    _ = try Replication.sync(phone, feed.cloud)
    var updates = phone.rejectionUpdates().makeAsyncIterator()
    #expect(try await updates.next()?.line.dot == dots[0])
    try phone.acknowledge(dots[1])
    #expect(try await updates.next()?.line.dot == third)
  }

  @Test(.timeLimit(.minutes(1)))
  func `the sequence ends when its task is cancelled, also while it waits`() async throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    let task = Task {
      var count = 0
      for try await _ in phone.rejectionUpdates(pollSeconds: 60) { count += 1 }
      return count
    }
    try await Task.sleep(for: .milliseconds(30))
    task.cancel()
    #expect(try await task.value == 0)
  }

  @Test
  func `what is submitted again cites what was refused, in one commit with its acknowledgement`()
    throws
  {
    let feed = try Feed()
    let (phone, dots) = try refusedPhone(feed)
    let asked = try phone.refusedOperations(dots[0])
    #expect(asked.map(\.id) == ["p1"])
    let receipt = try phone.resubmit(dots[0]) { operations in
      operations[0] = create("p3", "Bob's own", by: bob)
    }
    let line = try phone.logLine(receipt.dots[0])
    #expect(line.cites == dots[0] && line.status == .pending)
    let rejection = try #require(try phone.rejections().first { $0.line.dot == dots[0] })
    #expect(rejection.isAcknowledged && rejection.resubmitted == receipt.dots[0])
    expect(.misuse) { _ = try phone.resubmit(dots[0]) }
    expect(.notFound) { _ = try phone.resubmit(receipt.dots[0]) }
    expect(.misuse) {
      _ = try phone.resubmit(dots[1]) { $0[0].principal = ann }
    }
    _ = try Replication.sync(phone, feed.cloud)
    // The citation travels.
    #expect(try feed.cloud.logLine(receipt.dots[0]).cites == dots[0])
    #expect(try feed.cloud.titles() == ["p1": "One", "p3": "Bob's own"])
    #expect(try phone.verify().problems == [])
  }

  @Test func `a device that enforces refuses it again, and then nothing has changed`() throws {
    let feed = try Feed()
    let (phone, dots) = try refusedPhone(feed)
    let path = phone.directory
    let before = try phone.rejections().map(\.isAcknowledged)
    phone.close()
    let again = try Store.open(at: path)
    // Optimistic as it is, this one takes it; what cannot be stored at all it does not.
    expect(.invalid) {
      _ = try again.resubmit(dots[0]) { $0[0].changes = [.init("nothing", .set("x"))] }
    }
    #expect(try again.rejections().map(\.isAcknowledged) == before)
    #expect(try again.refusedOperations(dots[1])[0].changes == [.init("title", .set("Nobody's"))])
  }

  private func expect(_ code: StoreError.Code, _ body: () throws -> Void) {
    let error = #expect(throws: StoreError.self) { try body() }
    #expect(error?.code == code)
  }
}
