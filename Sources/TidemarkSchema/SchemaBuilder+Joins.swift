// The models that `@manyToMany` makes where the file does not declare them.

extension SchemaBuilder {
  /// A join model has the rules of both models that it joins, as alternatives, as Amplify has it.
  func model(_ join: ParsedJoin) throws(SchemaError) -> Model {
    var rules: [AuthRule] = []
    for side in join.sides {
      var given = defaultRules
      if let directive = side.directives.first(where: { $0.name.text == "auth" }) {
        given = try RuleBuilder(providers, side.name.text, isField: false).rules(directive)
      }
      for rule in given {
        let named = rule.named("\(join.name).auth[\(rules.count)] allow: \(rule.allow.rawValue)")
        if !rules.contains(where: { $0.named(named.name) == named }) { rules.append(named) }
      }
    }
    return Model(
      name: join.name, fields: relations.keys[join.name, default: []], deletePolicy: .deleteWins,
      rules: rules, relations: relations.relations[join.name, default: []])
  }
}

extension AuthRule {
  fileprivate func named(_ name: String) -> AuthRule {
    AuthRule(
      allow: allow, provider: provider, ownerField: ownerField, identityClaim: identityClaim,
      groupClaim: groupClaim, groups: groups, groupsField: groupsField, operations: operations,
      name: name)
  }
}
