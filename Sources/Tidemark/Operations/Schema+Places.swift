internal import TidemarkEvents
internal import TidemarkSchema

extension Schema {
  /// Where an operation's model and fields stand in this schema; changes sorted by field. A create is given
  /// the defaults that it leaves out.
  /// - Throws: `StoreError` `invalid` for a name that is not there, a field given twice, or an id out of
  ///   bounds.
  func places(_ operation: Operation) throws -> (model: Int, changes: [FieldChange]) {
    guard operation.id.isValid else {
      throw StoreError(
        .invalid, "a record id is 1 to \(RecordID.byteCountMax) bytes of UTF-8 without NUL")
    }
    guard let place = modelIndex(operation.model) else {
      throw StoreError(.invalid, "the schema has no model \(operation.model)")
    }
    let model = models[place]
    var changes: [FieldChange] = []
    for change in operation.changes {
      guard let field = model.fieldIndex(change.name) else {
        throw StoreError(.invalid, "\(operation.model) has no field \(change.name)")
      }
      changes.append(FieldChange(field: field, operation: change.operation))
    }
    if operation.kind == .create {
      for (field, value) in model.filledDefaults
      where !changes.contains(where: { $0.field == field }) {
        changes.append(FieldChange(field: field, operation: .set(value)))
      }
    }
    changes.sort { $0.field < $1.field }
    for (change, next) in zip(changes, changes.dropFirst()) where change.field == next.field {
      throw StoreError(
        .invalid, "\(model.fields[change.field].name) is given twice; give it once")
    }
    return (place, changes)
  }
}

extension Model {
  /// What a create is given where it leaves it out. A field with rules of its own is left to show its
  /// default: who creates a record may not be allowed to give it.
  var filledDefaults: [(field: Int, value: Value)] {
    fields.enumerated().compactMap { place, field in
      guard field.rules == nil, let value = field.defaultValue else { return nil }
      return (place, value)
    }
  }
}
