internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

/// Every schema version that a store has met, and the numbers it gave to models and fields.
///
/// Numbers follow from the order in which the versions came, so they need no table of their own:
/// a name keeps its number through every version.
final class Catalog: Sendable {
  /// A schema version with this store's numbers for what it names.
  final class Resolved: Sendable {
    let version: SchemaVersion
    let schema: Schema
    /// By the model's place in the schema.
    let models: [Int]
    /// By the model's place, then the field's.
    let fields: [[FieldID]]
    /// True where the fields' places are their numbers, so that nothing need be mapped.
    let isIdentity: Bool

    fileprivate init(
      version: SchemaVersion, schema: Schema, models: [Int], fields: [[FieldID]], isIdentity: Bool
    ) {
      self.version = version
      self.schema = schema
      self.models = models
      self.fields = fields
      self.isIdentity = isIdentity
    }
  }

  /// In the order they came; the last adopted one is current.
  let versions: [Resolved]
  let current: Resolved
  let policy: Policy
  /// For rules with `allow: custom`.
  let authorizer: (any CustomAuthorizer)?
  /// By model number.
  let rules: [MergeRules?]
  let modelNames: [String]
  /// By model number, then field id.
  let fieldNames: [[String]]
  /// By place in the current schema.
  let shapes: [ModelShape]
  /// Of the app's record types, as they are asked for.
  let recordShapes = RecordShapeCache()
  /// The place of a model in the current schema, by model number.
  private let currentPlaces: [Int?]
  /// By model number, then field id: the field's place in the current schema.
  private let currentFieldPlaces: [[Int?]]

  /// - Parameter sources: in the order they came, each with whether the store adopted it.
  init(
    _ sources: [(source: String, isAdopted: Bool)], _ authorizer: (any CustomAuthorizer)?
  ) throws(SchemaError) {
    var current: Resolved?
    var versions: [Resolved] = []
    var modelNames: [String] = []
    var fieldNames: [[String]] = []
    for (source, isAdopted) in sources {
      let schema = try Schema.parse(source)
      var models: [Int] = []
      var fields: [[FieldID]] = []
      for model in schema.models {
        let number = Catalog.number(of: model.name, in: &modelNames)
        models.append(number)
        if number == fieldNames.count { fieldNames.append([]) }
        fields.append(model.fields.map { Catalog.number(of: $0.name, in: &fieldNames[number]) })
      }
      let isIdentity =
        models == Array(models.indices) && fields.allSatisfy { $0 == Array($0.indices) }
      let resolved = Resolved(
        version: SchemaVersion(source: source), schema: schema, models: models, fields: fields,
        isIdentity: isIdentity)
      versions.append(resolved)
      if isAdopted { current = resolved }
    }
    guard modelNames.count <= Int(UInt16.max) else {
      throw SchemaError(
        code: .tooManyTypes, line: 1, column: 1,
        message: "a store holds at most \(UInt16.max) models through all schema versions")
    }
    guard let current else {
      throw SchemaError(code: .noModels, line: 1, column: 1, message: "no schema was adopted")
    }
    self.current = current
    self.versions = versions
    self.modelNames = modelNames
    self.fieldNames = fieldNames
    self.authorizer = authorizer
    policy = Policy(current.schema, customAuthorizer: authorizer)
    var rules = [MergeRules?](repeating: nil, count: modelNames.count)
    var places = [Int?](repeating: nil, count: modelNames.count)
    var fieldPlaces = fieldNames.map { [Int?](repeating: nil, count: $0.count) }
    for (place, model) in current.schema.models.enumerated() {
      let number = current.models[place]
      places[number] = place
      var types = [Field.MergeType?](repeating: nil, count: fieldNames[number].count)
      for (fieldPlace, field) in model.fields.enumerated() {
        types[current.fields[place][fieldPlace]] = field.merge
        fieldPlaces[number][current.fields[place][fieldPlace]] = fieldPlace
      }
      let owners = model.ownerFields.compactMap { name in
        model.fieldIndex(name).map { current.fields[place][$0] }
      }
      rules[number] = MergeRules(
        deletePolicy: model.deletePolicy, mergeTypes: types, ownerFields: owners)
    }
    self.rules = rules
    shapes = current.schema.models.indices.map { ModelShape(current, place: $0) }
    currentPlaces = places
    currentFieldPlaces = fieldPlaces
  }

  private static func number(of name: String, in names: inout [String]) -> Int {
    if let number = names.firstIndex(where: { $0.hasSameBytes(as: name) }) { return number }
    names.append(name)
    return names.count - 1
  }

  func resolved(_ version: SchemaVersion) -> Resolved? {
    version == current.version ? current : versions.last { $0.version == version }
  }

  func mergeRules(_ model: Int) -> MergeRules {
    rules[model] ?? MergeRules(deletePolicy: .deleteWins, mergeTypes: [], ownerFields: [])
  }

  /// The model's place in the current schema; `nil` where that has it no more.
  func currentPlace(_ model: Int) -> Int? { currentPlaces[model] }

  /// The field's place in the current schema's model.
  func currentPlace(_ model: Int, _ field: FieldID) -> Int? {
    let places = currentFieldPlaces[model]
    return places.indices.contains(field) ? places[field] : nil
  }

  /// The current schema's model.
  func model(_ number: Int) -> Model? {
    currentPlaces[number].map { current.schema.models[$0] }
  }

  /// The record's key for an event under a schema version.
  func key(_ event: Event, _ resolved: Resolved) throws(CodecError) -> RecordKey {
    guard resolved.models.indices.contains(event.model) else {
      throw CodecError(.outOfBounds, "model")
    }
    return RecordKey(model: resolved.models[event.model], id: event.id)
  }

  /// The event's changes with this store's field ids, sorted.
  func changes(_ event: Event, _ resolved: Resolved) throws(CodecError) -> [FieldChange] {
    try changes(event.changes, of: event.model, resolved)
  }

  /// Changes of a model with this store's field ids, sorted.
  func changes(
    _ given: [FieldChange], of model: Int, _ resolved: Resolved
  ) throws(CodecError) -> [FieldChange] {
    if resolved.isIdentity { return given }
    let fields = resolved.fields[model]
    var changes: [FieldChange] = []
    for change in given {
      guard fields.indices.contains(change.field) else { throw CodecError(.outOfBounds, "field") }
      changes.append(FieldChange(field: fields[change.field], operation: change.operation))
    }
    return changes.sorted { $0.field < $1.field }
  }
}
