/// Who acts: anonymous, or a subject with claims and groups, and the provider that vouches for them.
public struct Principal: Hashable, Sendable {
  /// Who vouches for a principal.
  public enum Provider: String, Sendable, CaseIterable {
    case apiKey, iam, userPools, oidc, function
  }

  public var provider: Provider
  /// The subject; `nil` for who is anonymous.
  public var subject: String?
  public var username: String?
  /// The groups that the default group claim holds.
  public var groups: [String]
  /// Further claims of the token, by name, sorted by the bytes of their names.
  public var claims: [Value.Member]
  /// Further credentials that were verified for the same request, as an API key beside a user's token:
  /// several authorization modes at once. They have none of their own.
  public var also: [Principal] = []

  /// So many credentials at once.
  public static let credentialCountMax = 8

  public init(
    provider: Provider, subject: String? = nil, username: String? = nil, groups: [String] = [],
    claims: [Value.Member] = []
  ) {
    self.provider = provider
    self.subject = subject
    self.username = username
    self.groups = groups
    self.claims = claims.sorted { $0.name.precedesInBytes($1.name) }
  }

  /// Anyone with the API key.
  public static let anonymous = Principal(provider: .apiKey)

  /// A user of the user pool.
  public static func user(_ subject: String, groups: [String] = []) -> Principal {
    Principal(provider: .userPools, subject: subject, groups: groups)
  }

  /// Each credential by itself, in the order given.
  public var credentials: [Principal] {
    if also.isEmpty { return [self] }
    var first = self
    first.also = []
    return [first] + also
  }

  /// Several credentials as one principal, the first of which names it.
  /// - Returns: `nil` for none.
  public init?(credentials: [Principal]) {
    guard let first = credentials.first else { return nil }
    self = first
    also = credentials.dropFirst().flatMap(\.credentials)
  }

  /// Whether two principals share a provider and a subject, and so are one person; who is anonymous is
  /// nobody's same.
  public func isSamePerson(as other: Principal) -> Bool {
    credentials.contains { mine in
      guard let subject = mine.subject, !subject.utf8.isEmpty else { return false }
      return other.credentials.contains {
        $0.provider == mine.provider && ($0.subject?.hasSameBytes(as: subject) ?? false)
      }
    }
  }

  /// Whether some credential of it names somebody.
  public var isSomebody: Bool { credentials.contains { !($0.subject ?? "").utf8.isEmpty } }

  /// A claim's value, by name.
  public func claim(_ name: String) -> Value? {
    claims.first { $0.name.hasSameBytes(as: name) }?.value
  }

  public static func == (a: Principal, b: Principal) -> Bool {
    a.provider == b.provider && a.claims == b.claims
      && Value(optional: a.subject) == Value(optional: b.subject)
      && Value(optional: a.username) == Value(optional: b.username)
      && a.groups.map(Value.string) == b.groups.map(Value.string) && a.also == b.also
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(provider)
    hasher.combine(Value(optional: subject))
    hasher.combine(Value(optional: username))
    hasher.combine(groups.map(Value.string))
    hasher.combine(claims)
    hasher.combine(also)
  }
}

extension Value {
  fileprivate init(optional string: String?) {
    self = string.map(Value.string) ?? .null
  }
}
