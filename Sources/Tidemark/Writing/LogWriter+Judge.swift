internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

/// A transaction on its way into the log: its events, and what the view would be with them.
struct Proposal {
  var events: [Event]
  let resolved: Catalog.Resolved
  let replica: ReplicaID
  let firstSeq: UInt64
  /// What the author had seen before the first event, without the author's own replica.
  let foreignContext: VersionVector
  /// By place; what the fold ranks by.
  var effective: [Stamp]

  /// By place: why an event was refused.
  var denials: [Int: Denial] = [:]
  /// By place: how far back the entry before stands in the record's chain.
  var distances: [UInt64] = []
  /// The rows as they would be.
  var rows: [RecordKey: RecordRow] = [:]
  /// What of this transaction was folded into each record.
  var folded: [RecordKey: [FoldEvent]] = [:]

  init(
    events: [Event], resolved: Catalog.Resolved, replica: ReplicaID, firstSeq: UInt64,
    foreignContext: VersionVector, effective: [Stamp]
  ) {
    self.events = events
    self.resolved = resolved
    self.replica = replica
    self.firstSeq = firstSeq
    self.foreignContext = foreignContext
    self.effective = effective
  }

  func dot(_ index: Int) -> Dot { Dot(replica, firstSeq + UInt64(index)) }

  func context(_ index: Int) -> VersionVector {
    var context = foreignContext
    context.set(replica, to: firstSeq + UInt64(index) - 1)
    return context
  }
}

/// How a proposal is judged.
enum Judging {
  /// A local write: the rules say what to fill in, and the first refusal ends it.
  case enforce
  /// A local write that the authority decides later: refusals are ignored.
  case optimistic
  /// Somebody else's, at the authority: the first refusal ends it.
  case authority
  /// Decided already: folded only.
  case decided
}

extension LogWriter {
  /// Checks a proposal event by event and folds it into rows of its own, so that a refusal undoes
  /// nothing.
  func judge(
    _ proposal: inout Proposal, _ judging: Judging, firstLSN: UInt64,
    _ tx: inout WriteTransaction
  ) throws {
    for index in proposal.events.indices {
      try judgeEvent(&proposal, index, judging, firstLSN: firstLSN, &tx)
      if !proposal.denials.isEmpty { return }
    }
  }

  /// Checks one event of a proposal and folds it in.
  func judgeEvent(
    _ proposal: inout Proposal, _ index: Int, _ judging: Judging, firstLSN: UInt64,
    _ tx: inout WriteTransaction
  ) throws {
    let key = try catalog.key(proposal.events[index], proposal.resolved)
    var row = try proposal.rows[key] ?? self.row(key, &tx)
    if judging != .decided,
      let denial = try check(&proposal, index, key, row, judging, &tx), judging != .optimistic
    {
      proposal.denials[index] = denial
      return
    }
    let event = FoldEvent(
      rank: Rank(proposal.effective[index], proposal.dot(index)),
      kind: proposal.events[index].kind, context: proposal.context(index),
      changes: try catalog.changes(proposal.events[index], proposal.resolved))
    let rules = catalog.mergeRules(key.model)
    if row.state.apply(event, rules) == .needsFold {
      let earlier = try foldEvents(key, &tx) + proposal.folded[key, default: []]
      row.state = RecordState.fold(earlier + [event], rules)
    }
    let lsn = firstLSN + UInt64(index)
    proposal.distances.append(row.head == 0 ? 0 : lsn - row.head)
    row.head = lsn
    proposal.rows[key] = row
    proposal.folded[key, default: []].append(event)
  }

  /// The record's live events that the log holds, oldest first.
  func foldEvents(_ key: RecordKey, _ tx: inout WriteTransaction) throws -> [FoldEvent] {
    try flushRuns(&tx)
    return try tables.foldEvents(try row(key, &tx).head, header, catalog, tx)
  }

  /// Why an event may not be taken; `nil` where it may. Fills in owners that a local create left out.
  private func check(
    _ proposal: inout Proposal, _ index: Int, _ key: RecordKey, _ row: RecordRow,
    _ judging: Judging, _ tx: inout WriteTransaction
  ) throws -> Denial? {
    let verdict = try catalog.check(
      proposal.events[index], proposal.resolved, key, isLocal: judging != .authority
    ) {
      try sight(proposal, index, key, row, judging, &tx)
    }
    if !verdict.filledOwners.isEmpty {
      proposal.fill(index, verdict.filledOwners)
    }
    return verdict.denial
  }

  /// The record as the event's author had seen it, and as this log sees it just before.
  private func sight(
    _ proposal: Proposal, _ index: Int, _ key: RecordKey, _ row: RecordRow, _ judging: Judging,
    _ tx: inout WriteTransaction
  ) throws -> (seen: RecordState, now: RecordState) {
    guard judging == .authority else { return (row.state, row.state) }
    let context = proposal.context(index)
    if row.state.isPlainlySeen(by: context) { return (row.state, row.state) }
    let events = try foldEvents(key, &tx) + proposal.folded[key, default: []]
    let seen = RecordState.fold(
      events.filter { context.contains($0.rank.dot) }, catalog.mergeRules(key.model))
    return (seen, row.state)
  }
}

extension Proposal {
  /// Adds to a create the owners that it left out.
  fileprivate mutating func fill(_ index: Int, _ owners: [FilledOwner]) {
    let event = events[index]
    let filled = owners.map { FieldChange(field: $0.field, operation: .set($0.value)) }
    events[index] = Event(
      stamp: event.stamp, kind: event.kind, model: event.model, id: event.id,
      principal: event.principal,
      changes: (event.changes + filled).sorted { $0.field < $1.field })
  }
}
