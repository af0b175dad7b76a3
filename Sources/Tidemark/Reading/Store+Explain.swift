public import TidemarkAuthorization
public import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

/// Why an event was accepted, rejected, overridden or has no effect.
public struct Explanation: Sendable {
  /// What became of one operation of the event in the view.
  public struct FieldOutcome: Hashable, Sendable {
    public enum Outcome: String, Sendable {
      /// The view shows it.
      case wins
      /// An event that had seen it set the field later.
      case overwritten
      /// A concurrent event has the greater stamp.
      case lost
      /// It is part of the sum or the set.
      case counts
      /// The event has no effect.
      case none
    }

    public let field: String
    public let outcome: Outcome
    /// The event that the view shows instead.
    public let by: Dot?
    /// Where it wins a conflict: the concurrent events that lost to it, the greatest stamp first.
    public internal(set) var over: [Dot] = []
  }

  public let line: LogLine
  public let effect: HistoryLine.Effect
  /// The deletes that ended it, or the writes that overturned it.
  public let because: [Dot]
  public let fields: [FieldOutcome]
  /// How the rules were applied, to the record as this log had it just before the event; `nil` where
  /// the payload is not here. It holds stored values: not for who was refused.
  public let trace: Trace?
  /// The version of the rules that the trace is of: the one that decided, where this store knows it,
  /// else its current one.
  public let policy: SchemaVersion?
}

extension Store {
  /// Explains one event.
  /// - Parameter principal: as this principal may read it: without a trace, which holds stored values,
  ///   and without fields that are hidden.
  /// - Throws: `StoreError` `notFound`, also for an event that the principal may not read.
  /// - Complexity: O(the record's events).
  public func explain(
    _ dot: Dot, as principal: Principal? = nil
  ) throws(StoreError) -> Explanation {
    let whole = try explainWhole(dot)
    guard let principal else { return whole }
    let line = try logLine(dot, as: principal)
    return Explanation(
      line: line, effect: whole.effect, because: whole.because,
      fields: whole.fields.filter { !line.hidden.contains($0.field) }, trace: nil,
      policy: nil)
  }

  private func explainWhole(_ dot: Dot) throws(StoreError) -> Explanation {
    try read { tx, snapshot in
      let line = try snapshot.line(dot, as: nil, tx)
      guard let event = line.event, let model = line.model,
        let number = snapshot.catalog.modelNumber(named: model.name)
      else {
        return Explanation(
          line: line, effect: line.isWithheld ? .withheld : .void, because: [], fields: [],
          trace: nil, policy: nil)
      }
      let row =
        try snapshot.tables.row(RecordKey(model: number, id: event.id), snapshot.catalog, tx)
        ?? RecordRow()
      let chain = try snapshot.tables.foldEvents(row.head, snapshot.header, snapshot.catalog, tx)
      var before = try snapshot.stateBefore(line, row, number, tx)
      if !before.exists {
        // A concurrent delete came first: it was judged by the record as its author had seen it.
        before = RecordState.fold(
          chain.filter { line.context.contains($0.rank.dot) },
          snapshot.catalog.mergeRules(number))
      }
      let key = RecordKey(model: number, id: event.id)
      let (trace, policy) = snapshot.trace(event, line, key, before)
      guard let folded = chain.first(where: { $0.rank.dot == dot }) else {
        // This store's own, of a record that its principals may not read any more.
        let isHidden = try line.status != .rejected && snapshot.tables.tombstone(dot, tx) == nil
        return Explanation(
          line: line, effect: isHidden ? .withheld : .void, because: [], fields: [], trace: trace,
          policy: policy)
      }
      let (effect, because) = snapshot.effect(of: folded, among: chain, number)
      return Explanation(
        line: line, effect: effect, because: because,
        fields: snapshot.outcomes(of: folded, in: row.state, number, isLive: effect == .live),
        trace: trace, policy: policy)
    }
  }
}

extension Snapshot {
  /// The record as this log had it just before an event, or before its tombstone.
  fileprivate func stateBefore(
    _ line: LogLine, _ row: RecordRow, _ model: Int, _ tx: borrowing ReadTransaction
  ) throws -> RecordState {
    var events: [FoldEvent] = []
    for logged in try tables.chain(row.head, header, tx) where logged.lsn < line.lsn {
      if let event = try tables.foldEvent(logged, catalog, tx) { events.append(event) }
    }
    return RecordState.fold(events, catalog.mergeRules(model))
  }

  fileprivate func trace(
    _ event: Event, _ line: LogLine, _ key: RecordKey, _ before: RecordState
  ) -> (Trace?, SchemaVersion?) {
    let resolved = line.policy.flatMap { catalog.resolved($0) } ?? catalog.current
    guard let place = resolved.models.firstIndex(of: key.model),
      let written = line.schema.flatMap({ catalog.resolved($0) }),
      let changes = catalog.changes(event, key, written, in: resolved)
    else { return (nil, nil) }
    let operation: AccessOperation
    switch event.kind {
    case .create: operation = .create
    case .update: operation = .update
    case .delete: operation = .delete
    case .unknown: return (nil, nil)
    }
    let trace = catalog.policy(of: resolved).explain(
      AccessRequest(
        model: place, operation: operation, credentials: event.principal.credentials,
        changes: changes,
        stored: operation == .create ? nil : catalog.facts(before, key.model, place, in: resolved)))
    return (trace, resolved.version)
  }

  /// Whether an event is live, and what ended or overturned it if not.
  fileprivate func effect(
    of event: FoldEvent, among chain: [FoldEvent], _ model: Int
  ) -> (HistoryLine.Effect, [Dot]) {
    let dot = event.rank.dot
    func isConcurrent(_ other: FoldEvent) -> Bool {
      !event.context.contains(other.rank.dot) && !other.context.contains(dot)
    }
    let updateWins = catalog.mergeRules(model).deletePolicy == .updateWins
    func writes(against delete: FoldEvent) -> [Dot] {
      chain.filter {
        $0.kind != .delete && !delete.context.contains($0.rank.dot)
          && !$0.context.contains(delete.rank.dot)
      }.map(\.rank.dot)
    }
    switch event.kind {
    case .unknown: return (.unknown, [])
    case .delete:
      let overturning = updateWins ? writes(against: event) : []
      return overturning.isEmpty ? (.live, []) : (.overturned, overturning)
    case .create, .update:
      let ending = chain.filter {
        $0.kind == .delete && !event.context.contains($0.rank.dot)
          && !(updateWins && !writes(against: $0).isEmpty)
      }
      return ending.isEmpty ? (.live, []) : (.ended, ending.map(\.rank.dot))
    }
  }

  fileprivate func outcomes(
    of event: FoldEvent, in state: RecordState, _ model: Int, isLive: Bool
  ) -> [Explanation.FieldOutcome] {
    event.changes.map { change in
      let name = catalog.fieldNames[model][change.field]
      guard isLive, let field = state.field(change.field) else {
        return Explanation.FieldOutcome(field: name, outcome: .none, by: nil)
      }
      guard case .register(let candidates) = field else {
        return Explanation.FieldOutcome(field: name, outcome: .counts, by: nil)
      }
      let winner = candidates.first?.rank.dot
      if winner == event.rank.dot {
        return Explanation.FieldOutcome(
          field: name, outcome: .wins, by: nil, over: candidates.dropFirst().map(\.rank.dot))
      }
      let competes = candidates.contains { $0.rank.dot == event.rank.dot }
      return Explanation.FieldOutcome(
        field: name, outcome: competes ? .lost : .overwritten, by: winner)
    }
  }
}

extension Schema {
  /// The model at a place; `nil` past the last.
  func model(at place: Int) -> Model? { models.indices.contains(place) ? models[place] : nil }
}
