public import TidemarkEvents

/// A credential that an app holds now: whose it is, and until when it holds.
public struct Credential: Sendable, Hashable {
  public let principal: Principal
  /// Milliseconds since 1970; `nil` for one that does not expire.
  public let expiresMilliseconds: UInt64?

  public init(_ principal: Principal, expiresMilliseconds: UInt64?) {
    self.principal = principal
    self.expiresMilliseconds = expiresMilliseconds
  }

  /// One that expires when the claim `exp` says, in seconds since 1970; never where there is none.
  public init(_ principal: Principal) {
    self.principal = principal
    expiresMilliseconds =
      if case .int(let seconds)? = principal.claim("exp") {
        UInt64(min(max(seconds, 0), Int64.max / 1000)) * 1000
      } else {
        nil
      }
  }

  func isExpired(at milliseconds: UInt64) -> Bool {
    expiresMilliseconds.map { $0 <= milliseconds } ?? false
  }
}

extension Store {
  /// Whose credentials hold, by this store's clock.
  package func holding(_ credentials: [Credential]) -> [Principal] {
    let now = options.wallMilliseconds()
    return credentials.filter { !$0.isExpired(at: now) }.map(\.principal)
  }
}

/// Pending work that was not submitted, because nobody here can vouch for who wrote it.
public struct HeldWork: Sendable, Hashable {
  public enum Reason: String, Sendable {
    /// Its author is not signed in.
    case notSignedIn
    /// Its author's credential has expired.
    case expired
    /// It comes after work that is held.
    case behind
  }

  public let principal: Principal
  public let reason: Reason
  public internal(set) var eventCount: Int
}

/// Which pending work may be submitted, by the credentials that are held now.
struct Submission {
  private let credentials: [Credential]
  private let now: UInt64
  private(set) var held: [HeldWork] = []

  init(_ credentials: [Credential], at now: UInt64) {
    self.credentials = credentials
    self.now = now
  }

  var isHolding: Bool { !held.isEmpty }

  /// Whether a pending transaction is to be submitted. One that is held holds all that come after it:
  /// they stand behind it in their replica's chain.
  mutating func admits(_ principals: [Principal], eventCount: Int) -> Bool {
    let reasons = principals.map { ($0, reason($0)) }
    if let (principal, reason) = reasons.first(where: { $0.1 != nil }), let reason {
      hold(principal, reason, eventCount)
      return false
    }
    guard isHolding else { return true }
    hold(principals[0], .behind, eventCount)
    return false
  }

  private func reason(_ principal: Principal) -> HeldWork.Reason? {
    guard principal.isSomebody else { return nil }
    let theirs = credentials.filter { $0.principal.isSamePerson(as: principal) }
    if theirs.isEmpty { return .notSignedIn }
    return theirs.allSatisfy { $0.isExpired(at: now) } ? .expired : nil
  }

  private mutating func hold(
    _ principal: Principal, _ reason: HeldWork.Reason, _ eventCount: Int
  ) {
    let place = held.firstIndex {
      $0.reason == reason
        && ($0.principal == principal || $0.principal.isSamePerson(as: principal))
    }
    if let place {
      held[place].eventCount += eventCount
    } else {
      held.append(HeldWork(principal: principal, reason: reason, eventCount: eventCount))
    }
  }
}
