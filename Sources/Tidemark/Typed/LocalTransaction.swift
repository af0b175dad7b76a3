public import TidemarkEvents

/// One transaction that an app writes: all of it is taken, or nothing.
///
/// An operation that throws has done nothing, and the transaction goes on without it unless the
/// error leaves the closure.
public struct LocalTransaction: ~Copyable {
  let writer: LocalWriter

  init(_ writer: LocalWriter) {
    self.writer = writer
  }

  /// Makes a record.
  /// - Throws: `AuthorizationError` where the rules refuse it, or it exists; `StoreError` `invalid`
  ///   for what cannot be stored; what the closure throws.
  /// - Complexity: O(bytes + log records).
  public mutating func create(
    _ model: ModelReference, id: RecordID, _ body: (inout RecordEditor) throws -> Void
  ) throws {
    try run(.create, model, id, body)
  }

  /// Changes fields of a record.
  /// - Throws: as `create`; `AuthorizationError` where there is no such record.
  public mutating func update(
    _ model: ModelReference, id: RecordID, _ body: (inout RecordEditor) throws -> Void
  ) throws {
    try run(.update, model, id, body)
  }

  /// Deletes a record, and does before it what the schema's delete rules say to those that name it:
  /// each is an event of this transaction, under the same principal.
  /// - Throws: as `update`, also where the rules refuse what is done to another; `DeleteDenied`.
  /// - Complexity: O(log records); where others can name it, a look at each of their models' records.
  public mutating func delete(_ model: ModelReference, id: RecordID) throws {
    try writer.delete(model.shape, id, principal: 0, wallMilliseconds: nil)
  }

  @inline(__always)
  private func run(
    _ kind: EventKind, _ model: ModelReference, _ id: RecordID,
    _ body: (inout RecordEditor) throws -> Void
  ) throws {
    try writer.write(kind, model.shape, id, principal: 0, wallMilliseconds: nil) { editor in
      try body(&editor)
      if kind == .create { try editor.giveDefaults() }
    }
  }
}
