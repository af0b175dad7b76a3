internal import TidemarkEvents
internal import TidemarkSchema

extension Judgement {
  /// What one rule comes to for this caller. A pure function of the request, without a string.
  mutating func finding(
    of rule: CompiledRule, _ need: AccessOperation, field: Int?
  ) -> Finding {
    guard rule.covers(need) else { return .operationNotCovered }
    guard let credential, provider == rule.provider else {
      let isAnyoneSignedIn = request.credentials.contains { $0.isSignedIn }
      return rule.needsSignIn && !isAnyoneSignedIn ? .notSignedIn : .wrongProvider
    }
    if rule.needsSignIn && !isSignedIn { return .notSignedIn }
    switch rule.audience {
    case .anyone, .signedIn:
      return .applies
    case .owner(let ownerField, let claim):
      let found: Finding
      if let known = ownerMemo, known.field == ownerField, known.claim === claim {
        found = known.finding
      } else {
        found =
          claim.identity(of: request.credentials[credential]).map { ownerFinding(ownerField, $0) }
          ?? .noIdentity
        ownerMemo = OwnerMemo(field: ownerField, claim: claim, finding: found)
      }
      return found == .applies && changesOwner(field) ? .ownerChange : found
    case .groups(let groups, let claim):
      let principal = request.credentials[credential]
      return groups.contains { claim.holds($0, of: principal) } ? .applies : .notInGroup
    case .recordGroups(let groupsField, let claim):
      return recordGroupFinding(groupsField, claim, request.credentials[credential])
    case .custom:
      return customFinding(rule.rule, request.credentials[credential], field: field)
    }
  }

  /// An owner rule is not enough for a field that says who owns the record and has no rules of
  /// its own, whether the update changes the value or not.
  private func changesOwner(_ field: Int?) -> Bool {
    guard let field, request.operation == .update else { return false }
    return policy.isGuardedOwner[field]
  }

  /// For a create the owner is the one given, and the caller where it is left out; else it is the
  /// stored record's.
  private func ownerFinding(_ field: Int?, _ identity: Identity) -> Finding {
    guard let field else { return .notOwner }
    if request.operation == .create {
      for change in request.changes where change.field == field {
        guard let value = change.operation.startingValue, identity.isHeld(by: value) else {
          return .ownerForged
        }
      }
      return .applies
    }
    guard let value = request.stored?.storedValue(of: field) else { return .recordUnknown }
    return identity.isHeld(by: value) ? .applies : .notOwner
  }

  private func recordGroupFinding(
    _ field: Int?, _ claim: GroupClaim, _ principal: Principal
  ) -> Finding {
    guard let field else { return .notInRecordGroup }
    if request.operation == .create {
      var isGiven = false
      for change in request.changes where change.field == field {
        isGiven = true
        guard let value = change.operation.startingValue,
          claim.holdsAny(of: value, principal: principal)
        else { return .notInRecordGroup }
      }
      return isGiven ? .applies : .notInRecordGroup
    }
    guard let value = request.stored?.storedValue(of: field) else { return .recordUnknown }
    return claim.holdsAny(of: value, principal: principal) ? .applies : .notInRecordGroup
  }

  private func customFinding(_ rule: AuthRule, _ principal: Principal, field: Int?) -> Finding {
    guard let authorizer else { return .customUnavailable }
    let question = CustomQuestion(
      rule: rule, model: policy.model, operation: request.operation, principal: principal,
      changes: request.changes, stored: request.stored)
    switch authorizer.answer(question) {
    case .denied: return .customDenied
    case .unknown: return .customUnavailable
    case .allowed(let deniedFields):
      guard let field, !deniedFields.isEmpty else { return .applies }
      return deniedFields.contains(policy.model.fields[field].name) ? .customDenied : .applies
    }
  }

  /// The owner fields that a create left out, with the caller's identity.
  ///
  /// As in Amplify, they are filled in for every owner rule that covers `create` with the provider
  /// of the credential that was allowed, also where another rule allowed it, a field's owner rule
  /// included; so who creates a record owns it.
  func filledOwners() -> [FilledOwner] {
    guard request.operation == .create, isSignedIn, let principal else { return [] }
    var filled: [FilledOwner] = []
    for rule in policy.creatingOwnerRules where rule.rule.provider == principal.provider {
      guard case .owner(let field?, let claim) = rule.audience,
        !request.changes.contains(where: { $0.field == field }),
        !filled.contains(where: { $0.field == field }),
        let identity = claim.identity(of: principal)
      else { continue }
      let owner = Value.string(identity.whole)
      if case .list = policy.model.fields[field].type.unwrapped {
        filled.append(FilledOwner(field: field, value: .list([owner])))
      } else {
        filled.append(FilledOwner(field: field, value: owner))
      }
    }
    return filled
  }
}

extension FieldOperation {
  /// What a new record's field begins with; `nil` where that is not a value that can be owned.
  var startingValue: Value? {
    switch self {
    case .set(let value): value
    case .edit(let added, _): .list(added)
    case .add, .unknown: nil
    }
  }
}
