internal import Synchronization
internal import TidemarkEvents
internal import TidemarkSchema

/// A record type's model and fields in one schema version, looked up once.
final class RecordShape: Sendable {
  let model: ModelReference
  /// In the order of the type's `fieldNames`.
  let fields: [FieldReference]
  /// The places in `fields`, in the order of the schema: changes in that order cost least.
  let order: [Int]
  /// The places in `fields` of those that owner rules read.
  let owners: Set<Int>

  init(_ type: any Record.Type, _ catalog: Catalog) throws(StoreError) {
    let schema = catalog.current.schema
    guard let place = schema.modelIndex(type.modelName) else {
      throw StoreError(
        .schema,
        "the store's schema has no model \(type.modelName), which \(type) is of; adopt a schema that has it, or generate the types from the store's"
      )
    }
    let model = ModelReference(shape: catalog.shapes[place])
    var fields: [FieldReference] = []
    for name in type.fieldNames {
      guard let fieldPlace = schema.models[place].fieldIndex(name) else {
        throw StoreError(
          .schema,
          "the store's \(type.modelName) has no field \(name), which \(type) has; adopt a schema that has it, or generate the types from the store's"
        )
      }
      if fields.contains(where: { $0.place == fieldPlace }) {
        throw StoreError(.misuse, "\(type).fieldNames has \(name) twice; leave one out")
      }
      fields.append(
        FieldReference(place: fieldPlace, check: model.shape.checks[fieldPlace], shape: model.shape)
      )
    }
    self.model = model
    self.fields = fields
    order = fields.indices.sorted { fields[$0].place < fields[$1].place }
    let names = schema.models[place].ownerFields
    owners = Set(
      fields.indices.filter { place in names.contains { $0.hasSameBytes(as: fields[place].name) } })
  }
}

/// The shapes of the record types that one catalog was asked for. A store that adopts a schema has
/// another catalog from then on, so what is here never has to change.
final class RecordShapeCache: Sendable {
  private let kept = Mutex<[ObjectIdentifier: RecordShape]>([:])

  func shape(
    of type: any Record.Type, _ catalog: Catalog
  ) throws(StoreError) -> RecordShape {
    let key = ObjectIdentifier(type)
    if let found = kept.withLock({ $0[key] }) { return found }
    // Two threads may both make one; either will do.
    let made = try RecordShape(type, catalog)
    kept.withLock { $0[key] = made }
    return made
  }
}

extension Catalog {
  /// Where the fields of a record type are in the current schema.
  /// - Throws: `StoreError` `schema` where it lacks the model or a field.
  /// - Complexity: O(1), but for the first time.
  func shape(of type: any Record.Type) throws(StoreError) -> RecordShape {
    try recordShapes.shape(of: type, self)
  }
}
