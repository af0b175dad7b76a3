public import TidemarkEvents
internal import TidemarkMerge

/// A record as the view shows it.
public struct RecordView: Hashable, Sendable {
  public let model: String
  public let id: RecordID
  /// The fields that a live write gave a value, or that have a default, in the order of the schema.
  public let fields: [Value.Member]
  /// What the first owner field of the model's rules holds; `nil` where it has none.
  public let owner: Value?
  /// The earliest live create.
  public let created: Rank
  /// The latest live create or update.
  public let updated: Rank
  /// The registers for which concurrent writes compete, in the order of the schema.
  public let conflicts: [String]
  /// The fields that are shown as null because who asked may not read them, in the order of the schema.
  public internal(set) var hidden: [String] = []

  /// The value of a field; `nil` where no live write gave one.
  public subscript(field: String) -> Value? {
    fields.first { $0.name.hasSameBytes(as: field) }?.value
  }
}

extension Catalog {
  /// A record as the view shows it; `nil` where it does not exist.
  func view(_ key: RecordKey, _ state: RecordState) -> RecordView? {
    guard let created = state.created, let updated = state.updated else { return nil }
    let names = fieldNames[key.model]
    func order(_ field: FieldID) -> Int { currentPlace(key.model, field) ?? Int.max }
    let shown = state.fields.filter { currentPlace(key.model, $0.field) != nil }
      .sorted { order($0.field) < order($1.field) }
    let conflicts = state.conflicts.filter { currentPlace(key.model, $0) != nil }
      .sorted { order($0) < order($1) }
    let owner = mergeRules(key.model).ownerFields.first.flatMap { state.owner($0) }
    let members = shown.map { Value.Member(names[$0.field], $0.state.value) }
    return RecordView(
      model: modelNames[key.model], id: key.id, fields: withDefaults(members, key.model),
      owner: owner.flatMap { $0.isNull ? nil : $0 }, created: created, updated: updated,
      conflicts: conflicts.map { names[$0] })
  }

  /// A record's fields with those that show a default because nothing was given.
  private func withDefaults(_ members: [Value.Member], _ number: Int) -> [Value.Member] {
    guard let model = model(number), model.fields.contains(where: { $0.defaultValue != nil })
    else { return members }
    return model.fields.compactMap { field in
      members.first { $0.name.hasSameBytes(as: field.name) }
        ?? field.defaultValue.map { Value.Member(field.name, $0) }
    }
  }
}
