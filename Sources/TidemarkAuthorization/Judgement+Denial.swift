internal import TidemarkEvents
internal import TidemarkSchema

extension Judgement {
  /// The rule that allowed it. Only for a verdict that is allowed.
  func allowance(_ verdict: Verdict) -> Allowance {
    Allowance(
      rule: ruleName(verdict) ?? "", provider: provider ?? .apiKey,
      credential: credential ?? 0, filledOwners: filledOwners())
  }

  func denial(_ verdict: Verdict) -> Denial {
    let code = verdict.code ?? .noRule
    if code == .unknownField {
      return Denial(code: code, message: "\(policy.model.name) has no such field.")
    }
    return Denial(
      code: code, rule: ruleName(verdict),
      message: "\(cause(code, verdict)) \(remedy(verdict))", field: fieldName(verdict))
  }

  func unknownFact(_ verdict: Verdict) -> UnknownFact {
    UnknownFact(
      code: verdict.finding.code, rule: ruleName(verdict) ?? "",
      message: "\(cause(verdict.finding.code, verdict)) \(remedy(verdict))",
      field: fieldName(verdict))
  }

  private func level(_ verdict: Verdict) -> Level {
    verdict.level.map(policy.level(of:)) ?? policy.record
  }

  private func ruleName(_ verdict: Verdict) -> String? {
    verdict.rule.map { level(verdict).rules[$0].name }
  }

  private func fieldName(_ verdict: Verdict) -> String? {
    verdict.field.map { policy.model.fields[$0].name }
  }

  private func cause(_ code: ReasonCode, _ verdict: Verdict) -> String {
    let field = fieldName(verdict) ?? ""
    let rule = verdict.rule.map { level(verdict).rules[$0].rule }
    return switch code {
    case .notSignedIn: "Nobody is signed in."
    case .wrongProvider: "The credential is of another provider."
    case .notOwner: "The record has another owner."
    case .noIdentity:
      "The token lacks the claim \(rule?.identityClaim ?? IdentityClaim.defaultName)."
    case .notInGroup: "The caller is in none of the groups."
    case .ownerForged:
      "A record is created for oneself: leave \(rule?.ownerField ?? "the owner") out, or give "
        + "the caller's own identity."
    case .ownerChange:
      "An owner may not change \(field); a rule on that field with update would let them."
    case .fieldForbidden: "The field \(field) has rules of its own."
    case .fieldNeedsDelete: "Setting \(field) to null needs delete on that field."
    case .customDenied: "The app's own function says no."
    case .customUnavailable: "The app's own function cannot answer here."
    case .recordUnknown: "The stored record is not known here."
    default: "No rule of \(policy.model.name) covers \(verdict.need.rawValue)."
    }
  }

  /// Whom the rules of the level let do it, all of them.
  private func remedy(_ verdict: Verdict) -> String {
    let name = fieldName(verdict).map { "\(policy.model.name).\($0)" } ?? policy.model.name
    let isOwnerKept = verdict.finding == .ownerChange
    let audiences = level(verdict).rules
      .filter { $0.covers(verdict.need) && !(isOwnerKept && $0.isOwner) }
      .map(\.audienceText)
    guard !audiences.isEmpty else { return "Nobody may \(verdict.need.rawValue) \(name)." }
    return "\(name): \(verdict.need.rawValue) is for \(audiences.joined(separator: ", or "))."
  }
}

extension CompiledRule {
  /// Whom the rule is for, in words.
  var audienceText: String {
    let who =
      switch audience {
      case .anyone: "anyone"
      case .signedIn: "anyone signed in"
      case .owner: "who is named by \(rule.ownerField)"
      case .groups(let groups, _): "members of \(groups.joined(separator: ", "))"
      case .recordGroups: "members of the groups named by \(rule.groupsField ?? "groups")"
      case .custom: "whom the app's function allows"
      }
    return "\(who) (\(rule.provider.rawValue))"
  }
}
