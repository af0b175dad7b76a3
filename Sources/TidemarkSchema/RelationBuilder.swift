// `@hasOne`, `@hasMany`, `@belongsTo` and `@manyToMany`: which field holds the key of each relation, and
// what a delete does to who holds it. What they mean: `Documentation/Relations.md`.

/// A field with one of the four directives.
struct ParsedRelation {
  let model: ParsedType
  let field: ParsedField
  let directive: ParsedDirective
  let kind: Relation.Kind
  let target: ParsedType

  /// `Post.comments`.
  var path: String { "\(model.name.text).\(field.name.text)" }
}

/// A field that holds a key.
struct KeyPlace: Hashable {
  let model: String
  let key: String
}

/// A model that `@manyToMany` makes, where the file does not declare it.
struct ParsedJoin {
  let name: String
  let sides: [ParsedType]
}

/// Resolves the relations of a document.
struct RelationBuilder {
  let models: [ParsedType]
  let types: [String: ParsedType]
  var declared: [ParsedRelation] = []
  /// By place in `declared`; of `manyToMany` the key in the join model that names this side.
  var places: [KeyPlace?] = []
  /// The relation that a key which no field is written for is called after.
  var origins: [KeyPlace: ParsedRelation] = [:]
  /// Of `manyToMany`: by place in `declared`, the other.
  var otherSides: [Int: Int] = [:]

  // What it makes.

  /// By model, in the order of the file.
  var relations: [String: [Relation]] = [:]
  /// By model: the fields of keys that the file does not declare.
  var keys: [String: [Field]] = [:]
  var joins: [ParsedJoin] = []
  var references: [Reference] = []

  static func kind(_ directive: ParsedDirective) -> Relation.Kind? {
    Relation.Kind(rawValue: directive.name.text)
  }

  static func isRelation(_ field: ParsedField) -> Bool {
    field.directives.contains { kind($0) != nil }
  }

  init(_ document: SchemaDocument) throws(SchemaError) {
    models = document.types.filter(\.isModel)
    types = Dictionary(
      document.types.map { ($0.name.text, $0) }, uniquingKeysWith: { first, _ in first })
    for model in models {
      for field in model.fields {
        guard let relation = try relation(field, of: model, document) else { continue }
        declared.append(relation)
        // What follows looks at pairs of them.
        guard declared.count <= Schema.relationCountMax else {
          throw SchemaError(
            .tooManyRelations, field.name.position,
            "a schema has at most \(Schema.relationCountMax) relations")
        }
      }
    }
    places = Array(repeating: nil, count: declared.count)
    try placeGivenKeys()
    try placeImpliedKeys()
    try placeJoins(document)
    try addKeys()
    try addReferences()
    addRelations()
    try checkCycles()
  }

  // MARK: Declarations

  private func relation(
    _ field: ParsedField, of model: ParsedType, _ document: SchemaDocument
  ) throws(SchemaError) -> ParsedRelation? {
    guard RelationBuilder.isRelation(field) else { return nil }
    var found: (directive: ParsedDirective, kind: Relation.Kind)?
    for directive in field.directives {
      guard let kind = RelationBuilder.kind(directive) else {
        if directive.name.text == "renamed" { continue }
        throw SchemaError(
          .misplacedDirective, directive.position,
          "@\(directive.name.text) has no meaning on a relation, which stores nothing; put it on the key field"
        )
      }
      guard found == nil else {
        throw SchemaError(
          .duplicateDirective, directive.position, "a relation is of one kind; leave one out")
      }
      found = (directive, kind)
    }
    guard let found else { return nil }
    guard field.name.text != "id" else {
      throw SchemaError(
        .idType, field.type.position,
        "every record's id is an `ID!`; call the relation something else")
    }
    let name = field.type.name
    guard let target = types[name.text], target.isModel else {
      let exists =
        document.types.contains { $0.name.text == name.text }
        || document.enums.contains { $0.name.text == name.text }
        || Scalar(rawValue: name.text) != nil
      throw SchemaError(
        exists ? .relationTarget : .unknownType, name.position,
        exists
          ? "a relation leads to a model, and \(name.text) is none; name one, or leave @\(found.kind.rawValue) out"
          : "there is no type \(name.text); define it with @model")
    }
    try checkType(field, found.kind, name.text)
    try checkArguments(found.directive, found.kind)
    return ParsedRelation(
      model: model, field: field, directive: found.directive, kind: found.kind, target: target)
  }

  /// One record, or a list of them.
  private func checkType(
    _ field: ParsedField, _ kind: Relation.Kind, _ target: String
  ) throws(SchemaError) {
    let isMany = kind == .hasMany || kind == .manyToMany
    let inner = field.type.unwrapped
    switch inner {
    case .named where !isMany: return
    case .list(let element, _) where isMany:
      if case .named = element.unwrapped { return }
    default: break
    }
    throw SchemaError(
      .relationType, field.type.position,
      "@\(kind.rawValue) reads \(isMany ? "a list" : "one record"); write `\(field.name.text): \(isMany ? "[\(target)]" : target)`"
    )
  }

  private func checkArguments(
    _ directive: ParsedDirective, _ kind: Relation.Kind
  ) throws(SchemaError) {
    let known = RelationBuilder.arguments(of: kind)
    for argument in directive.arguments where !known.contains(argument.name.text) {
      throw SchemaError(
        .unknownArgument, argument.name.position,
        "@\(kind.rawValue) takes no \(argument.name.text); it takes \(known.joined(separator: ", "))"
      )
    }
    let places = ["fields", "references", "indexName"].filter {
      // Of `hasMany`, `fields` names this side.
      directive.argument($0) != nil && !(kind == .hasMany && $0 == "fields")
    }
    if places.count > 1, let second = directive.argument(places[1]) {
      throw SchemaError(
        .wrongArgument, second.name.position,
        "\(places[0]) says already which field holds the key; leave \(places[1]) out")
    }
  }

  private static func arguments(of kind: Relation.Kind) -> [String] {
    switch kind {
    case .belongsTo, .hasOne: ["fields", "references", "onDelete"]
    case .hasMany: ["indexName", "fields", "references", "onDelete"]
    case .manyToMany: ["relationName", "onDelete"]
    }
  }
}
