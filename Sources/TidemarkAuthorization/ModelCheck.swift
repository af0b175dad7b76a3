internal import TidemarkEvents
internal import TidemarkSchema

/// Looks one model over for `PolicyCheck`.
struct ModelCheck {
  let model: Model
  private(set) var warnings: [PolicyWarning] = []

  init(_ model: Model) {
    self.model = model
  }

  mutating func run() {
    guard !model.rules.isEmpty else {
      warn(
        .modelWithoutRules,
        "\(model.name) has no rules: nobody can do anything with its records, but for fields "
          + "that have rules of their own. Give it @auth(rules: [...]).")
      checkFields()
      return
    }
    checkCoverage()
    checkAnyone()
    checkOwners()
    checkRules(model.rules, field: nil)
    checkFields()
  }

  private mutating func checkCoverage() {
    if !model.rules.contains(where: { $0.covers(.create) }) {
      warn(
        .operationWithoutRule,
        "No rule of \(model.name) covers create: nobody may create a record.")
    }
    let readers = model.rules.filter { $0.operationBits & AccessOperation.readBits != 0 }
    if readers.isEmpty {
      warn(.operationWithoutRule, "No rule of \(model.name) covers read: nobody sees a record.")
    } else if readers.allSatisfy({ $0.allow == .owner }) {
      warn(
        .onlyOwnersRead, rule: readers[0],
        "Only owners may read \(model.name). If others should, add a rule with "
          + "operations: [read].")
    }
  }

  private mutating func checkAnyone() {
    for rule in model.rules where rule.allow == .anyone {
      let who = "Anyone with \(rule.provider.rawValue), without signing in, may"
      if rule.covers(.delete) {
        warn(.anyoneMayDelete, rule: rule, "\(who) delete any \(model.name).")
      }
      if rule.covers(.update) {
        warn(.anyoneMayUpdate, rule: rule, "\(who) change any \(model.name).")
      }
    }
  }

  private mutating func checkOwners() {
    for rule in model.rules where rule.allow == .owner {
      let readers = model.rules.filter { $0.operationBits & AccessOperation.readBits != 0 }
      if rule.covers(.create) && !readers.contains(where: { $0.includesAudience(of: rule) }) {
        warn(
          .ownerCannotRead, rule: rule,
          "An owner may create a \(model.name), and no rule for \(rule.provider.rawValue) lets them "
            + "read it. Add read to the owner rule.")
      }
      let field = model.field(rule.ownerField)
      if rule.covers(.update) && field?.rules == nil {
        warn(
          .ownershipNotTransferable, field: rule.ownerField, rule: rule,
          "An owner of a \(model.name) may not change \(rule.ownerField); in Amplify they may. To "
            + "let them, give the field \(rule.ownerField) a rule of its own with update.")
      }
      let others = model.rules.filter {
        $0.covers(.create) && $0.name != rule.name && $0.setsAnyOwner(besides: rule)
      }
      if rule.covers(.create), let other = others.first {
        warn(
          .anyOwnerMayBeGiven, field: rule.ownerField, rule: other,
          "Who matches \(other.name) may create a \(model.name) with any \(rule.ownerField), "
            + "somebody else's too.")
      }
    }
  }

  private mutating func checkFields() {
    for field in model.fields {
      guard let rules = field.rules else { continue }
      if model.ownerFields.contains(field.name),
        let rule = rules.first(where: { $0.allow == .owner && $0.covers(.update) })
      {
        warn(
          .ownershipTransferable, field: field.name, rule: rule,
          "An owner may hand a \(model.name) to somebody else by changing \(field.name).")
      }
      if model.rules.contains(where: { $0.covers(.delete) })
        && !rules.contains(where: { $0.covers(.delete) })
      {
        warn(
          .fieldPreventsDelete, field: field.name,
          "No rule of \(model.name).\(field.name) covers delete, and deleting a record needs it "
            + "on every field: nobody may delete a \(model.name).")
      }
      for rule in rules {
        let wider = AccessOperation.allCases.filter { operation in
          rule.covers(operation)
            && !model.rules.contains {
              $0.covers(operation) && $0.includesAudience(of: rule)
            }
        }
        guard !wider.isEmpty else { continue }
        warn(
          .fieldWidensModel, field: field.name, rule: rule,
          "\(rule.name) allows \(Self.names(wider)) on \(field.name), which no rule of "
            + "\(model.name) allows the same callers.")
      }
      checkRules(rules, field: field.name)
    }
  }

  private mutating func checkRules(_ rules: [AuthRule], field: String?) {
    for (index, rule) in rules.enumerated() {
      if rule.operations.isEmpty {
        warn(
          .ruleWithoutOperations, field: field, rule: rule,
          "\(rule.name) names no operation and allows nothing.")
        continue
      }
      let cover = rules.enumerated().first { other, candidate in
        guard other != index, candidate.includesAudience(of: rule) else { return false }
        let isSame = rule.operationBits & ~candidate.operationBits == 0
        // Of two that include each other, the later is the one that is not needed.
        let isMutual =
          rule.includesAudience(of: candidate)
          && candidate.operationBits & ~rule.operationBits == 0
        return isSame && !(isMutual && index < other)
      }
      // An owner rule with create still says whose identity is filled in.
      let fillsIn = rule.allow == .owner && rule.covers(.create)
      if let cover, !(fillsIn && cover.element.allow != .owner) {
        warn(
          .unreachableRule, field: field, rule: rule,
          "\(rule.name) changes nothing: \(cover.element.name) already allows all it allows.")
      }
    }
  }

  private mutating func warn(
    _ code: PolicyWarning.Code, field: String? = nil, rule: AuthRule? = nil, _ message: String
  ) {
    warnings.append(
      PolicyWarning(
        code: code, model: model.name, field: field, rule: rule?.name, message: message))
  }

  private static func names(_ operations: [AccessOperation]) -> String {
    let writes = operations.filter { !$0.isRead }.map(\.rawValue)
    let reads = operations.filter(\.isRead).map(\.rawValue)
    let all = AccessOperation.allCases.filter(\.isRead).count
    return (writes + (reads.count == all ? ["read"] : reads)).joined(separator: ", ")
  }
}

extension AuthRule {
  func covers(_ operation: AccessOperation) -> Bool { operationBits & operation.bit != 0 }

  /// Whether everybody whom the other rule is for matches this one too, whatever the record.
  func includesAudience(of other: AuthRule) -> Bool {
    guard provider == other.provider else { return false }
    switch allow {
    case .anyone: return true
    case .signedIn: return other.allow != .anyone && other.allow != .custom
    case .owner:
      return other.allow == .owner && ownerField == other.ownerField
        && (identityClaim ?? IdentityClaim.defaultName)
          .hasSameBytes(as: other.identityClaim ?? IdentityClaim.defaultName)
    case .groups:
      guard other.allow == .groups, groupClaim.hasSameBytes(as: other.groupClaim) else {
        return false
      }
      switch (groups, other.groups) {
      case (let mine?, let theirs?):
        return theirs.allSatisfy { name in mine.contains { $0.hasSameBytes(as: name) } }
      case (nil, nil): return (groupsField ?? "groups") == (other.groupsField ?? "groups")
      default: return false
      }
    case .custom: return other.allow == .custom
    }
  }

  /// Whether a create that this rule allows may give any value to the owner rule's field.
  fileprivate func setsAnyOwner(besides owner: AuthRule) -> Bool {
    allow == .owner ? ownerField != owner.ownerField : true
  }
}
