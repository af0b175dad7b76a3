extension Store {
  /// Writes one transaction: all of the operations or none.
  /// - Returns: on a device in `optimistic` mode `pending`; in `enforce` mode `pending` or `rejected`
  ///   with nothing written; at an authority `accepted` or `rejected`.
  /// - Throws: `StoreError` `invalid` for what cannot be stored, and what the disk says.
  public func submit(_ operations: [Operation]) throws(StoreError) -> TransactionReceipt {
    guard let receipt = try submit(transactions: [operations]).first else {
      throw StoreError(.misuse, "a transaction needs at least one operation")
    }
    return receipt
  }

  /// Writes several transactions with one commit: each is decided on its own, all are durable when
  /// this returns.
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
