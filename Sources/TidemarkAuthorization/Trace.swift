internal import TidemarkEvents
internal import TidemarkSchema

/// A decision with every rule that was considered on the way to it.
public struct Trace: Sendable {
  public let decision: Decision
  /// In the order in which they were considered: by credential, then the record's rules, then
  /// each field's.
  public let clauses: [Clause]
}

/// One rule considered for one question: what it came to, and why.
public struct Clause: Sendable, Hashable {
  /// The name of the rule.
  public let rule: String
  /// The credential's place in the request; `nil` where there was none.
  public let credential: Int?
  /// The operation that was needed: `delete` for a field that an update sets to null.
  public let operation: AccessOperation
  /// The name of the field in question; `nil` for the record as a whole.
  public let field: String?
  public let finding: Finding
  /// For people, with the values that were compared.
  public let why: String

  /// Whether the rule allows it; `nil` where that is not known here.
  public var applies: Bool? { finding.isUnknown ? nil : finding == .applies }
}

extension Judgement {
  func clause(
    _ rule: CompiledRule, _ finding: Finding, need: AccessOperation, field: Int?
  ) -> Clause {
    Clause(
      rule: rule.name, credential: credential, operation: need,
      field: field.map { policy.model.fields[$0].name }, finding: finding,
      why: sentence(for: rule, finding, need: need))
  }

  /// Why a rule came to its finding, with the values compared. The finding is given, not found
  /// again.
  func sentence(for rule: CompiledRule, _ finding: Finding, need: AccessOperation) -> String {
    let caller = callerText(rule)
    switch finding {
    case .operationNotCovered: return "the rule does not name \(need.rawValue)"
    case .wrongProvider:
      let provider = principal.map { $0.provider.rawValue } ?? "none"
      return "the rule wants \(rule.rule.provider.rawValue), the credential is \(provider)"
    case .notSignedIn: return "the rule wants somebody signed in, and nobody is"
    case .noIdentity:
      return "the token lacks the claim \(rule.rule.identityClaim ?? IdentityClaim.defaultName)"
    case .recordUnknown: return "the stored record's \(comparedField(rule)) is not known here"
    case .customUnavailable: return "the app's function cannot answer here"
    case .customDenied: return "the app's function says no"
    case .ownerChange:
      return "\(caller) owns the record, but an owner rule does not let the owner change"
    case .ownerForged:
      return "\(comparedField(rule)) is given as \(comparedText(rule)), the caller is \(caller)"
    case .notOwner:
      return "\(comparedField(rule)) is \(comparedText(rule)), the caller is \(caller)"
    case .notInGroup:
      return "the rule wants \((rule.rule.groups ?? []).joined(separator: ", ")), "
        + "the caller is in \(caller)"
    case .notInRecordGroup:
      return "\(comparedField(rule)) is \(comparedText(rule)), the caller is in \(caller)"
    case .applies:
      switch rule.audience {
      case .anyone: return "anyone with \(rule.rule.provider.rawValue) may"
      case .signedIn: return "anyone signed in with \(rule.rule.provider.rawValue) may"
      case .owner: return "\(comparedField(rule)) is \(comparedText(rule)), the caller is \(caller)"
      case .groups(let groups, _):
        return "the rule wants \(groups.joined(separator: ", ")), the caller is in \(caller)"
      case .recordGroups:
        return "\(comparedField(rule)) is \(comparedText(rule)), the caller is in \(caller)"
      case .custom: return "the app's function says yes"
      }
    }
  }

  private func comparedField(_ rule: CompiledRule) -> String {
    rule.rule.allow == .owner ? rule.rule.ownerField : rule.rule.groupsField ?? "groups"
  }

  /// Who the caller is to the rule: an identity, or the groups.
  private func callerText(_ rule: CompiledRule) -> String {
    guard let principal else { return "nobody" }
    switch rule.audience {
    case .owner(_, let claim): return claim.identity(of: principal)?.whole ?? "nobody"
    case .groups(_, let claim), .recordGroups(_, let claim):
      let names = claim.names(of: principal)
      return names.isEmpty ? "no group" : names.joined(separator: ", ")
    case .anyone, .signedIn, .custom: return principal.subject ?? "anyone"
    }
  }

  /// The value that the rule compares: the one given to a create, else the stored one.
  private func comparedText(_ rule: CompiledRule) -> String {
    let place: Int?
    switch rule.audience {
    case .owner(let field, _), .recordGroups(let field, _): place = field
    case .anyone, .signedIn, .groups, .custom: place = nil
    }
    guard let place else { return "no field of the model" }
    guard request.operation == .create else {
      return request.stored?.storedValue(of: place).map(text) ?? "not known"
    }
    guard let change = request.changes.first(where: { $0.field == place }) else {
      return "left out"
    }
    return change.operation.startingValue.map(text) ?? "no value that can be compared"
  }

  private func text(_ value: Value) -> String {
    switch value {
    case .null: "null"
    case .string(let string): string
    case .list(let values): "[" + values.map(text).joined(separator: ", ") + "]"
    case .bool, .int, .double, .object: "not a name"
    }
  }
}
