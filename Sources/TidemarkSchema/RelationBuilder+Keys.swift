internal import TidemarkEvents

// Which field holds the key of each relation.

extension RelationBuilder {
  mutating func placeGivenKeys() throws(SchemaError) {
    for (place, relation) in declared.enumerated() {
      places[place] = try givenKey(of: relation)
    }
  }

  private func givenKey(of relation: ParsedRelation) throws(SchemaError) -> KeyPlace? {
    let directive = relation.directive
    let own = relation.model.name.text
    let target = relation.target.name.text
    switch relation.kind {
    case .manyToMany: return nil
    case .belongsTo:
      guard let argument = directive.argument("fields") ?? directive.argument("references") else {
        return nil
      }
      return try key(argument, in: relation.model).map { KeyPlace(model: own, key: $0) }
    case .hasOne:
      if let argument = directive.argument("references") {
        return try key(argument, in: relation.target).map { KeyPlace(model: target, key: $0) }
      }
      if let argument = directive.argument("fields") {
        return try key(argument, in: relation.model).map { KeyPlace(model: own, key: $0) }
      }
      return nil
    case .hasMany:
      if let argument = directive.argument("fields"), try name(argument) != "id" {
        throw SchemaError(
          .wrongArgument, argument.value.position,
          "fields of @hasMany is [\"id\"], this model's own; name the key that \(target) holds with references: [\"…\"]"
        )
      }
      if let argument = directive.argument("references") {
        return try key(argument, in: relation.target).map { KeyPlace(model: target, key: $0) }
      }
      guard let argument = directive.argument("indexName") else { return nil }
      return KeyPlace(model: target, key: try indexedField(argument, in: relation.target))
    }
  }

  /// The only field that an argument names.
  private func name(_ argument: ParsedArgument) throws(SchemaError) -> String {
    guard argument.value.elements.count == 1, let word = argument.value.elements[0].word else {
      throw SchemaError(
        .wrongArgument, argument.value.position,
        "\(argument.name.text) names one field, as [\"postId\"]: a record has one id")
    }
    return word
  }

  private func key(
    _ argument: ParsedArgument, in model: ParsedType
  ) throws(SchemaError) -> String? {
    let key = try name(argument)
    guard let field = model.fields.first(where: { $0.name.text == key }), key != "id" else {
      throw SchemaError(
        .relationKey, argument.value.elements[0].position,
        key == "id"
          ? "id is the record's own and names no other; write a key field, as `\(model.name.text.uncapitalized)Id: ID`"
          : "\(model.name.text) has no field \(key); write `\(key): ID` in it")
    }
    try checkKey(field, argument.value.elements[0].position)
    return key
  }

  func checkKey(_ field: ParsedField, _ position: SourcePosition) throws(SchemaError) {
    let merge = field.directives.first { $0.name.text == "merge" }?.argument("as")?.value.word
    guard case .named(let name) = field.type.unwrapped, name.text == Scalar.id.rawValue,
      merge == nil || merge == Field.MergeType.register.rawValue,
      !RelationBuilder.isRelation(field)
    else {
      throw SchemaError(
        .relationKey, position,
        "\(field.name.text) holds a key, which is an ID; write `\(field.name.text): ID`")
    }
  }

  /// The field with the `@index` of that name.
  private func indexedField(
    _ argument: ParsedArgument, in model: ParsedType
  ) throws(SchemaError) -> String {
    for field in model.fields {
      for directive in field.directives where directive.name.text == "index" {
        guard let word = directive.argument("name")?.value.word, word == argument.value.word else {
          continue
        }
        try checkKey(field, argument.value.position)
        return field.name.text
      }
    }
    throw SchemaError(
      .relationKey, argument.value.position,
      "\(model.name.text) has no field with an @index of that name; write references: [\"…\"] with its key field"
    )
  }

  mutating func placeImpliedKeys() throws(SchemaError) {
    for (place, relation) in declared.enumerated() where places[place] == nil {
      switch relation.kind {
      case .hasOne: implyKey(place, in: relation.model)
      case .hasMany:
        try checkUnclaimed(relation)
        implyKey(place, in: relation.target)
      case .belongsTo, .manyToMany: break
      }
    }
    for (place, relation) in declared.enumerated()
    where places[place] == nil && relation.kind == .belongsTo {
      if let shared = try otherSide(of: relation) {
        places[place] = places[shared]
      } else {
        implyKey(place, in: relation.model)
      }
    }
  }

  /// `postCommentsId`.
  private mutating func implyKey(_ place: Int, in model: ParsedType) {
    let relation = declared[place]
    let name = RelationBuilder.impliedKey(relation.model.name.text, relation.field.name.text)
    let key = KeyPlace(model: model.name.text, key: name)
    places[place] = key
    if origins[key] == nil { origins[key] = relation }
  }

  private static func impliedKey(_ model: String, _ field: String) -> String {
    "\(model.uncapitalized)\(field.capitalized)Id"
  }

  /// The relations of a model to another.
  private func relations(
    from model: ParsedType, to target: ParsedType, _ isIncluded: (Int) -> Bool
  ) -> [Int] {
    declared.indices.filter {
      declared[$0].model.name.text == model.name.text
        && declared[$0].target.name.text == target.name.text && isIncluded($0)
    }
  }

  /// Refuses a list without a key of its own beside a key that may be meant: it would read another.
  private func checkUnclaimed(_ relation: ParsedRelation) throws(SchemaError) {
    let claimed = Set(
      relations(from: relation.model, to: relation.target) { declared[$0].kind != .belongsTo }
        .compactMap { places[$0] })
    let candidates = relations(from: relation.target, to: relation.model) {
      guard let key = places[$0], declared[$0].kind == .belongsTo else { return false }
      return !claimed.contains(key)
    }
    guard let candidate = candidates.first, let key = places[candidate]?.key else { return }
    throw SchemaError(
      .ambiguousRelation, relation.directive.position,
      "whether it is the other side of \(declared[candidate].path) is not clear; write @hasMany(references: [\"\(key)\"]), or the name of another key field"
    )
  }

  /// The relation whose key a `@belongsTo` without one shares.
  private func otherSide(of relation: ParsedRelation) throws(SchemaError) -> Int? {
    let taken = Set(
      relations(from: relation.model, to: relation.target) {
        declared[$0].kind == .belongsTo && RelationBuilder.namesKey(declared[$0].directive)
      }.compactMap { places[$0] })
    let candidates = relations(from: relation.target, to: relation.model) {
      guard let key = places[$0], declared[$0].kind != .belongsTo else { return false }
      return key.model == relation.model.name.text && !taken.contains(key)
        && !(declared[$0].kind == .hasOne && origins[key] != nil)
    }
    let rivals = relations(from: relation.model, to: relation.target) {
      declared[$0].kind == .belongsTo && !RelationBuilder.namesKey(declared[$0].directive)
    }
    guard let first = candidates.first else { return nil }
    guard candidates.count == 1, rivals.count == 1 else {
      throw SchemaError(
        .ambiguousRelation, relation.directive.position,
        "there is more than one relation between \(relation.model.name.text) and \(relation.target.name.text); say which key it is: @belongsTo(fields: [\"…\"])"
      )
    }
    return first
  }

  private static func namesKey(_ directive: ParsedDirective) -> Bool {
    directive.argument("fields") != nil || directive.argument("references") != nil
  }

  /// The fields of keys that the file does not declare, in the order of the relations.
  mutating func addKeys() throws(SchemaError) {
    for (place, relation) in declared.enumerated() {
      guard let key = places[place], let origin = origins[key] else { continue }
      if let written = types[key.model]?.fields.first(where: { $0.name.text == key.key }) {
        try checkKey(written, written.type.position)
        continue
      }
      if keys[key.model, default: []].contains(where: { $0.name == key.key }) { continue }
      let isRequired = declared.indices.contains {
        places[$0] == key
          && (declared[$0].kind == .manyToMany
            || holdsKey($0) && declared[$0].field.type.isRequired)
      }
      guard key.key.utf8.count <= Schema.nameByteCountMax else {
        throw SchemaError(
          .nameTooLong, relation.field.name.position,
          "the name of its key would be too long; write the key field, and name it in the directive"
        )
      }
      keys[key.model, default: []].append(
        Field(
          name: key.key, type: isRequired ? .required(.scalar(.id)) : .scalar(.id),
          merge: .register, rules: nil, isImplicit: true,
          earlierNames: RelationBuilder.earlierKeys(of: origin)))
    }
  }

  /// What the key was called while the model or the relation had another name.
  private static func earlierKeys(of origin: ParsedRelation) -> [String] {
    let models = [origin.model.name.text] + earlierNames(origin.model.directives)
    if origin.kind == .manyToMany { return models.dropFirst().map(joinKey) }
    let fields = [origin.field.name.text] + earlierNames(origin.field.directives)
    return models.flatMap { model in fields.map { impliedKey(model, $0) } }.dropFirst().map { $0 }
  }

  static func earlierNames(_ directives: [ParsedDirective]) -> [String] {
    let renamed = directives.first { $0.name.text == "renamed" }?.argument("from")?.value
    return renamed?.elements.compactMap(\.word) ?? []
  }

  /// Whether the record that a relation is read from has its key.
  func holdsKey(_ place: Int) -> Bool {
    let relation = declared[place]
    switch relation.kind {
    case .belongsTo: return true
    case .hasOne: return relation.directive.argument("references") == nil
    case .hasMany, .manyToMany: return false
    }
  }
}

extension ParsedTypeReference {
  /// The type without an outer `!`.
  var unwrapped: ParsedTypeReference {
    if case .required(let inner) = self { return inner }
    return self
  }

  var isRequired: Bool {
    if case .required = self { return true }
    return false
  }
}

extension String {
  /// `blogPost` for `BlogPost`.
  var uncapitalized: String { prefix(1).lowercased() + dropFirst() }

  fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() }
}
