/// Why an operation was refused. The raw values are stable: logs, peers and apps keep them.
public enum ReasonCode: String, Sendable, Hashable, CaseIterable {
  /// No rule covers this operation: nobody may do it.
  case noRule
  /// Rules cover the operation for who is signed in, and nobody is.
  case notSignedIn
  /// Rules cover the operation, but for credentials of another provider than those verified.
  case wrongProvider
  /// The stored record is owned by somebody else, or by nobody.
  case notOwner
  /// The token lacks the claim that an owner rule compares.
  case noIdentity
  /// The caller is in none of the groups that a rule or the record names.
  case notInGroup
  /// A create gives another's identity as the owner, or null, or a list without the caller.
  case ownerForged
  /// An owner rule does not let an owner change who owns the record.
  case ownerChange
  /// The caller may do this to the record, but not to this field, which has rules of its own.
  case fieldForbidden
  /// Setting a field to null needs `delete` on that field.
  case fieldNeedsDelete
  /// The app's own function said no.
  case customDenied
  /// A custom rule covers the operation, and the app's function is not here to ask.
  case customUnavailable
  /// The decision depends on a stored value that is not known here.
  case recordUnknown
  /// The model has no field of that place or name.
  case unknownField

  // What a store finds, not a policy.

  /// The record does not exist, for all that its author had seen.
  case noSuchRecord
  /// The author had seen the record alive that it creates.
  case alreadyExists
  /// Another event of the same transaction was refused.
  case transactionRejected
  /// A value does not fit the field's type or operation.
  case invalidValue
  /// The schema has no model of that place or name.
  case unknownModel
  /// A kind of event of a later version, which nothing here can judge.
  case unknownKind
}
