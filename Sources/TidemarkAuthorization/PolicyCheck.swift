public import TidemarkSchema

/// What people should know about a schema's rules before they trust them: `policy check`.
///
/// Nothing here is an error; a schema with warnings works as its rules say.
public struct PolicyCheck: Sendable {
  /// By model in the order of the file; within a model the record's rules, then each field's.
  public let warnings: [PolicyWarning]

  /// - Complexity: the square of the number of rules of each model.
  public init(_ schema: Schema) {
    warnings = schema.models.flatMap { model -> [PolicyWarning] in
      var check = ModelCheck(model)
      check.run()
      return check.warnings
    }
  }
}

/// One thing about a rule, a field or a model that may not be meant.
public struct PolicyWarning: Sendable, Hashable {
  /// The raw values are stable.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// A model has no rules: nobody can do anything with it.
    case modelWithoutRules
    /// No rule of the model covers `create`, or none covers any part of `read`.
    case operationWithoutRule
    /// Anyone, without signing in, may delete any record.
    case anyoneMayDelete
    /// Anyone, without signing in, may change any record.
    case anyoneMayUpdate
    /// Only owners may read: nobody else sees any record.
    case onlyOwnersRead
    /// An owner may create records that the owner's rules do not let them read.
    case ownerCannotRead
    /// An owner rule covers `update`, and the owner may not hand the record on, which Amplify
    /// would allow.
    case ownershipNotTransferable
    /// A field rule lets an owner hand the record to somebody else.
    case ownershipTransferable
    /// Besides an owner rule, another rule covers `create` and lets its callers name any owner.
    case anyOwnerMayBeGiven
    /// A field's rules allow somebody what the model's rules do not.
    case fieldWidensModel
    /// No rule of a field covers `delete`, so that nobody may delete a record.
    case fieldPreventsDelete
    /// A rule names no operation.
    case ruleWithoutOperations
    /// Other rules already allow everything that a rule allows.
    case unreachableRule
  }

  public let code: Code
  public let model: String
  public let field: String?
  /// The name of the rule it is about, where it is one.
  public let rule: String?
  /// For people: what it means and what could be written instead.
  public let message: String
}
