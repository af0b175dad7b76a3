public import TidemarkEvents
internal import TidemarkSchema

/// An event as the fold sees it: with its effective stamp, its whole context and this store's field ids.
public struct FoldEvent: Sendable {
  public let rank: Rank
  public let kind: EventKind
  /// What its author had seen, its own replica's entry included.
  public let context: VersionVector
  public let changes: [FieldChange]

  public init(rank: Rank, kind: EventKind, context: VersionVector, changes: [FieldChange]) {
    self.rank = rank
    self.kind = kind
    self.context = context
    self.changes = changes
  }
}

/// What an event did to the state it was applied to.
public enum FoldOutcome: Hashable, Sendable {
  case applied
  /// A delete that its author had not seen ended it.
  case ended
  /// It is a delete, and a write that it had not seen overturned it.
  case overturned
  /// It overturns a delete, so what that ended lives again: fold the record from nothing.
  case needsFold
  /// A kind of a later version.
  case unknown
}

extension RecordState {
  /// Folds in the next event, which nothing folded before has seen.
  ///
  /// On `needsFold` the state is as it was.
  /// - Complexity: O(fields changed × candidates + replicas).
  public mutating func apply(_ event: FoldEvent, _ rules: MergeRules) -> FoldOutcome {
    let dot = event.rank.dot
    switch event.kind {
    case .unknown: return .unknown
    case .delete:
      if rules.deletePolicy == .updateWins, !writes.isSubset(of: event.context) {
        overturned.raise(dot.replica, to: dot.seq)
        return .overturned
      }
      deletes.raise(dot.replica, to: dot.seq)
      endLife()
      return .applied
    case .create, .update:
      let isLive = deletes.isSubset(of: event.context)
      if !isLive, rules.deletePolicy == .updateWins { return .needsFold }
      writes.raise(dot.replica, to: dot.seq)
      guard isLive else { return .ended }
      write(event, rules)
      return .applied
    }
  }

  /// Folds a record's events from nothing.
  /// - Parameter events: those that no tombstone names, none before one that it has seen.
  /// - Complexity: O(events²) under `updateWins` with deletes, else O(events).
  public static func fold(_ events: [FoldEvent], _ rules: MergeRules) -> RecordState {
    var state = RecordState()
    for event in events where event.kind == .delete {
      let isOverturned =
        rules.deletePolicy == .updateWins
        && events.contains { $0.isWrite && $0.isConcurrent(with: event) }
      if isOverturned {
        state.overturned.raise(event.rank.dot.replica, to: event.rank.dot.seq)
      } else {
        state.deletes.raise(event.rank.dot.replica, to: event.rank.dot.seq)
      }
    }
    for event in events where event.isWrite {
      state.writes.raise(event.rank.dot.replica, to: event.rank.dot.seq)
      if state.deletes.isSubset(of: event.context) { state.write(event, rules) }
    }
    return state
  }

  private mutating func endLife() {
    created = nil
    updated = nil
    fields = []
    ownerships = []
  }

  private mutating func write(_ event: FoldEvent, _ rules: MergeRules) {
    updated = max(updated ?? event.rank, event.rank)
    if event.kind == .create, created.map({ event.rank < $0 }) ?? true {
      created = event.rank
      for index in ownerships.indices { ownerships[index].given = nil }
    }
    for change in event.changes {
      change.operation.fold(into: &self, change.field, event, rules)
    }
    ownerships.removeAll { $0.given == nil && $0.changed == nil }
  }

  /// The state of a field, made where there is none; `body` changes it in place.
  fileprivate mutating func withField(
    _ field: FieldID, default initial: FieldState, _ body: (inout FieldState) -> Void
  ) {
    var index = fields.endIndex
    while index > 0, fields[index - 1].field >= field { index -= 1 }
    if index == fields.endIndex || fields[index].field != field {
      fields.insert(FieldEntry(field: field, state: initial), at: index)
    }
    body(&fields[index].state)
  }

  fileprivate mutating func noteOwner(_ field: FieldID, _ value: Value, _ event: FoldEvent) {
    if event.kind == .create, created != event.rank { return }
    var index = ownerships.endIndex
    while index > 0, ownerships[index - 1].field >= field { index -= 1 }
    if index == ownerships.endIndex || ownerships[index].field != field {
      ownerships.insert(Ownership(field: field, given: nil, changed: nil), at: index)
    }
    let candidate = Candidate(event.rank, value)
    if event.kind == .create {
      ownerships[index].given = candidate
    } else if let changed = ownerships[index].changed, changed.rank > event.rank {
      return
    } else {
      ownerships[index].changed = candidate
    }
  }
}

extension FoldEvent {
  var isWrite: Bool { kind == .create || kind == .update }

  /// Neither has seen the other.
  func isConcurrent(with other: FoldEvent) -> Bool {
    !context.contains(other.rank.dot) && !other.context.contains(rank.dot)
  }
}

extension FieldOperation {
  /// An operation that is not of the field's merge type has no effect: a schema that changes a
  /// field's merge type is refused, so only a later version's events hold one.
  fileprivate func fold(
    into state: inout RecordState, _ field: FieldID, _ event: FoldEvent, _ rules: MergeRules
  ) {
    switch (self, rules.mergeType(field) ?? mergeTypeOfOperation) {
    case (.set(let value), .register):
      state.withField(field, default: .register([])) { $0.set(value, event) }
      if rules.ownerFields.contains(field) { state.noteOwner(field, value, event) }
    case (.add(let amount), .counter):
      state.withField(field, default: .counter(0)) { $0.add(amount) }
    case (.edit(let added, let removed), .set):
      state.withField(field, default: .set([])) { $0.edit(add: added, remove: removed, event) }
    default: break
    }
  }

  /// For a field that the current schema does not have.
  private var mergeTypeOfOperation: Field.MergeType {
    switch self {
    case .set: .register
    case .add: .counter
    case .edit: .set
    case .unknown: .text
    }
  }
}

extension RecordState.FieldState {
  fileprivate mutating func set(_ value: Value, _ event: FoldEvent) {
    guard case .register(var candidates) = self else { return }
    candidates.removeAll { event.context.contains($0.rank.dot) }
    let place = candidates.firstIndex { $0.rank < event.rank } ?? candidates.endIndex
    candidates.insert(RecordState.Candidate(event.rank, value), at: place)
    self = .register(candidates)
  }

  fileprivate mutating func add(_ amount: Int64) {
    guard case .counter(let sum) = self else { return }
    self = .counter(sum + Int128(amount))
  }

  fileprivate mutating func edit(add: [Value], remove: [Value], _ event: FoldEvent) {
    guard case .set(var elements) = self else { return }
    for value in remove {
      guard let index = elements.firstIndex(where: { $0.value == value }) else { continue }
      elements[index].adds.removeAll { event.context.contains($0) }
      if elements[index].adds.isEmpty { elements.remove(at: index) }
    }
    let dot = event.rank.dot
    for value in add {
      let index = elements.firstIndex { !($0.value < value) } ?? elements.endIndex
      if index == elements.endIndex || elements[index].value != value {
        elements.insert(RecordState.Element(value: value, adds: [dot]), at: index)
      } else if !elements[index].adds.contains(dot) {
        let place = elements[index].adds.firstIndex { $0 > dot } ?? elements[index].adds.endIndex
        elements[index].adds.insert(dot, at: place)
      }
    }
    self = .set(elements)
  }
}
