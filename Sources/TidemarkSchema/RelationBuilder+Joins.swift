// `@manyToMany`: a model in between, each of whose records joins two.

extension RelationBuilder {
  mutating func placeJoins(_ document: SchemaDocument) throws(SchemaError) {
    var order: [String] = []
    var sides: [String: [Int]] = [:]
    for (place, relation) in declared.enumerated() where relation.kind == .manyToMany {
      let name = try joinName(of: relation)
      if sides[name] == nil { order.append(name) }
      sides[name, default: []].append(place)
    }
    for name in order { try placeJoin(name, sides[name] ?? [], document) }
  }

  private func joinName(of relation: ParsedRelation) throws(SchemaError) -> String {
    let remedy = "@manyToMany(relationName: \"PostTags\")"
    guard let value = relation.directive.argument("relationName")?.value else {
      throw SchemaError(
        .missingArgument, relation.directive.position,
        "@manyToMany lacks relationName; write \(remedy)")
    }
    guard let name = value.word, SchemaLexer.isName(name),
      name.utf8.count <= Schema.nameByteCountMax
    else {
      throw SchemaError(
        .wrongArgument, value.position,
        "relationName is the name of a model in between; write \(remedy)")
    }
    return name
  }

  private mutating func placeJoin(
    _ name: String, _ sides: [Int], _ document: SchemaDocument
  ) throws(SchemaError) {
    let (first, last) = (declared[sides[0]], declared[sides[sides.count - 1]])
    guard sides.count == 2 else {
      throw SchemaError(
        .relationsDisagree, last.directive.position,
        "relationName \(name) stands on \(sides.count) fields, and joins two; write it on one field of each of two models"
      )
    }
    guard first.model.name.text != last.model.name.text else {
      throw SchemaError(
        .relationTarget, last.field.type.name.position,
        "@manyToMany joins two models; write a model with two @belongsTo in place of \(name)")
    }
    guard last.target.name.text == first.model.name.text,
      first.target.name.text == last.model.name.text
    else {
      throw SchemaError(
        .relationsDisagree, last.field.type.name.position,
        "\(first.path) and \(last.path) are both \(name), and do not lead to each other; write `\(last.field.name.text): [\(first.model.name.text)]`"
      )
    }
    let isTaken =
      document.enums.contains { $0.name.text == name } || Scalar(rawValue: name) != nil
      || types[name].map { !$0.isModel } ?? false
    guard !isTaken else {
      throw SchemaError(
        .duplicateName, first.directive.position,
        "\(name) is a type of its own; choose another relationName")
    }
    if types[name] == nil {
      joins.append(ParsedJoin(name: name, sides: [first.model, last.model]))
    }
    for (place, other) in [(sides[0], sides[1]), (sides[1], sides[0])] {
      otherSides[place] = other
      placeSide(place, in: name)
    }
  }

  /// The key in a join model that names the record which a relation is read from.
  private mutating func placeSide(_ place: Int, in join: String) {
    let relation = declared[place]
    let model = relation.model.name.text
    let key = KeyPlace(model: join, key: RelationBuilder.joinKey(model))
    places[place] = key
    if origins[key] == nil { origins[key] = relation }
    let name = model.uncapitalized
    if types[join]?.fields.contains(where: { $0.name.text == name }) != true {
      relations[join, default: []].append(
        Relation(name: name, kind: .belongsTo, target: model, key: .own(key.key)))
    }
  }

  /// `postId`.
  static func joinKey(_ model: String) -> String { "\(model.uncapitalized)Id" }
}
