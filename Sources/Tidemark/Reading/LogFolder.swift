internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

/// Folds a whole log from its first event, in the order in which the log took it.
struct LogFolder {
  private let snapshot: Snapshot
  private(set) var states: [RecordKey: RecordState] = [:]
  /// The lsn of each record's newest event.
  private(set) var heads: [RecordKey: UInt64] = [:]
  /// For records whose deletes may be overturned later: what was folded.
  private var folded: [RecordKey: [FoldEvent]] = [:]
  /// What each replica had seen at the transaction before, without itself.
  private var contexts: [ReplicaID: VersionVector] = [:]
  private(set) var eventCount = 0

  init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
  }

  /// Folds every live event for which `include` holds.
  /// - Complexity: O(events).
  mutating func fold(
    _ tx: borrowing ReadTransaction, where include: (FoldEvent) -> Bool = { _ in true },
    each: (LoggedEvent, FoldOutcome?) throws -> Void = { _, _ in }
  ) throws {
    let hasTombstones = snapshot.header.tombstoneCount > 0
    let hasWithdrawals = snapshot.header.withdrawalCount > 0
    try tx.forEach(snapshot.tables.log, from: 0) { lsn, value in
      let entry = try LogEntry(value, lsn: lsn)
      switch entry {
      case .transaction(let entry):
        var transaction = entry.transaction
        let header = transaction.header
        if hasWithdrawals, try snapshot.tables.position(header.firstDot, tx) != lsn { return true }
        let context = raise(header.replica, header.contextChange)
        guard let resolved = snapshot.catalog.resolved(header.schema) else { return true }
        let isVoid = try hasTombstones && snapshot.tables.tombstone(header.firstDot, tx) != nil
        var index = 0
        while let event = try transaction.next() {
          let place = Place(
            lsn: lsn + UInt64(index), dot: header.dot(index), header: header,
            decision: entry.decision, resolved: resolved, context: context, isVoid: isVoid)
          try fold(event, place, tx, where: include, each: each)
          index += 1
        }
      case .portion(let entry):
        let header = entry.portion.header
        let context = raise(header.replica, header.contextChange)
        guard let resolved = snapshot.catalog.resolved(header.schema) else { return true }
        let isVoid = try hasTombstones && snapshot.tables.tombstone(header.firstDot, tx) != nil
        for item in entry.portion.entries {
          let place = Place(
            lsn: lsn + UInt64(item.index), dot: header.dot(item.index), header: header,
            decision: entry.decision, resolved: resolved, context: context, isVoid: isVoid)
          try fold(item.event, place, tx, where: include, each: each)
        }
      case .rejection(let rejection):
        let dot = rejection.dot(0)
        if try snapshot.tables.position(dot, tx) == lsn {
          _ = raise(rejection.replica, rejection.contextChange)
        }
      case .acceptance, .withdrawal, .adoption: break
      }
      return true
    }
  }

  /// Where an event stands, and what its author had seen but for its own replica.
  private struct Place {
    let lsn: UInt64
    let dot: Dot
    let header: TransactionHeader
    let decision: DecisionRecord?
    let resolved: Catalog.Resolved
    let context: VersionVector
    let isVoid: Bool
  }

  private mutating func fold(
    _ event: Event, _ place: Place, _ tx: borrowing ReadTransaction,
    where include: (FoldEvent) -> Bool, each: (LoggedEvent, FoldOutcome?) throws -> Void
  ) throws {
    let dot = place.dot
    let key = try snapshot.catalog.key(event, place.resolved)
    let logged = LoggedEvent(
      lsn: place.lsn, dot: dot, event: event, header: place.header, decision: place.decision,
      previous: heads[key] ?? 0)
    heads[key] = logged.lsn
    eventCount += 1
    var outcome: FoldOutcome?
    if !place.isVoid {
      var whole = place.context
      whole.set(dot.replica, to: dot.seq - 1)
      let fold = FoldEvent(
        rank: Rank(try snapshot.tables.effectiveStamp(dot, event.stamp, tx), dot),
        kind: event.kind, context: whole,
        changes: try snapshot.catalog.changes(event, place.resolved))
      if include(fold) { outcome = apply(fold, key) }
    }
    try each(logged, outcome)
  }

  private mutating func raise(_ replica: ReplicaID, _ change: VersionVector) -> VersionVector {
    if change.isEmpty { return contexts[replica] ?? VersionVector() }
    contexts[replica, default: VersionVector()].formUnion(change)
    return contexts[replica] ?? change
  }

  private mutating func apply(_ event: FoldEvent, _ key: RecordKey) -> FoldOutcome {
    let rules = snapshot.catalog.mergeRules(key.model)
    if rules.deletePolicy == .updateWins { folded[key, default: []].append(event) }
    let outcome = states[key, default: RecordState()].apply(event, rules)
    if outcome == .needsFold { states[key] = RecordState.fold(folded[key] ?? [], rules) }
    return outcome
  }
}
