internal import TidemarkEvents
public import TidemarkMerge

/// One record's events as several replicas write them, each having seen some of the others'.
public struct RandomHistory: Sendable {
  /// In an order in which no event stands before one that it has seen.
  public private(set) var events: [FoldEvent] = []

  /// Fields 0 and 1 are registers (0 the owner's), 2 a counter, 3 a set.
  public init(
    eventCount: Int, replicaCount: Int, using generator: inout some RandomNumberGenerator
  ) {
    let replicas = (1...replicaCount).map { ReplicaID(UInt64($0) << 40 | 0xa) }
    var vectors = [VersionVector](repeating: VersionVector(), count: replicaCount)
    var clocks = [HybridClock](repeating: HybridClock(), count: replicaCount)
    for _ in 0..<eventCount {
      let writer = Int.random(in: 0..<replicaCount, using: &generator)
      if replicaCount > 1, Bool.random(using: &generator) {
        let other = Int.random(in: 0..<replicaCount, using: &generator)
        vectors[writer].formUnion(vectors[other])
        clocks[writer].observe(clocks[other].last)
      }
      let context = vectors[writer]
      let dot = Dot(replicas[writer], context[replicas[writer]] + 1)
      vectors[writer].raise(dot.replica, to: dot.seq)
      let wall = UInt64.random(in: 1...40, using: &generator)
      guard let stamp = clocks[writer].tick(wallMilliseconds: wall) else { return }
      events.append(
        RandomHistory.event(Rank(stamp, dot), context, using: &generator))
    }
  }

  private static func event(
    _ rank: Rank, _ context: VersionVector, using generator: inout some RandomNumberGenerator
  ) -> FoldEvent {
    let roll = Int.random(in: 0..<10, using: &generator)
    let kind: EventKind = roll < 3 ? .create : roll < 8 ? .update : .delete
    var changes: [FieldChange] = []
    if kind != .delete {
      func value(_ max: Int64) -> Value { .int(Int64.random(in: 0..<max, using: &generator)) }
      if Bool.random(using: &generator) {
        changes.append(FieldChange(field: 0, operation: .set(value(3))))
      }
      if Bool.random(using: &generator) {
        changes.append(FieldChange(field: 1, operation: .set(value(9))))
      }
      if Bool.random(using: &generator) {
        changes.append(
          FieldChange(field: 2, operation: .add(Int64.random(in: -3...3, using: &generator))))
      }
      if Bool.random(using: &generator) {
        changes.append(
          FieldChange(field: 3, operation: .edit(add: [value(4)], remove: [value(4)])))
      }
    }
    return FoldEvent(rank: rank, kind: kind, context: context, changes: changes)
  }

  /// The same events in another order in which none stands before one that it has seen.
  public func shuffled(using generator: inout some RandomNumberGenerator) -> [FoldEvent] {
    var rest = events
    var order: [FoldEvent] = []
    var vector = VersionVector()
    while !rest.isEmpty {
      let ready = rest.indices.filter { rest[$0].dependencies(within: events).isSubset(of: vector) }
      guard let index = ready.randomElement(using: &generator) else { break }
      let event = rest.remove(at: index)
      vector.raise(event.rank.dot.replica, to: event.rank.dot.seq)
      order.append(event)
    }
    return order
  }
}

extension FoldEvent {
  /// What of its context is among these events.
  fileprivate func dependencies(within events: [FoldEvent]) -> VersionVector {
    VersionVector(
      events.filter { context.contains($0.rank.dot) }.map { ($0.rank.dot.replica, $0.rank.dot.seq) }
    )
  }
}
