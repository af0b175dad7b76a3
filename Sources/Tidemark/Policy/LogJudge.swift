internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

// Judges a log's transactions, one after another, by the rules of any schema, as an authority would
// that takes them in this order. What it keeps is its own: the store's rows say what the store's own
// decisions came to, and here others may be refused.
//
// One that goes *onward* takes what was decided as it was decided, and judges what is pending: what
// would come of it if these rules held from now on.
//
// Invariant, between transactions: `states[k]` is the fold of `accepted[k]`.

/// A transaction of a log with all that judging it needs.
struct JudgedTransaction {
  let replica: ReplicaID
  let firstSeq: UInt64
  let resolved: Catalog.Resolved
  let events: [Event]
  /// Where the log holds the events; `nil` where only the quarantine does.
  let lsn: UInt64?
  /// By place; empty where all are the events' own.
  let effective: [Stamp]
  /// What the author had seen, without its own replica.
  let context: VersionVector
  let was: VerdictChange.Verdict
  /// For each event, where it was refused.
  let wasReasons: [Reason]

  func dot(_ index: Int) -> Dot { Dot(replica, firstSeq + UInt64(index)) }

  func stamp(_ index: Int) -> Stamp {
    effective.isEmpty ? events[index].stamp : effective[index]
  }

  func context(_ index: Int) -> VersionVector {
    var whole = context
    whole.set(replica, to: firstSeq + UInt64(index) - 1)
    return whole
  }

  func foldEvent(_ index: Int, _ catalog: Catalog) throws -> FoldEvent {
    FoldEvent(
      rank: Rank(stamp(index), dot(index)), kind: events[index].kind, context: context(index),
      changes: try catalog.changes(events[index], resolved))
  }
}

/// What judging a transaction came to.
struct TransactionVerdict {
  /// The place of the event that was refused, and why; `nil` where all are accepted.
  var refused: (index: Int, denial: Denial)?
  /// For each event, where they are accepted.
  var rules: [String?] = []
}

final class LogJudge {
  private let snapshot: Snapshot
  private let catalog: Catalog
  private let isOnward: Bool
  private var states: [RecordKey: RecordState] = [:]
  /// What is kept of events to fold them again: where the log holds them; past `quarantined`, counted
  /// down from the greatest number, the place in that.
  private var accepted: [RecordKey: [UInt64]] = [:]
  /// Those that only the quarantine holds.
  private var quarantined: [FoldEvent] = []

  init(_ snapshot: Snapshot, _ catalog: Catalog, isOnward: Bool) {
    self.snapshot = snapshot
    self.catalog = catalog
    self.isOnward = isOnward
  }

  func judge(
    _ item: JudgedTransaction, _ tx: borrowing ReadTransaction
  ) throws -> TransactionVerdict {
    var verdict = TransactionVerdict()
    if isOnward, item.was == .rejected { return verdict }
    if item.events.count == 1 {
      let key = try catalog.key(item.events[0], item.resolved)
      let state = states[key] ?? RecordState()
      let checked = try check(item, 0, key, state, [], tx)
      if let denial = checked.denial {
        verdict.refused = (0, denial)
        return verdict
      }
      verdict.rules = [checked.rule]
      // In place: nothing else holds the state while it changes.
      let event = try item.foldEvent(0, catalog)
      let rules = catalog.mergeRules(key.model)
      if states[key, default: RecordState()].apply(event, rules) == .needsFold {
        states[key] = RecordState.fold(try events(key, tx) + [event], rules)
      }
      keep(item, 0, key, event)
      return verdict
    }
    return try judgeWhole(item, tx)
  }

  /// All events of a transaction or none.
  private func judgeWhole(
    _ item: JudgedTransaction, _ tx: borrowing ReadTransaction
  ) throws -> TransactionVerdict {
    var verdict = TransactionVerdict()
    var changed: [RecordKey: RecordState] = [:]
    var folded: [RecordKey: [FoldEvent]] = [:]
    var keys: [(RecordKey, FoldEvent)] = []
    for index in item.events.indices {
      let key = try catalog.key(item.events[index], item.resolved)
      var state = changed[key] ?? states[key] ?? RecordState()
      let checked = try check(item, index, key, state, folded[key] ?? [], tx)
      if let denial = checked.denial {
        verdict.refused = (index, denial)
        return verdict
      }
      verdict.rules.append(checked.rule)
      let event = try item.foldEvent(index, catalog)
      let rules = catalog.mergeRules(key.model)
      if state.apply(event, rules) == .needsFold {
        state = RecordState.fold(
          try events(key, tx) + folded[key, default: []] + [event], rules)
      }
      changed[key] = state
      folded[key, default: []].append(event)
      keys.append((key, event))
    }
    for (key, state) in changed { states[key] = state }
    for (index, (key, event)) in keys.enumerated() { keep(item, index, key, event) }
    return verdict
  }

  private func keep(
    _ item: JudgedTransaction, _ index: Int, _ key: RecordKey, _ event: FoldEvent
  ) {
    if let lsn = item.lsn {
      accepted[key, default: []].append(lsn + UInt64(index))
    } else {
      accepted[key, default: []].append(UInt64.max - UInt64(quarantined.count))
      quarantined.append(event)
    }
  }

  private func check(
    _ item: JudgedTransaction, _ index: Int, _ key: RecordKey, _ state: RecordState,
    _ folded: [FoldEvent], _ tx: borrowing ReadTransaction
  ) throws -> EventVerdict {
    if isOnward, item.was == .accepted { return EventVerdict() }
    return try catalog.check(item.events[index], item.resolved, key, isLocal: false) {
      let context = item.context(index)
      if state.isPlainlySeen(by: context) { return (state, state) }
      let seen = try (events(key, tx) + folded).filter { context.contains($0.rank.dot) }
      return (RecordState.fold(seen, catalog.mergeRules(key.model)), state)
    }
  }

  /// The record's accepted events, in the order of the log.
  private func events(
    _ key: RecordKey, _ tx: borrowing ReadTransaction
  ) throws -> [FoldEvent] {
    try (accepted[key] ?? []).map { lsn in
      let place = UInt64.max - lsn
      if place < UInt64(quarantined.count) { return quarantined[Int(place)] }
      let logged = try snapshot.tables.event(lsn, tx)
      guard let resolved = catalog.resolved(logged.header.schema) else {
        throw CodecError(.malformed, "schema of \(logged.dot)")
      }
      let stamp = try snapshot.tables.effectiveStamp(logged.dot, logged.event.stamp, tx)
      return FoldEvent(
        rank: Rank(stamp, logged.dot), kind: logged.event.kind,
        context: try snapshot.tables.context(logged.dot, tx),
        changes: try catalog.changes(logged.event, resolved))
    }
  }
}
