internal import TidemarkAuthorization
public import TidemarkEvents
internal import TidemarkSchema

extension Store {
  /// A model of the schema, looked up once.
  /// - Throws: `StoreError` `invalid` where there is none of that name.
  public func model(_ name: String) throws(StoreError) -> ModelReference {
    let catalog = currentCatalog
    guard let place = catalog.current.schema.modelIndex(name) else {
      throw StoreError(.invalid, "the schema has no model \(name)")
    }
    return ModelReference(shape: catalog.shapes[place])
  }

  /// Writes one transaction: all that the body does, or, where it throws, nothing.
  ///
  /// ```swift
  /// try store.write(as: .user("ann")) { transaction in
  ///   try transaction.create(posts, id: "p1") { try $0.set(title, "Low tide") }
  ///   try transaction.update(users, id: "ann") { try $0.add(postCount, 1) }
  /// }
  /// ```
  ///
  /// Blocks until it is durable, or as durable as the options say. Writers that wait at the same time
  /// share one sync. Do not call it in asynchronous code: there is one that suspends.
  /// - Throws: what the body throws, `AuthorizationError` from its operations among it; `StoreError`
  ///   `busy`, `diskFull`, ….
  /// - Complexity: O(bytes + operations × log records).
  @discardableResult
  public func write<R: Sendable>(
    as principal: Principal = .anonymous, label: String? = nil,
    _ body: @escaping @Sendable (inout LocalTransaction) throws -> R
  ) throws -> R {
    // What is generic ends here: the rest is compiled once, for all results.
    let result = WriteResult<R>()
    try Store.rethrowing {
      try engine.writeLocally { writer in
        try writer.run(principal, label) { result.value = try body(&$0) }
      }
    }
    return try result.get()
  }

  /// Writes one transaction, and suspends until it is durable.
  /// - Throws: as the blocking one, and `CancellationError`.
  @discardableResult
  public func write<R: Sendable>(
    as principal: Principal = .anonymous, label: String? = nil,
    _ body: @escaping @Sendable (inout LocalTransaction) throws -> R
  ) async throws -> R {
    let result = WriteResult<R>()
    do {
      try await engine.writeLocally { writer in
        try writer.run(principal, label) { result.value = try body(&$0) }
      }
    } catch {
      throw Store.surfaced(error)
    }
    return try result.get()
  }

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
    if role == .authority, acceptance == .optimistic {
      // What it refuses it writes nevertheless, with its tombstone.
      return try write { writer, tx in
        try transactions.map { try writer.write($0, &tx) }
      }
    }
    return try Store.translating {
      try engine.writeLocally { writer in try writer.submit(transactions) }
    }
  }

  /// Runs a body whose errors of the layers below are told in the store's words; an app's own errors
  /// and refusals pass.
  private static func rethrowing<R>(_ body: () throws -> R) throws -> R {
    do { return try body() } catch { throw surfaced(error) }
  }

  private static func surfaced(_ error: any Error) -> any Error {
    let wrapped = StoreError.wrapping(error)
    return wrapped.code == .callback ? error : wrapped
  }
}

/// What an app's closure returned. Set by the job that runs it, read when that is over.
private final class WriteResult<R: Sendable>: @unchecked Sendable {
  var value: R?

  func get() throws -> R {
    guard let value else { throw StoreError(.unknownOutcome, "the write has left no result") }
    return value
  }
}
