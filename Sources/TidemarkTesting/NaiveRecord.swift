public import TidemarkEvents
public import TidemarkMerge
internal import TidemarkSchema

/// A record's view worked out from nothing but the set of its events, by the sentences of
/// `Documentation/Semantics.md`, slowly: what the incremental fold is compared with.
public struct NaiveRecord: Hashable, Sendable {
  public let created: Rank?
  public let updated: Rank?
  public let values: [FieldID: Value]
  public let conflicts: Set<FieldID>
  public let owners: [FieldID: Value]

  /// - Parameter events: those that no tombstone names, in any order.
  public init(_ events: [FoldEvent], _ rules: MergeRules) {
    func sees(_ a: FoldEvent, _ b: FoldEvent) -> Bool { a.context.contains(b.rank.dot) }
    func isConcurrent(_ a: FoldEvent, _ b: FoldEvent) -> Bool { !sees(a, b) && !sees(b, a) }
    let writes = events.filter { $0.kind == .create || $0.kind == .update }
    let deletes = events.filter { $0.kind == .delete }.filter { delete in
      rules.deletePolicy == .deleteWins || !writes.contains { isConcurrent($0, delete) }
    }
    let live = writes.filter { write in deletes.allSatisfy { sees(write, $0) } }
    let creates = live.filter { $0.kind == .create }
    created = creates.map(\.rank).min()
    updated = live.map(\.rank).max()
    var values: [FieldID: Value] = [:]
    var conflicts: Set<FieldID> = []
    for (field, type) in rules.mergeTypes.enumerated() {
      let touching = live.filter { $0.changes.contains { $0.field == field } }
      guard !touching.isEmpty else { continue }
      switch type {
      case .register:
        let sets = touching.filter { $0.setValue(field) != nil }
        guard let winner = sets.max(by: { $0.rank < $1.rank }) else { continue }
        values[field] = winner.setValue(field)
        if sets.contains(where: { isConcurrent($0, winner) && $0.rank != winner.rank }) {
          conflicts.insert(field)
        }
      case .counter:
        values[field] = .int(
          Int64(clamping: touching.reduce(Int128(0)) { $0 + Int128($1.amount(field)) }))
      case .set:
        var present: [Value] = []
        for add in touching {
          for element in add.edit(field).add {
            let isRemoved = touching.contains {
              $0.edit(field).remove.contains(element) && sees($0, add)
            }
            if !isRemoved, !present.contains(element) { present.append(element) }
          }
        }
        values[field] = .list(present.sorted())
      case .text, nil: continue
      }
    }
    self.values = values
    self.conflicts = conflicts
    var owners: [FieldID: Value] = [:]
    for field in rules.ownerFields {
      let updates = live.filter { $0.kind == .update && $0.setValue(field) != nil }
      if let last = updates.max(by: { $0.rank < $1.rank }) {
        owners[field] = last.setValue(field)
      } else if let first = creates.min(by: { $0.rank < $1.rank }) {
        owners[field] = first.setValue(field)
      }
    }
    self.owners = owners
  }

  /// The same view from the state that the store keeps.
  public init(_ state: RecordState, _ rules: MergeRules) {
    created = state.created
    updated = state.updated
    values = Dictionary(uniqueKeysWithValues: state.fields.map { ($0.field, $0.state.value) })
    conflicts = Set(state.conflicts)
    owners = Dictionary(
      uniqueKeysWithValues: rules.ownerFields.compactMap { field in
        state.owner(field).map { (field, $0) }
      })
  }
}

extension FoldEvent {
  fileprivate func operation(_ field: FieldID) -> FieldOperation? {
    changes.first { $0.field == field }?.operation
  }

  fileprivate func setValue(_ field: FieldID) -> Value? {
    if case .set(let value)? = operation(field) { return value }
    return nil
  }

  fileprivate func amount(_ field: FieldID) -> Int64 {
    if case .add(let amount)? = operation(field) { return amount }
    return 0
  }

  fileprivate func edit(_ field: FieldID) -> (add: [Value], remove: [Value]) {
    if case .edit(let add, let remove)? = operation(field) { return (add, remove) }
    return ([], [])
  }
}

extension MergeRules {
  /// Those of a model whose fields' places are their ids.
  init(_ model: Model) {
    self.init(
      deletePolicy: model.deletePolicy, mergeTypes: model.fields.map(\.merge),
      ownerFields: model.ownerFields.compactMap { model.fieldIndex($0) })
  }
}
