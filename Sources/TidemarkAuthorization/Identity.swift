internal import TidemarkEvents

/// Who the caller is to an owner rule: one claim, or two joined by `::`.
///
/// Invariants: no part is empty, so that an empty owner field is nobody's. All comparison is of
/// bytes: two normalizations of one name are two users.
struct Identity {
  let first: String
  let second: String?

  static let delimiter = "::"

  /// What is filled in as the owner: both parts, or the one there is.
  var whole: String {
    guard let second else { return first }
    return first + Identity.delimiter + second
  }

  /// Whether a stored owner is this caller: the whole, the first part or the second part alone.
  ///
  /// A second part that itself holds `::` counts only within the whole: otherwise a user could
  /// choose `SUB::NAME` of somebody else as a user name and own their records.
  func isSame(as owner: String) -> Bool {
    if owner.hasSameBytes(as: first) { return true }
    guard let second else { return false }
    if owner.hasSameBytes(as: second) { return !Identity.holdsDelimiter(second) }
    let bytes = owner.utf8
    guard bytes.count == first.utf8.count + 2 + second.utf8.count else { return false }
    var rest = bytes[...]
    for part in [first, Identity.delimiter, second] {
      guard rest.starts(with: part.utf8) else { return false }
      rest = rest.dropFirst(part.utf8.count)
    }
    return true
  }

  /// Whether an owner field's value, a string or a list, holds this caller.
  func isHeld(by value: Value) -> Bool {
    switch value {
    case .string(let owner): isSame(as: owner)
    case .list(let owners):
      owners.contains { if case .string(let owner) = $0 { isSame(as: owner) } else { false } }
    default: false
    }
  }

  private static func holdsDelimiter(_ text: String) -> Bool {
    var last: UInt8 = 0
    for byte in text.utf8 {
      if byte == UInt8(ascii: ":") && last == byte { return true }
      last = byte
    }
    return false
  }
}

/// Which claims of a token make the identity that an owner rule compares.
final class IdentityClaim: Sendable {
  enum Part: Sendable {
    case subject
    /// `username`, or where a token has none `cognito:username`.
    case username
    case cognitoUsername
    case claim(String)

    init(_ name: String) {
      switch name {
      case "sub": self = .subject
      case "username": self = .username
      case "cognito:username": self = .cognitoUsername
      default: self = .claim(name)
      }
    }

    func value(of principal: Principal) -> String? {
      let value =
        switch self {
        case .subject: principal.subject
        case .username:
          principal.username ?? principal.claim("username")?.stringValue
            ?? principal.claim("cognito:username")?.stringValue
        case .cognitoUsername:
          principal.claim("cognito:username")?.stringValue ?? principal.username
        case .claim(let name): principal.claim(name)?.stringValue
        }
      guard let value, !value.utf8.isEmpty else { return nil }
      return value
    }
  }

  let first: Part
  let second: Part?
  /// As the rule names it, or the default.
  let name: String

  static let defaultName = "sub::username"

  init(_ claim: String?) {
    name = claim ?? IdentityClaim.defaultName
    let parts = name.split(separator: Identity.delimiter, omittingEmptySubsequences: false)
    if parts.count == 2 && parts.allSatisfy({ !$0.isEmpty }) {
      first = Part(String(parts[0]))
      second = Part(String(parts[1]))
    } else {
      first = Part(name)
      second = nil
    }
  }

  /// `nil` where the token lacks the first claim: it matches no owner then.
  func identity(of principal: Principal) -> Identity? {
    guard let first = first.value(of: principal) else { return nil }
    return Identity(first: first, second: second?.value(of: principal))
  }
}

/// Which claim of a token lists the caller's groups.
enum GroupClaim: Sendable {
  /// `cognito:groups`, which a principal keeps as `groups`.
  case standard
  case named(String)

  static let standardName = "cognito:groups"

  init(_ name: String) {
    self = name == GroupClaim.standardName ? .standard : .named(name)
  }

  /// Whether the caller is in that group, compared by bytes. A claim is a list or one name.
  func holds(_ group: String, of principal: Principal) -> Bool {
    switch self {
    case .standard: return principal.groups.contains { $0.hasSameBytes(as: group) }
    case .named(let name):
      switch principal.claim(name) {
      case .string(let one): return one.hasSameBytes(as: group)
      case .list(let many): return many.contains(.string(group))
      default: return false
      }
    }
  }

  /// Whether the caller is in a group that the value, a string or a list, names.
  func holdsAny(of value: Value, principal: Principal) -> Bool {
    switch value {
    case .string(let group): holds(group, of: principal)
    case .list(let groups):
      groups.contains {
        if case .string(let group) = $0 { holds(group, of: principal) } else { false }
      }
    default: false
    }
  }

  /// The caller's groups, for people.
  func names(of principal: Principal) -> [String] {
    switch self {
    case .standard: return principal.groups
    case .named(let name):
      switch principal.claim(name) {
      case .string(let one): return [one]
      case .list(let many): return many.compactMap(\.stringValue)
      default: return []
      }
    }
  }
}

extension Principal {
  /// Somebody, not just anybody: a subject that is not empty.
  var isSignedIn: Bool { subject.map { !$0.utf8.isEmpty } ?? false }
}
