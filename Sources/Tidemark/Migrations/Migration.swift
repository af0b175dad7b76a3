public import TidemarkEvents

/// One version of an app's schema, and what is written when a store takes it.
///
/// ```swift
/// let store = try Store.open(
///   at: "people.store",
///   migrations: [
///     Migration(schema: firstSchema),
///     Migration(schema: secondSchema, as: .user("ann")) { migration in
///       for person in try migration.records(of: "Person") {
///         guard let name = person["name"]?.stringValue else { continue }
///         migration.update("Person", person.id, ["initial": .string(String(name.prefix(1)))])
///       }
///     },
///   ])
/// ```
///
/// Most versions need no closure: what a schema renames, converts, adds and removes, it says by itself.
public struct Migration: Sendable {
  /// The schema that a store has after it.
  public let schema: String
  let principal: Principal
  let body: (@Sendable (inout MigrationTransaction) throws -> Void)?

  /// A version that asks for no writes.
  public init(schema: String) {
    self.schema = schema
    principal = .anonymous
    body = nil
  }

  /// A version with writes of its own.
  /// - Parameters:
  ///   - principal: who writes, under the rules of the new version.
  ///   - body: reads the store as it is and says what to write; the transaction that takes the schema
  ///     writes it. It runs again where others have written meanwhile. What it throws leaves the store
  ///     as it was.
  public init(
    schema: String, as principal: Principal,
    _ body: @escaping @Sendable (inout MigrationTransaction) throws -> Void
  ) {
    self.schema = schema
    self.principal = principal
    self.body = body
  }
}

/// What a migration's closure reads and writes: it reads records as the schema before shows them, and
/// writes events of the new one. It does not read what it has written.
public struct MigrationTransaction: ~Copyable {
  private let store: Store
  private let principal: Principal
  private(set) var operations: [Operation] = []

  init(_ store: Store, by principal: Principal) {
    self.store = store
    self.principal = principal
  }

  /// Every record of a model of the schema before, sorted by id.
  /// - Throws: `StoreError` `notFound` where that has no such model.
  /// - Complexity: O(records), in memory too.
  public func records(of model: String) throws(StoreError) -> [RecordView] {
    var records: [RecordView] = []
    try store.forEachRecord(of: model) {
      records.append($0)
      return true
    }
    return records
  }

  /// Makes a record of the new schema.
  public mutating func create(_ model: String, _ id: RecordID, _ fields: [String: Value]) {
    write(.create, model, id, fields)
  }

  /// Gives fields of a record new values.
  public mutating func update(_ model: String, _ id: RecordID, _ fields: [String: Value]) {
    write(.update, model, id, fields)
  }

  /// Deletes a record.
  public mutating func delete(_ model: String, _ id: RecordID) {
    write(.delete, model, id, [:])
  }

  /// Writes any operation, as an addition to a counter; the principal is the migration's.
  public mutating func write(_ operation: Operation) {
    var operation = operation
    operation.principal = principal
    operations.append(operation)
  }

  private mutating func write(
    _ kind: EventKind, _ model: String, _ id: RecordID, _ fields: [String: Value]
  ) {
    write(Operation(kind, model, id, fields.map { Operation.Change($0.key, .set($0.value)) }))
  }
}
