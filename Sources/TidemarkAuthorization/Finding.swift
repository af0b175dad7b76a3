/// What one rule came to, for one caller and one operation on a record or field.
///
/// The order of the cases is fixed and is how near a rule came: of several rules that refuse, the
/// first case listed here is reported, and of equals the rule first in the order of modes. So a
/// rule about owners is named before one about groups, and who is signed in never hears that
/// somebody must be.
public enum Finding: String, Sendable, Hashable, CaseIterable {
  case applies
  /// It needs a stored value that is not known here.
  case recordUnknown
  /// It needs the app's own function, which is not here or cannot know.
  case customUnavailable
  /// It would apply, but not to a change of who owns the record.
  case ownerChange
  /// The owner given for a new record is not the caller.
  case ownerForged
  /// The stored record's owner is not the caller.
  case notOwner
  /// The token lacks the claim that is compared with the owner.
  case noIdentity
  /// The caller is in none of the rule's groups.
  case notInGroup
  /// The caller is in none of the groups that the record names.
  case notInRecordGroup
  case customDenied
  case notSignedIn
  /// Its provider is not that of the credential.
  case wrongProvider
  /// It does not name the operation.
  case operationNotCovered

  /// The place in the order above: less is nearer.
  var distance: UInt8 {
    switch self {
    case .applies: 0
    case .recordUnknown: 1
    case .customUnavailable: 2
    case .ownerChange: 3
    case .ownerForged: 4
    case .notOwner: 5
    case .noIdentity: 6
    case .notInGroup: 7
    case .notInRecordGroup: 8
    case .customDenied: 9
    case .notSignedIn: 10
    case .wrongProvider: 11
    case .operationNotCovered: 12
    }
  }

  var isUnknown: Bool { self == .recordUnknown || self == .customUnavailable }

  /// The reason of a refusal in which this is the nearest finding.
  var code: ReasonCode {
    switch self {
    case .applies, .operationNotCovered: .noRule
    case .recordUnknown: .recordUnknown
    case .customUnavailable: .customUnavailable
    case .ownerChange: .ownerChange
    case .ownerForged: .ownerForged
    case .notOwner: .notOwner
    case .noIdentity: .noIdentity
    case .notInGroup, .notInRecordGroup: .notInGroup
    case .customDenied: .customDenied
    case .notSignedIn: .notSignedIn
    case .wrongProvider: .wrongProvider
    }
  }
}
