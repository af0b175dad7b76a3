public import TidemarkEvents
internal import TidemarkMerge

/// One event of a record's history: its line, and what it changed in the view.
public struct HistoryLine: Sendable {
  public enum Effect: String, Sendable {
    /// It is live.
    case live
    /// A delete that its author had not seen ended it.
    case ended
    /// A delete, overturned by a write that it had not seen.
    case overturned
    /// A tombstone voids it.
    case void
    /// Of a kind that this version does not know.
    case unknown
    /// This store may not read it.
    case withheld
  }

  public let line: LogLine
  public let effect: Effect
  /// The fields that the view showed otherwise afterwards, in the order of this log.
  public let changes: [Change]

  public struct Change: Hashable, Sendable {
    public let field: String
    /// `nil` where the view showed none.
    public let before: Value?
    public let after: Value?

    public init(field: String, before: Value?, after: Value?) {
      self.field = field
      self.before = before
      self.after = after
    }
  }
}

extension Store {
  /// Everything that ever happened to one record, in the order of this log.
  /// - Parameter principal: only what the rules let this principal read; nothing of a record that they
  ///   do not.
  /// - Throws: `StoreError` `notFound` for a model that is not known.
  /// - Complexity: O(the record's events).
  public func history(
    _ model: String, _ id: RecordID, as principal: Principal? = nil
  ) throws(StoreError) -> [HistoryLine] {
    let history = try wholeHistory(model, id)
    guard let principal else { return history }
    return try read { tx, snapshot in
      guard let number = try snapshot.catalog.modelNumbers(model).first else { return [] }
      var readership = Readership(snapshot, principal, .get)
      let access = try readership.access(RecordKey(model: number, id: id), tx)
      return try history.compactMap { item in
        guard let line = try readership.line(item.line, tx) else { return nil }
        let changes = item.changes.map { change in
          access.hidden.contains(change.field)
            ? HistoryLine.Change(field: change.field, before: nil, after: nil) : change
        }
        return HistoryLine(line: line, effect: item.effect, changes: changes)
      }
    }
  }

  private func wholeHistory(
    _ model: String, _ id: RecordID
  ) throws(StoreError) -> [HistoryLine] {
    try read { tx, snapshot in
      guard let number = try snapshot.catalog.modelNumbers(model).first, id.isValid,
        let row = try snapshot.tables.row(RecordKey(model: number, id: id), snapshot.catalog, tx)
      else { return [] }
      let rules = snapshot.catalog.mergeRules(number)
      let lines = try LogLines(snapshot, tx)
      var folded: [FoldEvent] = []
      var state = RecordState()
      var history: [HistoryLine] = []
      for logged in try snapshot.tables.chain(row.head, snapshot.header, tx) {
        let line = try lines.line(logged.lsn, tx)
        guard let event = try snapshot.tables.foldEvent(logged, snapshot.catalog, tx) else {
          history.append(HistoryLine(line: line, effect: .void, changes: []))
          continue
        }
        let before = state
        folded.append(event)
        let outcome = state.apply(event, rules)
        if outcome == .needsFold { state = RecordState.fold(folded, rules) }
        history.append(
          HistoryLine(
            line: line, effect: HistoryLine.Effect(outcome),
            changes: snapshot.catalog.changes(number, before, state)))
      }
      return history
    }
  }
}

extension HistoryLine.Effect {
  init(_ outcome: FoldOutcome) {
    self =
      switch outcome {
      case .applied, .needsFold: .live
      case .ended: .ended
      case .overturned: .overturned
      case .unknown: .unknown
      }
  }
}

extension Catalog {
  /// What the view shows otherwise in one state than in another.
  func changes(
    _ model: Int, _ before: RecordState, _ after: RecordState
  ) -> [HistoryLine.Change] {
    let fields = Set((before.fields + after.fields).map(\.field)).sorted()
    return fields.compactMap { field in
      let old = before.exists ? before.value(field) : nil
      let new = after.exists ? after.value(field) : nil
      return old == new
        ? nil
        : HistoryLine.Change(field: fieldNames[model][field], before: old, after: new)
    }
  }
}
