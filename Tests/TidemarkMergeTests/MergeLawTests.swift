import Testing
import TidemarkEvents
import TidemarkMerge
import TidemarkSchema
import TidemarkTesting

/// The laws of merging: what a set of events folds to does not depend on how it came together.
@Suite struct MergeLawTests {
  /// Every order in which no event stands before one that it has seen.
  static func linearisations(_ events: [FoldEvent]) -> [[FoldEvent]] {
    if events.isEmpty { return [[]] }
    return events.indices.filter { index in
      !events.contains { events[index].context.contains($0.rank.dot) }
    }.flatMap { index -> [[FoldEvent]] in
      var rest = events
      let first = rest.remove(at: index)
      return linearisations(rest).map { [first] + $0 }
    }
  }

  @Test(arguments: FoldTests.policies)
  func `all linearisations of six events give one view`(policy: Model.DeletePolicy) {
    let rules = FoldTests.rules(policy)
    for seed in UInt64(1)...60 {
      var generator = SeededGenerator(seed: seed)
      let history = RandomHistory(eventCount: 6, replicaCount: 3, using: &generator)
      let expected = NaiveRecord(history.events, rules)
      for order in Self.linearisations(history.events) {
        let state = FoldTests.incremental(order, rules)
        #expect(NaiveRecord(state, rules) == expected, "seed \(seed)")
      }
    }
  }

  /// What a log that holds some events and takes those of another ends up with.
  static func union(_ left: [FoldEvent], _ right: [FoldEvent]) -> [FoldEvent] {
    left + right.filter { event in !left.contains { $0.rank.dot == event.rank.dot } }
  }

  /// A log: a part of a history that is closed under causality.
  static func log(
    _ history: RandomHistory, using generator: inout SeededGenerator
  ) -> [FoldEvent] {
    let order = history.shuffled(using: &generator)
    return Array(order.prefix(Int.random(in: 0...order.count, using: &generator)))
  }

  @Test(arguments: FoldTests.policies)
  func `merging is commutative, associative and idempotent, and what the model says`(
    policy: Model.DeletePolicy
  ) {
    let rules = FoldTests.rules(policy)
    for seed in UInt64(1)...300 {
      var generator = SeededGenerator(seed: seed)
      let history = RandomHistory(eventCount: 12, replicaCount: 4, using: &generator)
      let (a, b, c) = (
        Self.log(history, using: &generator), Self.log(history, using: &generator),
        Self.log(history, using: &generator)
      )
      func view(_ events: [FoldEvent]) -> NaiveRecord {
        NaiveRecord(FoldTests.incremental(events, rules), rules)
      }
      let ab = view(Self.union(a, b))
      #expect(ab == view(Self.union(b, a)), "commutative, seed \(seed)")
      #expect(ab == NaiveRecord(Self.union(a, b), rules), "the model, seed \(seed)")
      #expect(
        view(Self.union(Self.union(a, b), c)) == view(Self.union(a, Self.union(b, c))),
        "associative, seed \(seed)")
      #expect(view(Self.union(a, a)) == view(a), "idempotent, seed \(seed)")
    }
  }

  @Test(arguments: FoldTests.policies)
  func `tombstones may come in any order, and twice`(policy: Model.DeletePolicy) {
    let rules = FoldTests.rules(policy)
    for seed in UInt64(1)...100 {
      var generator = SeededGenerator(seed: seed)
      let history = RandomHistory(eventCount: 10, replicaCount: 3, using: &generator)
      let void = Set(history.events.shuffled(using: &generator).prefix(3).map(\.rank.dot))
      let expected = NaiveRecord(history.events.filter { !void.contains($0.rank.dot) }, rules)
      for first in void {
        // One is void before the events come, the others after, one of them twice.
        var events = history.shuffled(using: &generator).filter { $0.rank.dot != first }
        for dot in void.union([first]) { events.removeAll { $0.rank.dot == dot } }
        #expect(NaiveRecord(RecordState.fold(events, rules), rules) == expected, "seed \(seed)")
      }
    }
  }
}
