public import TidemarkEvents
internal import TidemarkSchema

/// What one principal may do to the records of one model, as far as that is known before any record
/// is seen: the rules, compiled for a caller who writes many records.
///
/// It never says more than `Policy.decide` would: where an answer needs more than to compare the
/// record's owner with the caller, it is `ask`.
public final class Clearance: Sendable {
  public enum Answer: Sendable, Hashable {
    /// Whatever the record holds.
    case allowed
    /// Where the field at this place holds exactly these UTF-8 bytes; a create may leave it out.
    /// Where it holds others, ask.
    case ifOwner(field: Int, identity: [UInt8])
    /// Ask `Policy.decide`.
    case ask
  }

  public let create: Answer
  /// For fields that do not name the owner, and are set to no null.
  public let update: Answer
  public let delete: Answer
  /// The owner fields that a create gets where it leaves them out.
  public let filledOwners: [FilledOwner]

  init(
    create: Answer, update: Answer, delete: Answer, filledOwners: [FilledOwner]
  ) {
    self.create = create
    self.update = update
    self.delete = delete
    self.filledOwners = filledOwners
  }
}

extension Policy {
  /// - Complexity: O(rules). Keep the answer for as long as the principal writes.
  public func clearance(model place: Int, principal: Principal) -> Clearance {
    let policy = models[place]
    // Of several credentials the first that is allowed decides, which takes the whole question.
    let isSimple =
      policy.ownFields.isEmpty && !policy.record.hasCustom && principal.also.isEmpty
    func answer(_ operation: AccessOperation) -> Clearance.Answer {
      isSimple ? policy.record.answer(operation, principal) : .ask
    }
    let request = AccessRequest(model: place, operation: .create, credentials: [principal])
    return Clearance(
      create: answer(.create), update: answer(.update), delete: answer(.delete),
      filledOwners: judgement(request, policy, 0).filledOwners())
  }
}

extension Level {
  /// What the rules come to that cover an operation and count this credential.
  fileprivate func answer(_ operation: AccessOperation, _ principal: Principal) -> Clearance.Answer
  {
    var owner: Clearance.Answer?
    for rule in rules
    where rule.covers(operation) && rule.rule.provider == principal.provider
      && (!rule.needsSignIn || principal.isSignedIn)
    {
      switch rule.audience {
      case .anyone, .signedIn: return .allowed
      case .groups(let groups, let claim):
        if groups.contains(where: { claim.holds($0, of: principal) }) { return .allowed }
      case .owner(let field?, let claim):
        // The first of several is the one that a record's writer most often is.
        if owner == nil, let identity = claim.identity(of: principal) {
          owner = .ifOwner(field: field, identity: Array(identity.first.utf8))
        }
      case .owner(nil, _), .recordGroups, .custom: break
      }
    }
    return owner ?? .ask
  }
}
