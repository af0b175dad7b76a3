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

  /// Deletes a record.
  /// - Throws: as `update`.
  public mutating func delete(_ model: ModelReference, id: RecordID) throws {
    try run(.delete, model, id) { _ in }
  }

  @inline(__always)
  private func run(
    _ kind: EventKind, _ model: ModelReference, _ id: RecordID,
    _ body: (inout RecordEditor) throws -> Void
  ) throws {
    try writer.beginOperation(kind, model.shape, id, principal: 0, wallMilliseconds: nil)
    var editor = RecordEditor(writer, model.shape)
    do {
      try body(&editor)
      try writer.endOperation(editor)
    } catch {
      writer.dropOperation()
      throw error
    }
  }
}
