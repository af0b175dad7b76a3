public import TidemarkEvents

extension Schema {
  /// Reads a schema file.
  /// - Parameter providers: those that are configured; `nil` for all.
  /// - Throws: `SchemaError` with the place of the first mistake and what to write instead.
  /// - Complexity: O(bytes).
  public static func parse(
    _ source: String, providers: Set<Principal.Provider>? = nil
  ) throws(SchemaError) -> Schema {
    guard source.utf8.count <= Schema.byteCountMax else {
      throw SchemaError(
        .fileTooLarge, SourcePosition(), "a schema has at most \(Schema.byteCountMax) bytes")
    }
    var parser = try SchemaParser(Array(source.utf8))
    var builder = try SchemaBuilder(try parser.document(), providers)
    return try builder.schema(source)
  }

  /// Reads a schema file's bytes, which must be UTF-8.
  public static func parse(
    bytes: [UInt8], providers: Set<Principal.Provider>? = nil
  ) throws(SchemaError) -> Schema {
    guard let source = String(validating: bytes, as: UTF8.self) else {
      throw SchemaError(.invalidUTF8, SourcePosition(), "the file is not UTF-8; save it as UTF-8")
    }
    return try parse(source, providers: providers)
  }
}

/// Checks a document and makes the schema of it.
struct SchemaBuilder {
  private let document: SchemaDocument
  let providers: Set<Principal.Provider>?
  private let models: [ParsedType]
  private let embedded: [String: ParsedType]
  let enums: [String: ParsedEnum]
  /// Those of a model that has no `@auth`.
  private(set) var defaultRules: [AuthRule] = []
  let relations: RelationBuilder

  init(
    _ document: SchemaDocument, _ providers: Set<Principal.Provider>?
  ) throws(SchemaError) {
    self.document = document
    self.providers = providers
    var names: Set<String> = []
    for name in document.types.map(\.name) + document.enums.map(\.name) {
      guard names.insert(name.text).inserted else {
        throw SchemaError(
          .duplicateName, name.position, "\(name.text) is defined twice; rename one of them")
      }
      guard Scalar(rawValue: name.text) == nil else {
        throw SchemaError(
          .reservedName, name.position, "\(name.text) is a scalar's name; choose another")
      }
    }
    guard names.count <= Schema.typeCountMax else {
      throw SchemaError(
        .tooManyTypes, SourcePosition(), "a schema has at most \(Schema.typeCountMax) types")
    }
    models = document.types.filter(\.isModel)
    embedded = Dictionary(
      uniqueKeysWithValues: document.types.filter { !$0.isModel }.map { ($0.name.text, $0) })
    enums = Dictionary(uniqueKeysWithValues: document.enums.map { ($0.name.text, $0) })
    guard !models.isEmpty else {
      throw SchemaError(
        .noModels, SourcePosition(), "no type has @model; write `type Post @model { … }`")
    }
    relations = try RelationBuilder(document)
    guard names.count + relations.joins.count <= Schema.typeCountMax else {
      throw SchemaError(
        .tooManyTypes, SourcePosition(),
        "a schema has at most \(Schema.typeCountMax) types, join models included")
    }
  }

  mutating func schema(_ source: String) throws(SchemaError) -> Schema {
    var enumTypes: [EnumType] = []
    for parsed in document.enums { enumTypes.append(try enumType(parsed)) }
    var embeddedTypes: [EmbeddedType] = []
    try checkNesting()
    for parsed in document.types where !parsed.isModel {
      embeddedTypes.append(try embeddedType(parsed))
    }
    if let parsed = document.defaultRules {
      let builder = RuleBuilder(providers, "schema", isField: false)
      defaultRules = try builder.rules(in: parsed.value)
    }
    try checkEarlierNames(models.map { ($0.name.text, $0.directives) }, "a model")
    var built: [Model] = []
    for parsed in models { built.append(try model(parsed)) }
    for join in relations.joins { built.append(try model(join)) }
    return Schema(
      source: source, models: built, enums: enumTypes, embeddedTypes: embeddedTypes,
      defaultRules: defaultRules, references: relations.references)
  }

  private func enumType(_ parsed: ParsedEnum) throws(SchemaError) -> EnumType {
    if let directive = parsed.directives.first {
      throw SchemaError(
        .misplacedDirective, directive.position,
        "an enum takes no directives; leave @\(directive.name.text) out")
    }
    guard !parsed.cases.isEmpty else {
      throw SchemaError(.emptyType, parsed.name.position, "\(parsed.name.text) has no cases")
    }
    try checkDistinct(parsed.cases, in: parsed.name.text)
    return EnumType(name: parsed.name.text, cases: parsed.cases.map(\.text))
  }

  private func embeddedType(_ parsed: ParsedType) throws(SchemaError) -> EmbeddedType {
    for directive in parsed.directives {
      if directive.name.text == "auth" {
        throw SchemaError(
          .authWithoutModel, directive.position,
          "@auth stands on a type with @model or on its fields; add @model, or leave @auth out")
      }
      throw misplaced(directive, "a type without @model")
    }
    try checkFields(parsed)
    var fields: [Field] = []
    for field in parsed.fields {
      if let directive = field.directives.first { throw misplaced(directive, "an embedded field") }
      fields.append(
        Field(
          name: field.name.text, type: try type(field.type), merge: .register, rules: nil))
    }
    return EmbeddedType(name: parsed.name.text, fields: fields)
  }

  private func misplaced(_ directive: ParsedDirective, _ place: String) -> SchemaError {
    guard SchemaBuilder.isKnown(directive.name.text) else { return unknown(directive) }
    return SchemaError(
      .misplacedDirective, directive.position,
      "@\(directive.name.text) has no meaning on \(place); leave it out")
  }

  private func unknown(_ directive: ParsedDirective) -> SchemaError {
    let name = directive.name.text
    let later = [
      "index", "primaryKey", "searchable", "key", "connection", "versioned", "function", "http",
      "predictions", "mapsTo", "refersTo",
    ]
    if later.contains(name) {
      return SchemaError(
        .notSupported, directive.position, "@\(name) is not supported yet; leave it out")
    }
    return SchemaError(
      .unknownDirective, directive.position,
      "there is no @\(name); known are \(SchemaBuilder.known.map { "@\($0)" }.joined(separator: ", "))"
    )
  }

  private static let known =
    ["model", "auth", "merge", "deletes", "renamed", "default"]
    + Relation.Kind.allCases.map(\.rawValue)

  private static func isKnown(_ name: String) -> Bool { known.contains(name) }

  private func checkDistinct(_ names: [ParsedName], in type: String) throws(SchemaError) {
    var seen: Set<String> = []
    for name in names where !seen.insert(name.text).inserted {
      throw SchemaError(
        .duplicateName, name.position, "\(type) has \(name.text) twice; rename one of them")
    }
  }

  private func checkFields(_ parsed: ParsedType) throws(SchemaError) {
    guard !parsed.fields.isEmpty else {
      throw SchemaError(.emptyType, parsed.name.position, "\(parsed.name.text) has no fields")
    }
    try checkDistinct(parsed.fields.map(\.name), in: parsed.name.text)
  }

  /// How deep embedded types nest below each one; one that holds itself is refused.
  /// - Complexity: O(fields).
  private func checkNesting() throws(SchemaError) {
    var depths: [String: Int] = [:]
    var path: Set<String> = []
    for type in document.types where !type.isModel {
      _ = try depth(of: type, &depths, &path)
    }
  }

  private func depth(
    of parsed: ParsedType, _ depths: inout [String: Int], _ path: inout Set<String>
  ) throws(SchemaError) -> Int {
    let name = parsed.name.text
    if let known = depths[name] { return known }
    guard path.insert(name).inserted, path.count <= Schema.embeddingDepthMax else {
      throw SchemaError(
        .recursiveType, parsed.name.position,
        "\(name) holds itself, or nests deeper than \(Schema.embeddingDepthMax); keep an id in its place"
      )
    }
    var deepest = 0
    for field in parsed.fields {
      guard let inner = embedded[field.type.name.text] else { continue }
      deepest = max(deepest, try depth(of: inner, &depths, &path))
    }
    path.remove(name)
    guard deepest < Schema.embeddingDepthMax else {
      throw SchemaError(
        .recursiveType, parsed.name.position,
        "\(name) nests deeper than \(Schema.embeddingDepthMax); keep an id in its place")
    }
    depths[name] = deepest + 1
    return deepest + 1
  }

  private func type(_ parsed: ParsedTypeReference) throws(SchemaError) -> FieldType {
    switch parsed {
    case .required(let inner): return .required(try type(inner))
    case .list(let inner, _): return .list(try type(inner))
    case .named(let name):
      if let scalar = Scalar(rawValue: name.text) { return .scalar(scalar) }
      if enums[name.text] != nil { return .enumeration(name.text) }
      if embedded[name.text] != nil { return .embedded(name.text) }
      if models.contains(where: { $0.name.text == name.text }) {
        throw SchemaError(
          .missingRelation, name.position,
          "\(name.text) is a model; say how it is related: @belongsTo, @hasOne, @hasMany or @manyToMany"
        )
      }
      throw SchemaError(
        .unknownType, name.position,
        "there is no type \(name.text); define it, or write one of \(Scalar.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
  }

  private func model(_ parsed: ParsedType) throws(SchemaError) -> Model {
    try checkFields(parsed)
    let name = parsed.name.text
    var policy = Model.DeletePolicy.deleteWins
    var rules = defaultRules
    var earlierNames: [String] = []
    try checkRepeats(parsed.directives)
    for directive in parsed.directives {
      switch directive.name.text {
      case "model":
        if let argument = directive.arguments.first {
          throw SchemaError(
            .notSupported, argument.name.position,
            "@model takes no arguments here; leave \(argument.name.text) out")
        }
      case "auth":
        rules = try RuleBuilder(providers, name, isField: false).rules(directive)
      case "deletes": policy = try deletePolicy(directive)
      case "renamed": earlierNames = try self.earlierNames(directive, of: name)
      default: throw misplaced(directive, "a model")
      }
    }
    try checkEarlierNames(parsed.fields.map { ($0.name.text, $0.directives) }, "a field")
    var fields: [Field] = []
    for field in parsed.fields where !RelationBuilder.isRelation(field) {
      if let built = try self.field(field, in: name) { fields.append(built) }
    }
    let model = Model(
      name: name, fields: fields + relations.keys[name, default: []], deletePolicy: policy,
      rules: rules, earlierNames: earlierNames, relations: relations.relations[name, default: []])
    guard model.fields.count <= Schema.fieldCountMax else {
      throw SchemaError(
        .tooManyFields, parsed.name.position,
        "\(name) has more than \(Schema.fieldCountMax) fields, those that rules name included")
    }
    try checkRuleFields(model, parsed)
    try checkDefaults(model, parsed)
    return model
  }

  /// An owner or groups field holds text or a list of texts.
  private func checkRuleFields(_ model: Model, _ parsed: ParsedType) throws(SchemaError) {
    for (names, code) in [
      (model.ownerFields, SchemaError.Code.ownerFieldType),
      (model.groupsFields, SchemaError.Code.groupsFieldType),
    ] {
      for name in names {
        guard let place = parsed.fields.first(where: { $0.name.text == name }) else { continue }
        guard !RelationBuilder.isRelation(place) else {
          throw SchemaError(
            code, place.name.position,
            "rules read \(name), which is a relation and stores nothing; name its key field in the rule"
          )
        }
        guard let field = model.field(name), !field.isImplicit else { continue }
        let inner = field.type.element?.unwrapped ?? field.type.unwrapped
        let isOwner = code == .ownerFieldType
        guard inner == .scalar(.string) || inner == .scalar(.id),
          field.merge == .register || (!isOwner && field.merge == .set)
        else {
          throw SchemaError(
            code, place.type.position,
            "rules read \(name), so it holds a String or a list of them; write `\(name): String`")
        }
      }
    }
  }

  private func field(
    _ parsed: ParsedField, in model: String
  ) throws(SchemaError) -> Field? {
    let type = try type(parsed.type)
    let name = parsed.name.text
    if name == "id" {
      guard type == .required(.scalar(.id)) else {
        throw SchemaError(
          .idType, parsed.type.position,
          "every record's id is an `ID!`; write that, or leave id out")
      }
      if let directive = parsed.directives.first { throw misplaced(directive, "id") }
      return nil
    }
    var merge = Field.MergeType.register
    var rules: [AuthRule]?
    var earlierNames: [String] = []
    try checkRepeats(parsed.directives)
    for directive in parsed.directives {
      switch directive.name.text {
      case "merge": merge = try mergeType(directive, type)
      case "auth":
        rules = try RuleBuilder(providers, "\(model).\(name)", isField: true).rules(directive)
      case "renamed": earlierNames = try self.earlierNames(directive, of: name)
      case "default": break
      default: throw misplaced(directive, "a field")
      }
    }
    let defaultValue = try parsed.directives.first { $0.name.text == "default" }
      .map { directive throws(SchemaError) in try self.defaultValue(directive, type, merge) }
    return Field(
      name: name, type: type, merge: merge, rules: rules, earlierNames: earlierNames,
      defaultValue: defaultValue)
  }

  private func checkRepeats(_ directives: [ParsedDirective]) throws(SchemaError) {
    var seen: Set<String> = []
    for directive in directives where !seen.insert(directive.name.text).inserted {
      throw SchemaError(
        .duplicateDirective, directive.position,
        "@\(directive.name.text) stands twice; put it all in one")
    }
  }

  func only(
    _ argument: String, of directive: ParsedDirective, _ remedy: String
  ) throws(SchemaError) -> ParsedValue {
    for given in directive.arguments where given.name.text != argument {
      throw SchemaError(
        .unknownArgument, given.name.position,
        "@\(directive.name.text) takes no \(given.name.text); write \(remedy)")
    }
    guard let value = directive.argument(argument)?.value else {
      throw SchemaError(
        .missingArgument, directive.position,
        "@\(directive.name.text) lacks \(argument); write \(remedy)")
    }
    return value
  }
}

extension ParsedTypeReference {
  /// The name at the bottom.
  var name: ParsedName {
    switch self {
    case .named(let name): name
    case .list(let inner, _), .required(let inner): inner.name
    }
  }
}

extension ParsedValue {
  /// A name, as GraphQL writes enum values, or a string with the same text.
  var word: String? {
    switch content {
    case .name(let text), .string(let text): text
    case .number, .list, .object: nil
    }
  }
}
