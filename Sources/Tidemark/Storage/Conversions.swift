internal import TidemarkEvents
internal import TidemarkSchema

/// How the values of one schema version are shown under another: those of fields whose type changed so
/// that what was stored is not of the new one as it is.
struct Conversions: Sendable {
  private let schema: Schema
  /// By the model's and the field's place in the version that is converted from; `nil` for the others.
  private let types: [[FieldType?]]

  /// `nil` where every value is shown as it is.
  init?(from version: Catalog.Resolved, to current: Catalog.Resolved) {
    guard version.version != current.version else { return nil }
    schema = current.schema
    types = version.schema.models.indices.map { place in
      version.schema.models[place].fields.indices.map { field in
        guard let there = current.models.firstIndex(of: version.models[place]),
          let fieldThere = current.fields[there].firstIndex(of: version.fields[place][field])
        else { return nil }
        let given = version.schema.models[place].fields[field].type
        let wanted = current.schema.models[there].fields[fieldThere].type
        return wanted.takes(given) || !given.isConvertible(to: wanted) ? nil : wanted
      }
    }
    guard types.contains(where: { $0.contains { $0 != nil } }) else { return nil }
  }

  /// What the fields of a model become; `nil` where all stay.
  func types(of model: Int) -> [FieldType?]? {
    types[model].contains { $0 != nil } ? types[model] : nil
  }

  func apply(to changes: [FieldChange], of model: Int) -> [FieldChange] {
    guard let types = types(of: model) else { return changes }
    return changes.map { change in
      guard types.indices.contains(change.field), let type = types[change.field] else {
        return change
      }
      return FieldChange(field: change.field, operation: converted(change.operation, type))
    }
  }

  private func converted(_ operation: FieldOperation, _ type: FieldType) -> FieldOperation {
    switch operation {
    case .set(let value): return .set(schema.convert(value, to: type))
    case .edit(let added, let removed):
      guard let element = type.element else { return operation }
      func converted(_ values: [Value]) -> [Value] {
        values.map { schema.convert($0, to: element) }.filter { !$0.isNull }
      }
      return .edit(add: converted(added), remove: converted(removed))
    case .add, .unknown: return operation
    }
  }
}
