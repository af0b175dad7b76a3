import Testing
import TidemarkEvents
import TidemarkMerge
import TidemarkSchema
import TidemarkTesting

/// The fold against the naive model, over random histories; a failure prints its seed.
@Suite struct FoldTests {
  static let policies: [Model.DeletePolicy] = [.deleteWins, .updateWins]

  static func rules(_ policy: Model.DeletePolicy) -> MergeRules {
    MergeRules(
      deletePolicy: policy, mergeTypes: [.register, .register, .counter, .set], ownerFields: [0])
  }

  /// Folds incrementally, as a store does.
  static func incremental(_ events: [FoldEvent], _ rules: MergeRules) -> RecordState {
    var state = RecordState()
    for (index, event) in events.enumerated() where state.apply(event, rules) == .needsFold {
      state = RecordState.fold(Array(events[...index]), rules)
    }
    return state
  }

  @Test(arguments: policies)
  func `every order of arrival gives the view that the naive model gives`(
    policy: Model.DeletePolicy
  ) {
    let rules = Self.rules(policy)
    for seed in UInt64(1)...400 {
      var generator = SeededGenerator(seed: seed)
      let history = RandomHistory(
        eventCount: Int.random(in: 1...14, using: &generator),
        replicaCount: Int.random(in: 1...4, using: &generator), using: &generator)
      let expected = NaiveRecord(history.events, rules)
      let folded = RecordState.fold(history.events, rules)
      #expect(NaiveRecord(folded, rules) == expected, "seed \(seed)")
      for _ in 0..<4 {
        let order = history.shuffled(using: &generator)
        #expect(order.count == history.events.count, "seed \(seed)")
        #expect(Self.incremental(order, rules) == folded, "seed \(seed), \(policy)")
      }
    }
  }

  @Test(arguments: policies)
  func `the incremental state equals the fold from nothing after every event`(
    policy: Model.DeletePolicy
  ) {
    let rules = Self.rules(policy)
    for seed in UInt64(1)...200 {
      var generator = SeededGenerator(seed: seed)
      let history = RandomHistory(eventCount: 12, replicaCount: 3, using: &generator)
      var state = RecordState()
      for (index, event) in history.events.enumerated() {
        let prefix = Array(history.events[...index])
        if state.apply(event, rules) == .needsFold { state = RecordState.fold(prefix, rules) }
        #expect(state == RecordState.fold(prefix, rules), "seed \(seed), event \(index)")
      }
    }
  }

  @Test(arguments: policies)
  func `a removed dot leaves what the others would have been without it`(
    policy: Model.DeletePolicy
  ) {
    let rules = Self.rules(policy)
    for seed in UInt64(1)...200 {
      var generator = SeededGenerator(seed: seed)
      let history = RandomHistory(eventCount: 10, replicaCount: 3, using: &generator)
      let void = Int.random(in: 0..<10, using: &generator)
      var rest = history.events
      rest.remove(at: void)
      let state = RecordState.fold(rest, rules)
      #expect(NaiveRecord(state, rules) == NaiveRecord(rest.reversed(), rules), "seed \(seed)")
    }
  }

  @Test func `a state's bytes give the state back, and cut bytes an error`() throws {
    for seed in UInt64(1)...100 {
      var generator = SeededGenerator(seed: seed)
      let history = RandomHistory(eventCount: 10, replicaCount: 3, using: &generator)
      let state = RecordState.fold(history.events, Self.rules(.deleteWins))
      var writer = ByteWriter()
      state.encode(into: &writer)
      let bytes = writer.toArray()
      var reader = ByteReader(bytes.rawBytes)
      #expect(try RecordState(from: &reader) == state, "seed \(seed)")
      for count in 0..<bytes.count {
        let cut = Array(bytes[..<count])
        var reader = ByteReader(cut.rawBytes)
        #expect(throws: CodecError.self, "seed \(seed), \(count) bytes") {
          _ = try RecordState(from: &reader)
        }
      }
    }
  }
}

/// The sentences of the semantics, one small history each. `a1` is replica a's first event.
@Suite struct SemanticsTests {
  static let a = ReplicaID(0xa)
  static let b = ReplicaID(0xb)

  static func event(
    _ replica: ReplicaID, _ seq: UInt64, at milliseconds: UInt64, _ kind: EventKind,
    seen: [(ReplicaID, UInt64)] = [], _ changes: [(Int, FieldOperation)] = []
  ) -> FoldEvent {
    var context = VersionVector(seen)
    context.set(replica, to: seq - 1)
    return FoldEvent(
      rank: Rank(Stamp(milliseconds: milliseconds), Dot(replica, seq)), kind: kind,
      context: context, changes: changes.map { FieldChange(field: $0.0, operation: $0.1) })
  }

  @Test func `of concurrent sets the greater stamp wins and the other is a conflict`() {
    let rules = FoldTests.rules(.deleteWins)
    let events = [
      Self.event(Self.a, 1, at: 1, .create, [(1, .set("old"))]),
      Self.event(Self.a, 2, at: 3, .update, [(1, .set("a's"))]),
      Self.event(Self.b, 1, at: 2, .update, seen: [(Self.a, 1)], [(1, .set("b's"))]),
    ]
    let state = RecordState.fold(events, rules)
    #expect(state.value(1) == "a's")
    #expect(state.conflicts == [1])
    let resolved = RecordState.fold(
      events + [Self.event(Self.b, 2, at: 4, .update, seen: [(Self.a, 2)], [(1, .set("both"))])],
      rules)
    #expect(resolved.value(1) == "both")
    #expect(resolved.conflicts.isEmpty)
  }

  @Test(arguments: [(Model.DeletePolicy.deleteWins, false), (.updateWins, true)])
  func `a concurrent update survives a delete only where updates win`(
    policy: Model.DeletePolicy, exists: Bool
  ) {
    let events = [
      Self.event(Self.a, 1, at: 1, .create, [(1, .set("x"))]),
      Self.event(Self.a, 2, at: 2, .delete),
      Self.event(Self.b, 1, at: 3, .update, seen: [(Self.a, 1)], [(2, .add(1))]),
    ]
    let state = FoldTests.incremental(events, FoldTests.rules(policy))
    #expect(state.exists == exists)
    #expect(state.value(1) == (exists ? "x" : nil))
  }

  @Test func `a deleted id begins a new life with none of the old fields`() {
    let events = [
      Self.event(
        Self.a, 1, at: 1, .create,
        [(1, .set("old")), (2, .add(5)), (3, .edit(add: ["t"], remove: []))]),
      Self.event(Self.a, 2, at: 2, .delete),
      Self.event(Self.a, 3, at: 3, .create, [(2, .add(1))]),
    ]
    let state = FoldTests.incremental(events, FoldTests.rules(.deleteWins))
    #expect(state.value(1) == nil)
    #expect(state.value(2) == 1)
    #expect(state.value(3) == nil)
    #expect(state.created == events[2].rank)
  }

  @Test func `an add that a remove had not seen stays`() {
    let events = [
      Self.event(Self.a, 1, at: 1, .create, [(3, .edit(add: ["x", "y"], remove: []))]),
      Self.event(
        Self.b, 1, at: 2, .update, seen: [(Self.a, 1)], [(3, .edit(add: ["x"], remove: []))]),
      Self.event(Self.a, 2, at: 3, .update, [(3, .edit(add: [], remove: ["x", "y"]))]),
    ]
    let state = FoldTests.incremental(events, FoldTests.rules(.deleteWins))
    #expect(state.value(3) == ["x"])
  }

  @Test func `the earliest create names the owner, unless an update changed it`() {
    let rules = FoldTests.rules(.deleteWins)
    let creates = [
      Self.event(Self.b, 1, at: 5, .create, [(0, .set("bob"))]),
      Self.event(Self.a, 1, at: 2, .create, [(0, .set("ann"))]),
    ]
    #expect(FoldTests.incremental(creates, rules).owner(0) == "ann")
    let handed =
      creates + [
        Self.event(Self.a, 2, at: 6, .update, seen: [(Self.b, 1)], [(0, .set("eve"))])
      ]
    #expect(FoldTests.incremental(handed, rules).owner(0) == "eve")
  }

  @Test func `a counter past what an integer holds shows the nearest and loses nothing`() {
    let events = [
      Self.event(Self.a, 1, at: 1, .create, [(2, .add(.max))]),
      Self.event(Self.a, 2, at: 2, .update, [(2, .add(.max))]),
      Self.event(Self.a, 3, at: 3, .update, [(2, .add(-.max))]),
    ]
    let rules = FoldTests.rules(.deleteWins)
    #expect(FoldTests.incremental(Array(events[..<2]), rules).value(2) == .int(.max))
    #expect(FoldTests.incremental(events, rules).value(2) == .int(.max))
  }
}
