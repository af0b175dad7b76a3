/// The rules refuse a write, and nothing was written.
public struct AuthorizationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One for each operation; those that were not refused themselves have `transactionRejected`.
  public let reasons: [Reason]

  public init(reasons: [Reason]) {
    self.reasons = reasons
  }

  /// What refused it.
  public var reason: Reason? {
    reasons.first { $0.code != ReasonCode.transactionRejected.rawValue } ?? reasons.first
  }

  public var description: String {
    reason.map { "\($0.message) (\($0.code))" } ?? "the rules refuse it"
  }
}
