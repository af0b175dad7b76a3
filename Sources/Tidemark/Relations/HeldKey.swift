internal import TidemarkEvents
internal import TidemarkSchema

/// A key that names records of a model, by places in the current schema, and what a delete does to who
/// holds it.
struct HeldKey: Sendable {
  /// The model that has the key.
  let model: Int
  let field: Int
  let onDelete: Reference.DeleteRule

  /// The keys that name records of a model, those left out that a delete leaves alone.
  static func naming(_ target: Model, in schema: Schema) -> [HeldKey] {
    schema.references.compactMap { reference in
      guard reference.target.hasSameBytes(as: target.name), reference.onDelete != .keep,
        let model = schema.modelIndex(reference.model),
        let field = schema.models[model].fieldIndex(reference.key)
      else { return nil }
      return HeldKey(model: model, field: field, onDelete: reference.onDelete)
    }
  }
}

/// A record, by its model's place in the current schema.
struct RecordPlace: Hashable {
  let model: Int
  let id: RecordID
}
