public import TidemarkEvents

// The writes of a session for asynchronous code: each suspends until it is durable, and throws as the
// blocking one of its name, and `CancellationError`.

extension Session {
  /// Writes one transaction.
  @discardableResult
  public func write<R: Sendable>(
    _ body: @escaping @Sendable (inout LocalTransaction) throws -> R
  ) async throws -> R {
    try await store.write(as: principal, body)
  }

  /// Makes a record.
  public func create(_ record: some Record) async throws {
    try await write { try $0.create(record) }
  }

  /// Makes a record, or writes what differs from the one that is there; see `LocalTransaction.save`.
  public func save(_ record: some Record) async throws {
    try await write { try $0.save(record) }
  }

  /// Reads a record, lets the closure change it, and writes the fields that it changed.
  @discardableResult
  public func update<R: Record>(
    _ type: R.Type, _ id: RecordID, _ body: @escaping @Sendable (inout R) throws -> Void
  ) async throws -> R {
    try await write { try $0.update(type, id, body) }
  }

  /// Deletes a record.
  public func delete(_ record: some Record) async throws {
    try await write { try $0.delete(record) }
  }

  /// Deletes a record by its id.
  public func delete<R: Record>(_ type: R.Type, _ id: RecordID) async throws {
    try await write { try $0.delete(type, id) }
  }

  /// Adds to a counter.
  public func increment<R>(
    _ field: CounterField<R>, of id: RecordID, by amount: Int64 = 1
  ) async throws {
    try await write { try $0.increment(field, of: id, by: amount) }
  }

  /// Puts elements into a set.
  public func insert<R, Element>(
    _ elements: Element..., into field: SetField<R, Element>, of id: RecordID
  ) async throws {
    try await write { try $0.edit(field, of: id, insert: elements, remove: []) }
  }

  /// Takes elements out of a set.
  public func remove<R, Element>(
    _ elements: Element..., from field: SetField<R, Element>, of id: RecordID
  ) async throws {
    try await write { try $0.edit(field, of: id, insert: [], remove: elements) }
  }
}
