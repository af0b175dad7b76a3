extension Store {
  /// Writes one transaction: all of the operations or none.
  /// - Returns: on a device `pending`, at an authority `accepted`. An authority in `optimistic` mode
  ///   returns `rejected` for what it wrote and voided at once.
  /// - Throws: `AuthorizationError` where the rules refuse it and nothing was written; `StoreError`
  ///   `invalid` for what cannot be stored, and what the disk says.
  @discardableResult
  public func submit(_ operations: [Operation]) throws -> TransactionReceipt {
    guard let receipt = try submit(transactions: [operations]).first else {
      throw StoreError(.misuse, "a transaction needs at least one operation")
    }
    if receipt.decision == .rejected, receipt.dots.isEmpty {
      throw AuthorizationError(reasons: receipt.reasons)
    }
    return receipt
  }

  /// Writes several transactions with one commit: each is decided on its own, all are durable when
  /// this returns. One that the rules refuse has a receipt that says so, and does not keep the others.
  /// - Complexity: O(operations × (log records + bytes)).
  public func submit(
    transactions: [[Operation]]
  ) throws(StoreError) -> [TransactionReceipt] {
    guard transactions.allSatisfy({ !$0.isEmpty }) else {
      throw StoreError(.misuse, "a transaction needs at least one operation")
    }
    return try write { writer, tx in
      try transactions.map { try writer.write($0, &tx) }
    }
  }
}
