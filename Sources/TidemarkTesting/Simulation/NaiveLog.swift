internal import TidemarkEvents
internal import TidemarkMerge

/// A record, by its model's place in the schema.
struct NaiveKey: Hashable {
  let model: Int
  let id: RecordID
}

/// An event as the naive model keeps it.
struct NaiveEvent {
  let dot: Dot
  let stamp: Stamp
  var effective: Stamp
  let context: VersionVector
  let event: Event
  let label: String

  var fold: FoldEvent {
    FoldEvent(
      rank: Rank(effective, dot), kind: event.kind, context: context, changes: event.changes)
  }
}

/// What one log holds, in arrays and sets: the oracle that a store is compared with.
struct NaiveLog {
  struct Place {
    let lsn: UInt64
    let dot: Dot
    let isTombstone: Bool
  }

  /// Highest seq by replica.
  var vector = VersionVector()
  var lastStamps: [ReplicaID: Stamp] = [:]
  var void: Set<Dot> = []
  var records: [NaiveKey: [NaiveEvent]] = [:]
  /// The record of each dot whose payload it holds.
  var keys: [Dot: NaiveKey] = [:]
  /// Dots whose clamp it has been seen to hold.
  var clamped: Set<Dot> = []
  /// Payloads by the label of their transaction: how many events, and the first dot.
  var payloads: [String: (count: Int, first: Dot)] = [:]
  /// Tombstones by label.
  var voided: [String: Int] = [:]
  /// The greatest stamp that its clock must have seen, at an authority.
  var latest = Stamp.zero
  /// In the log's order.
  var places: [Place] = []
  var lastLSN: UInt64 = 0

  /// The events of a record that count.
  func live(_ key: NaiveKey) -> [NaiveEvent] {
    guard let events = records[key] else { return [] }
    return void.isEmpty ? events : events.filter { !void.contains($0.dot) }
  }

  mutating func setEffective(_ dot: Dot, _ stamp: Stamp) -> NaiveKey? {
    guard let key = keys[dot], let index = records[key]?.firstIndex(where: { $0.dot == dot })
    else { return nil }
    records[key]?[index].effective = stamp
    return key
  }
}

/// A failure of a run: what did not hold, where, and in words.
struct SimulationViolation: Error {
  let invariant: Invariant
  let message: String
}
