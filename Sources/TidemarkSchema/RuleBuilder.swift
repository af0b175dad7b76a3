internal import TidemarkEvents

/// Makes the rules of one `@auth`, and refuses what contradicts itself.
struct RuleBuilder {
  private let providers: Set<Principal.Provider>?
  /// What stands before `.auth[0]` in a rule's name.
  private let prefix: String
  private let isField: Bool

  init(_ providers: Set<Principal.Provider>?, _ prefix: String, isField: Bool) {
    self.providers = providers
    self.prefix = prefix
    self.isField = isField
  }

  func rules(_ directive: ParsedDirective) throws(SchemaError) -> [AuthRule] {
    for argument in directive.arguments where argument.name.text != "rules" {
      throw SchemaError(
        .unknownArgument, argument.name.position,
        "@auth takes no \(argument.name.text); write @auth(rules: [{ allow: owner }])")
    }
    guard let list = directive.argument("rules")?.value else {
      throw SchemaError(
        .missingArgument, directive.position,
        "@auth lacks its rules; write @auth(rules: [{ allow: owner }])")
    }
    return try rules(in: list)
  }

  /// The rules of a list, or the one rule that stands in place of it.
  func rules(in list: ParsedValue) throws(SchemaError) -> [AuthRule] {
    guard !list.elements.isEmpty else {
      throw SchemaError(
        .emptyRules, list.position,
        "rules is empty, so nobody could do anything; write at least one, or leave @auth out")
    }
    guard list.elements.count <= Schema.ruleCountMax else {
      throw SchemaError(
        .tooManyRules, list.position, "@auth has at most \(Schema.ruleCountMax) rules")
    }
    var rules: [AuthRule] = []
    for element in list.elements { rules.append(try rule(element, rules.count)) }
    return rules
  }

  private func rule(_ value: ParsedValue, _ index: Int) throws(SchemaError) -> AuthRule {
    guard case .object(let members) = value.content else {
      throw SchemaError(.wrongArgument, value.position, "a rule is written { allow: owner, … }")
    }
    let known = [
      "allow", "provider", "ownerField", "identityClaim", "groupClaim", "groups", "groupsField",
      "operations",
    ]
    for member in members where !known.contains(member.name.text) {
      throw SchemaError(
        .unknownArgument, member.name.position,
        "a rule has no \(member.name.text); it has \(known.joined(separator: ", "))")
    }
    func argument(_ name: String) -> ParsedArgument? { members.first { $0.name.text == name } }
    guard let allowValue = argument("allow")?.value else {
      throw SchemaError(
        .missingArgument, value.position,
        "the rule lacks allow; write owner, groups, private, public or custom")
    }
    guard let word = allowValue.word, let allow = AuthRule.Allow(rawValue: word) else {
      throw SchemaError(
        .wrongArgument, allowValue.position,
        "allow is owner, groups, private, public or custom")
    }
    try checkCompanions(allow, argument)
    let groups = try argument("groups").map { given throws(SchemaError) in
      try self.groups(given)
    }
    return AuthRule(
      allow: allow, provider: try provider(argument("provider")?.value, allow, allowValue),
      ownerField: try text(argument("ownerField"), isName: true) ?? AuthRule.ownerFieldDefault,
      identityClaim: try text(argument("identityClaim")),
      groupClaim: try text(argument("groupClaim")) ?? AuthRule.groupClaimDefault,
      groups: groups,
      groupsField: allow == .groups && groups == nil
        ? try text(argument("groupsField"), isName: true) ?? AuthRule.groupsFieldDefault : nil,
      operations: try operations(argument("operations")?.value),
      name: "\(prefix).auth[\(index)] allow: \(allow.rawValue)")
  }

  /// Refuses what goes with another `allow` only.
  private func checkCompanions(
    _ allow: AuthRule.Allow, _ argument: (String) -> ParsedArgument?
  ) throws(SchemaError) {
    if let groups = argument("groups"), argument("groupsField") != nil {
      throw SchemaError(
        .groupsAndGroupsField, groups.name.position,
        "groups names static groups and groupsField dynamic ones; write two rules")
    }
    let needs: [(String, AuthRule.Allow, SchemaError.Code)] = [
      ("ownerField", .owner, .ownerFieldWithoutOwner),
      ("identityClaim", .owner, .identityClaimWithoutOwner),
      ("groups", .groups, .groupsWithoutGroups),
      ("groupsField", .groups, .groupsWithoutGroups),
      ("groupClaim", .groups, .groupClaimWithoutGroups),
    ]
    for (name, needed, code) in needs where allow != needed {
      guard let given = argument(name) else { continue }
      throw SchemaError(
        code, given.name.position,
        "\(name) goes with allow: \(needed.rawValue); leave it out, or write that")
    }
  }

  private func provider(
    _ value: ParsedValue?, _ allow: AuthRule.Allow, _ allowValue: ParsedValue
  ) throws(SchemaError) -> Principal.Provider {
    let taken = allow.providers.map(\.rawValue).joined(separator: " or ")
    let provider: Principal.Provider
    if let value {
      guard let word = value.word, let known = Principal.Provider(rawValue: word),
        allow.providers.contains(known)
      else {
        throw SchemaError(
          .providerNotTaken, value.position,
          "allow: \(allow.rawValue) takes the provider \(taken)")
      }
      provider = known
    } else {
      provider = allow.providers[0]
    }
    if let providers, !providers.contains(provider) {
      throw SchemaError(
        .providerNotConfigured, (value ?? allowValue).position,
        "the provider \(provider.rawValue) is not configured; configure it, or choose another")
    }
    return provider
  }

  private func text(
    _ argument: ParsedArgument?, isName: Bool = false
  ) throws(SchemaError) -> String? {
    guard let argument else { return nil }
    guard case .string(let text) = argument.value.content, !text.isEmpty,
      !isName || (SchemaLexer.isName(text) && text.utf8.count <= Schema.nameByteCountMax)
    else {
      throw SchemaError(
        .wrongArgument, argument.value.position,
        "\(argument.name.text) is \(isName ? "a field's name" : "a text") in quotes")
    }
    return text
  }

  private func groups(_ argument: ParsedArgument) throws(SchemaError) -> [String] {
    var groups: [String] = []
    for element in argument.value.elements {
      guard case .string(let text) = element.content, !text.isEmpty else {
        throw SchemaError(
          .wrongArgument, element.position, "a group is a name in quotes, as [\"Admins\"]")
      }
      groups.append(text)
    }
    guard !groups.isEmpty else {
      throw SchemaError(
        .emptyGroups, argument.value.position,
        "groups is empty, so the rule matches nobody; name a group, or leave the rule out")
    }
    return groups
  }

  private func operations(
    _ value: ParsedValue?
  ) throws(SchemaError) -> Set<AuthRule.Operation> {
    guard let value else { return AuthRule.Operation.all }
    var operations: Set<AuthRule.Operation> = []
    var readPosition: SourcePosition?
    var partPosition: SourcePosition?
    for element in value.elements {
      guard let word = element.word, let operation = AuthRule.Operation(rawValue: word) else {
        throw SchemaError(
          .wrongArgument, element.position,
          "an operation is create, read, update, delete, or a part of read: get, list, listen, search, sync"
        )
      }
      if operation == .read {
        readPosition = element.position
        operations.formUnion(AuthRule.Operation.partsOfRead)
        continue
      }
      if AuthRule.Operation.partsOfRead.contains(operation) {
        partPosition = element.position
        if isField {
          throw SchemaError(
            .partOfReadOnField, element.position,
            "a field is read or not; write read in place of \(word)")
        }
      }
      operations.insert(operation)
    }
    if readPosition != nil, let partPosition {
      throw SchemaError(
        .readAndPartOfRead, partPosition,
        "read stands for all of its parts; leave the part out, or read")
    }
    return operations
  }
}
