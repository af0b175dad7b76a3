import Testing
import Tidemark
import TidemarkEvents
import TidemarkSync
import TidemarkTesting

/// Random writes and exchanges between an authority and three devices: at every step each store's view
/// is what the naive model makes of its log, and at the end all agree.
@Suite struct RandomHistoryTests {
  @Test(arguments: [UInt64](1...120))
  func `stores converge, and every view is what the log gives`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let feed = try Feed()
    let devices = try [
      feed.device("d1"), feed.device("d2"), feed.device("d3", .enforce),
    ]
    let stores = devices + [feed.cloud]
    for step in 0..<30 {
      feed.clock.advance(by: UInt64.random(in: 0...5000, using: &generator))
      let store = try #require(stores.randomElement(using: &generator))
      if Int.random(in: 0..<3, using: &generator) > 0 {
        _ = try store.submit(transactions: [Self.transaction(feed, using: &generator)])
      } else {
        let other = try #require(stores.randomElement(using: &generator))
        guard other !== store else { continue }
        if Bool.random(using: &generator) {
          _ = try Replication.sync(store, other)
        } else {
          try Replication.merge(from: store, into: other)
        }
      }
      if step % 5 == 4 {
        for store in stores {
          #expect(try LogModel(store).differences(from: store) == [], "seed \(seed), step \(step)")
        }
      }
    }
    for _ in 0..<2 { for device in devices { _ = try Replication.sync(device, feed.cloud) } }
    let digest = try feed.cloud.digest()
    for store in stores {
      #expect(try store.digest() == digest, "seed \(seed)")
      #expect(try store.verify().problems == [], "seed \(seed)")
      #expect(try LogModel(store).differences(from: store) == [], "seed \(seed)")
    }
  }

  @Test(arguments: [UInt64](1...40))
  func `authorities that decide apart unite`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let feed = try Feed()
    let stores =
      try [feed.cloud]
      + ["north", "south"].map { name in
        try Store.create(
          at: feed.directory.path + "/" + name, schema: feedSchema, role: .authority,
          options: feed.clock.options)
      }
    for _ in 0..<25 {
      feed.clock.advance(by: UInt64.random(in: 0...5000, using: &generator))
      let store = try #require(stores.randomElement(using: &generator))
      let other = try #require(stores.randomElement(using: &generator))
      if Bool.random(using: &generator) || store === other {
        _ = try store.submit(transactions: [Self.transaction(feed, using: &generator)])
      } else {
        try Replication.merge(from: store, into: other)
      }
      #expect(try LogModel(store).differences(from: store) == [], "seed \(seed)")
    }
    for _ in 0..<3 {
      for source in stores {
        for target in stores where target !== source {
          try Replication.merge(from: source, into: target)
        }
      }
    }
    let digest = try feed.cloud.digest()
    for store in stores {
      #expect(try store.digest() == digest, "seed \(seed)")
      #expect(try store.verify().problems == [], "seed \(seed)")
      #expect(try LogModel(store).differences(from: store) == [], "seed \(seed)")
    }
  }

  private static func transaction(
    _ feed: Feed, using generator: inout SeededGenerator
  ) -> [Tidemark.Operation] {
    let actors = [ann, bob, admin, .anonymous]
    let count = Int.random(in: 1...3, using: &generator)
    var at: UInt64?
    if Int.random(in: 0..<6, using: &generator) == 0 {
      at = feed.clock.milliseconds &- 50_000 &+ UInt64.random(in: 0...400_000, using: &generator)
    }
    let actor = actors.randomElement(using: &generator) ?? ann
    return (0..<count).map { _ in
      let isPost = Bool.random(using: &generator)
      let id = RecordID("r\(Int.random(in: 0..<4, using: &generator))")
      let roll = Int.random(in: 0..<10, using: &generator)
      var changes: [Tidemark.Operation.Change] = []
      if roll < 9 {
        let text = Value.string("t\(Int.random(in: 0..<9, using: &generator))")
        changes.append(.init(isPost ? "title" : "text", .set(text)))
        if Bool.random(using: &generator) {
          let amount = Int64.random(in: -3...3, using: &generator)
          changes.append(.init(isPost ? "likes" : "stars", .add(amount)))
        }
        if isPost, Bool.random(using: &generator) {
          let element = Value.string("e\(Int.random(in: 0..<3, using: &generator))")
          let isAdd = Bool.random(using: &generator)
          changes.append(
            .init("tags", .edit(add: isAdd ? [element] : [], remove: isAdd ? [] : [element])))
        }
      }
      return Operation(
        roll < 4 ? .create : roll < 8 ? .update : .delete, isPost ? "Post" : "Note", id,
        roll < 8 ? changes : [], by: actor, at: at)
    }
  }
}
