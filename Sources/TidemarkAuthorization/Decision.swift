public import TidemarkEvents

/// What a policy says to one request.
public enum Decision: Sendable, Hashable {
  case allowed(Allowance)
  case denied(Denial)
  /// It depends on a fact that is missing here, as when offline.
  case unknown(UnknownFact)

  public var isAllowed: Bool {
    if case .allowed = self { return true }
    return false
  }

  /// Why it was not allowed. `unknown` is a denial too, for a log that must decide now:
  /// what is not known to be allowed is denied.
  public var denial: Denial? {
    switch self {
    case .allowed: nil
    case .denied(let denial): denial
    case .unknown(let fact):
      Denial(code: fact.code, rule: fact.rule, message: fact.message, field: fact.field)
    }
  }
}

/// The rule and the authorization mode that allowed an operation.
public struct Allowance: Sendable, Hashable {
  /// The name of the rule.
  public let rule: String
  /// The provider of the credential that the rule counted.
  public let provider: Principal.Provider
  /// The credential's place in the request.
  public let credential: Int
  /// For a create: the owner fields that were left out, with the caller's identity to fill in.
  public let filledOwners: [FilledOwner]
}

/// An owner field that a create left out, and what to put there.
public struct FilledOwner: Sendable, Hashable {
  /// The field's place in the model.
  public let field: Int
  /// The caller's identity: a string, or for a list field a list of that one.
  public let value: Value
}

/// Why an operation was refused, and what would have been needed.
public struct Denial: Sendable, Hashable {
  public let code: ReasonCode
  /// The name of the rule that refused or came nearest; `nil` where no rule covers the operation.
  public let rule: String?
  /// For people. It holds no stored values: who was refused may not know them.
  public let message: String
  /// The name of the field that was refused; `nil` where it is the record as a whole.
  public let field: String?

  public init(code: ReasonCode, rule: String? = nil, message: String, field: String? = nil) {
    self.code = code
    self.rule = rule
    self.message = message
    self.field = field
  }
}

/// The fact that a decision lacks.
public struct UnknownFact: Sendable, Hashable {
  /// `recordUnknown` or `customUnavailable`.
  public let code: ReasonCode
  /// The name of the rule that would need the fact.
  public let rule: String
  /// For people.
  public let message: String
  /// The name of the field that the decision stopped at; `nil` where it is the record as a whole.
  public let field: String?
}
