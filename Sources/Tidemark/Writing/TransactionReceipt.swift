public import TidemarkEvents

/// What became of a transaction that was submitted to a store.
public struct TransactionReceipt: Hashable, Sendable {
  public enum Decision: String, Sendable {
    case accepted, pending, rejected
  }

  public let decision: Decision
  /// One for each operation; empty where the transaction was refused before it was written.
  public let dots: [Dot]
  /// One for each operation where it was rejected, else empty. The operation that was refused has a
  /// reason of its own; the others have `transactionRejected`.
  public let reasons: [Reason]
  /// One list for each operation: the events that its delete rules put before it; empty where there are
  /// none in the transaction.
  public internal(set) var impliedDots: [[Dot]] = []
}
