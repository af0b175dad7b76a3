internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

/// Every schema version that a store has met, and the numbers it gave to models and fields.
///
/// Numbers follow from the order in which the versions came, so they need no table of their own:
/// a name keeps its number through every version, and one that `@renamed` goes on from shares it.
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
    /// What went by names that two have had: a model, or a field of one. A store takes no such schema.
    let taken: [(model: String, field: String?)]

    fileprivate init(_ source: String, _ numbers: inout CatalogNumbers) throws(SchemaError) {
      version = SchemaVersion(source: source)
      schema = try Schema.parse(source)
      let given = numbers.add(schema)
      models = given.models
      fields = given.fields
      taken = given.taken
      isIdentity =
        models == Array(models.indices) && fields.allSatisfy { $0 == Array($0.indices) }
    }

    /// Whether the fields of a model in another version are the first of this one's, and merge alike.
    fileprivate func begins(like other: Resolved, _ model: Int) -> Bool {
      guard other.version != version, let place = models.firstIndex(of: model),
        let there = other.models.firstIndex(of: model),
        fields[place].starts(with: other.fields[there])
      else { return false }
      return zip(schema.models[place].fields, other.schema.models[there].fields)
        .allSatisfy { $0.merge == $1.merge }
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
  var modelNames: [String] { numbers.modelNames }
  /// By model number, then field id.
  var fieldNames: [[String]] { numbers.fieldNames }
  /// By place in the current schema.
  let shapes: [ModelShape]
  private let numbers: CatalogNumbers
  /// How values of other versions are shown under the current one, where any is shown otherwise.
  private let conversions: [SchemaVersion: Conversions]
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
    var numbers = CatalogNumbers()
    for (source, isAdopted) in sources {
      let resolved = try Resolved(source, &numbers)
      versions.append(resolved)
      if isAdopted { current = resolved }
    }
    if let current { numbers.name(current.schema, current.models, current.fields) }
    guard numbers.modelNames.count <= Int(UInt16.max) else {
      throw SchemaError(
        code: .tooManyTypes, line: 1, column: 1,
        message: "a store holds at most \(UInt16.max) models through all schema versions")
    }
    guard let current else {
      throw SchemaError(code: .noModels, line: 1, column: 1, message: "no schema was adopted")
    }
    self.current = current
    self.versions = versions
    self.numbers = numbers
    let (modelNames, fieldNames) = (numbers.modelNames, numbers.fieldNames)
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
    currentPlaces = places
    currentFieldPlaces = fieldPlaces
    let conversions = Dictionary(
      versions.compactMap { version in
        Conversions(from: version, to: current).map { (version.version, $0) }
      }, uniquingKeysWith: { first, _ in first })
    self.conversions = conversions
    shapes = current.schema.models.indices.map { place in
      let alike = versions.filter { version in
        conversions[version.version] == nil && current.begins(like: version, current.models[place])
      }
      return ModelShape(current, place: place, alike: alike.map(\.version))
    }
  }

  func resolved(_ version: SchemaVersion) -> Resolved? {
    version == current.version ? current : versions.last { $0.version == version }
  }

  /// The number of a model by any name that it has had; `nil` where none had it.
  func modelNumber(named name: String) -> Int? { numbers.modelNumber(named: name) }

  /// What the current schema calls a field that some version calls so, or called.
  func currentName(_ model: Int, ofField name: String) -> String? {
    guard let field = numbers.fieldID(model, named: name),
      let place = currentPlace(model, field)
    else { return nil }
    return self.model(model)?.fields[place].name
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

  /// The event's changes as the fold takes them.
  func changes(_ event: Event, _ resolved: Resolved) throws(CodecError) -> [FieldChange] {
    try changes(event.changes, of: event.model, resolved)
  }

  /// Changes of a model as the fold takes them: with this store's field ids, sorted, and values of the
  /// current schema's types.
  func changes(
    _ given: [FieldChange], of model: Int, _ resolved: Resolved
  ) throws(CodecError) -> [FieldChange] {
    let given = converted(given, of: model, resolved)
    if resolved.isIdentity { return given }
    let fields = resolved.fields[model]
    var changes: [FieldChange] = []
    for change in given {
      guard fields.indices.contains(change.field) else { throw CodecError(.outOfBounds, "field") }
      changes.append(FieldChange(field: fields[change.field], operation: change.operation))
    }
    return changes.sorted { $0.field < $1.field }
  }

  /// Changes of a model, with values of the current schema's types.
  func converted(
    _ changes: [FieldChange], of model: Int, _ resolved: Resolved
  ) -> [FieldChange] {
    guard !conversions.isEmpty, let conversions = conversions[resolved.version] else {
      return changes
    }
    return conversions.apply(to: changes, of: model)
  }

  /// What the store would have to go through to take a candidate, of which the other catalog is made.
  func changes(to candidate: Catalog) -> [SchemaChange] {
    current.schema.changes(to: candidate.current.schema)
      + candidate.current.taken.map { model, field in
        SchemaChange(
          code: .nameTaken, model: model, field: field,
          message:
            "its names, with those that it has had, belong to two in this store; give it a name that nothing had"
        )
      }
  }

  /// Whether events of a version are folded otherwise here than in another catalog, because a value
  /// is shown otherwise.
  func convertsAlike(_ model: Int, _ other: Catalog) -> Bool {
    versions.allSatisfy { version in
      guard let place = version.models.firstIndex(of: model) else { return true }
      return conversions[version.version]?.types(of: place)
        == other.conversions[version.version]?.types(of: place)
    }
  }
}
