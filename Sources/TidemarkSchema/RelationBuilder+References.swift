// What a delete does to who holds a key, and what the model is told of its relations.

extension RelationBuilder {
  mutating func addReferences() throws(SchemaError) {
    struct Rule {
      let target: String
      var onDelete: Reference.DeleteRule?
      /// A link is nothing without what it joins.
      let isLink: Bool
      let path: String
    }
    var order: [KeyPlace] = []
    var rules: [KeyPlace: Rule] = [:]
    for (place, relation) in declared.enumerated() {
      guard let key = places[place] else { continue }
      let target = holdsKey(place) ? relation.target.name.text : relation.model.name.text
      let given = try deleteRule(of: relation, isRequired: isRequired(key))
      if relation.kind == .hasOne, holdsKey(place), given != nil {
        throw SchemaError(
          .wrongArgument,
          relation.directive.argument("onDelete")?.name.position ?? relation.directive.position,
          "\(relation.model.name.text) itself holds the key, so that \(relation.target.name.text) knows nothing of it; write @belongsTo for what becomes of the \(relation.model.name.text), or let \(relation.target.name.text) hold the key: @hasOne(references: [\"…\"])"
        )
      }
      guard var rule = rules[key] else {
        order.append(key)
        rules[key] = Rule(
          target: target, onDelete: given, isLink: relation.kind == .manyToMany,
          path: relation.path)
        continue
      }
      guard rule.target == target else {
        throw SchemaError(
          .relationsDisagree, relation.directive.position,
          "\(key.model).\(key.key) names a \(rule.target) by \(rule.path), and here a \(target); give each a key of its own"
        )
      }
      if let given, let before = rule.onDelete, given != before,
        let argument = relation.directive.argument("onDelete")
      {
        throw SchemaError(
          .relationsDisagree, argument.value.position,
          "\(rule.path) says \(before.rawValue) of the same key; write it once")
      }
      rule.onDelete = rule.onDelete ?? given
      rules[key] = rule
    }
    references = order.compactMap { key in
      rules[key].map {
        Reference(
          model: key.model, key: key.key, target: $0.target,
          onDelete: $0.onDelete ?? ($0.isLink ? .cascade : .keep))
      }
    }
  }

  private func isRequired(_ key: KeyPlace) -> Bool {
    if let written = types[key.model]?.fields.first(where: { $0.name.text == key.key }) {
      return written.type.isRequired
    }
    return keys[key.model]?.first { $0.name == key.key }?.type.isRequired ?? false
  }

  func deleteRule(
    of relation: ParsedRelation, isRequired: Bool
  ) throws(SchemaError) -> Reference.DeleteRule? {
    guard let value = relation.directive.argument("onDelete")?.value else { return nil }
    guard let word = value.word, let rule = Reference.DeleteRule(rawValue: word) else {
      let rules = Reference.DeleteRule.allCases.map(\.rawValue).joined(separator: ", ")
      throw SchemaError(.wrongArgument, value.position, "onDelete is one of \(rules)")
    }
    guard rule != .nullify || !isRequired else {
      throw SchemaError(
        .wrongArgument, value.position,
        "the key holds no null; leave its `!` out, or write CASCADE, DENY or KEEP")
    }
    return rule
  }

  /// In the order of the file.
  mutating func addRelations() {
    for (place, relation) in declared.enumerated() {
      guard let key = places[place] else { continue }
      let target = relation.target.name.text
      let found: Relation.Key
      if relation.kind == .manyToMany {
        guard let other = otherSides[place], let targetKey = places[other]?.key else { continue }
        found = .join(model: key.model, own: key.key, target: targetKey)
      } else {
        found = holdsKey(place) ? .own(key.key) : .target(key.key)
      }
      relations[relation.model.name.text, default: []].append(
        Relation(name: relation.field.name.text, kind: relation.kind, target: target, key: found))
    }
  }

  /// Refuses models of which no record can be without one of another, all of which one delete takes.
  func checkCycles() throws(SchemaError) {
    let edges = references.filter {
      $0.onDelete == .cascade && isRequired(KeyPlace(model: $0.model, key: $0.key))
    }
    var done: Set<String> = []
    for edge in edges where !done.contains(edge.model) {
      var path: Set<String> = []
      try visit(edge.model, edges, &path, &done)
    }
  }

  private func visit(
    _ model: String, _ edges: [Reference], _ path: inout Set<String>, _ done: inout Set<String>
  ) throws(SchemaError) {
    path.insert(model)
    for edge in edges where edge.model == model && !done.contains(edge.target) {
      guard !path.contains(edge.target) else {
        let place = places.firstIndex { $0 == KeyPlace(model: edge.model, key: edge.key) }
        throw SchemaError(
          .requiredCycle, place.map { declared[$0].directive.position } ?? SourcePosition(),
          "every \(model) needs a record that needs it, and one delete takes all of them; let \(model).\(edge.key) be null, or do not cascade"
        )
      }
      try visit(edge.target, edges, &path, &done)
    }
    path.remove(model)
    done.insert(model)
  }
}
