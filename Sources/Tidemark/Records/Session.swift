public import TidemarkAuthorization
public import TidemarkEvents
internal import TidemarkSchema

/// A store and who uses it: one line for each thing that an app does with its records.
///
/// ```swift
/// let session = store.session(as: .user("ann"))
/// try session.create(Post(title: "Low tide"))
/// try session.update(Post.self, "p1") { $0.title = "High tide" }
/// let posts = try session.all(Post.self)
/// ```
///
/// Each write is a transaction of its own; `write` is for those that belong together. Blocking ones are
/// for synchronous code; in asynchronous code those of the same names suspend.
public struct Session: Sendable {
  public let store: Store
  public let principal: Principal

  /// Writes one transaction.
  /// - Throws: as `Store.write(as:)`.
  @discardableResult
  public func write<R: Sendable>(
    _ body: @escaping @Sendable (inout LocalTransaction) throws -> R
  ) throws -> R {
    try store.write(as: principal, body)
  }

  /// Makes a record.
  /// - Throws: as `LocalTransaction.create` of a record, and `Store.write(as:)`; so does each write here.
  /// - Complexity: O(bytes + log records).
  public func create(_ record: some Record) throws {
    try write { try $0.create(record) }
  }

  /// Makes a record, or writes what differs from the one that is there; see `LocalTransaction.save`.
  public func save(_ record: some Record) throws {
    try write { try $0.save(record) }
  }

  /// Reads a record, lets the closure change it, and writes the fields that it changed.
  @discardableResult
  public func update<R: Record>(
    _ type: R.Type, _ id: RecordID, _ body: @escaping @Sendable (inout R) throws -> Void
  ) throws -> R {
    try write { try $0.update(type, id, body) }
  }

  /// Deletes a record.
  public func delete(_ record: some Record) throws {
    try write { try $0.delete(record) }
  }

  /// Deletes a record by its id.
  public func delete<R: Record>(_ type: R.Type, _ id: RecordID) throws {
    try write { try $0.delete(type, id) }
  }

  /// Adds to a counter.
  public func increment<R>(_ field: CounterField<R>, of id: RecordID, by amount: Int64 = 1) throws {
    try write { try $0.increment(field, of: id, by: amount) }
  }

  /// Puts elements into a set.
  public func insert<R, Element>(
    _ elements: Element..., into field: SetField<R, Element>, of id: RecordID
  ) throws {
    try write { try $0.edit(field, of: id, insert: elements, remove: []) }
  }

  /// Takes elements out of a set.
  public func remove<R, Element>(
    _ elements: Element..., from field: SetField<R, Element>, of id: RecordID
  ) throws {
    try write { try $0.edit(field, of: id, insert: [], remove: elements) }
  }

  /// One record; `nil` where it does not exist, or the rules do not let the principal read it.
  ///
  /// A field that may not be read has no value; where the type requires one, the record cannot be had.
  /// - Throws: `StoreError` `schema` where the store's schema lacks what the type names; `notFound`
  ///   where a field that the type requires may not be read.
  /// - Complexity: O(log records + rules).
  public func get<R: Record>(_ type: R.Type, _ id: RecordID) throws(StoreError) -> R? {
    try Store.translating {
      try store.withSnapshot { snapshot in
        let catalog = snapshot.rows.catalog
        let shape = try catalog.shape(of: type)
        if catalog.readsAll(shape.model, principal, .get) { return try snapshot.get(type, id) }
        return try store.record(R.modelName, id, as: principal).map {
          try R(from: RecordDecoder($0, shape))
        }
      }
    }
  }

  /// All records of a type that the rules let the principal read, sorted by id.
  /// - Throws: as `get`.
  /// - Complexity: O(records × rules).
  public func all<R: Record>(_ type: R.Type) throws(StoreError) -> [R] {
    try Store.translating {
      try store.withSnapshot { snapshot in
        let catalog = snapshot.rows.catalog
        let shape = try catalog.shape(of: type)
        if catalog.readsAll(shape.model, principal, .list) { return try snapshot.all(type) }
        var records: [R] = []
        try store.forEachRecord(of: R.modelName, as: principal) {
          records.append(try R(from: RecordDecoder($0, shape)))
          return true
        }
        return records
      }
    }
  }

  /// Whether the principal may do something to a record, or, without one, make or list them.
  /// - Throws: `StoreError` `notFound` where the store's schema lacks the type's model.
  /// - Complexity: O(log records + rules).
  public func can<R: Record>(
    _ operation: AccessOperation, _ type: R.Type, _ id: RecordID? = nil
  ) throws(StoreError) -> Decision {
    try store.can(operation, R.modelName, id, as: principal)
  }

  /// Whether the principal may do something to a record.
  /// - Throws: as the other.
  public func can<R: Record>(
    _ operation: AccessOperation, _ record: R
  ) throws(StoreError) -> Decision {
    try store.can(operation, R.modelName, record.id, as: principal)
  }

  /// What the principal may do to a record and to each of its fields.
  /// - Throws: as `can`.
  /// - Complexity: O(log records + rules × fields).
  public func permissions<R: Record>(
    for type: R.Type, _ id: RecordID? = nil
  ) throws(StoreError) -> Permissions {
    try store.permissions(for: R.modelName, id, as: principal)
  }
}

extension Store {
  /// The store as somebody uses it.
  public func session(as principal: Principal = .anonymous) -> Session {
    Session(store: self, principal: principal)
  }
}

extension StoreSnapshot {
  /// One record, whoever may read it; `nil` where it does not exist.
  /// - Throws: `StoreError` `schema` where the store's schema lacks what the type names.
  /// - Complexity: O(log records).
  public borrowing func get<R: Record>(_ type: R.Type, _ id: RecordID) throws -> R? {
    let shape = try rows.catalog.shape(of: type)
    return try get(shape.model, id: id) { try shape.decode(type, $0) }
  }

  /// All records of a type, whoever may read them, sorted by id.
  /// - Throws: as `get`.
  /// - Complexity: O(log records + records).
  public borrowing func all<R: Record>(_ type: R.Type) throws -> [R] {
    let shape = try rows.catalog.shape(of: type)
    var records: [R] = []
    try forEach(shape.model) {
      records.append(try shape.decode(type, $0))
      return true
    }
    return records
  }
}

extension Catalog {
  /// Whether every record and field of a model may be read, so that none need be asked for.
  func readsAll(
    _ model: ModelReference, _ principal: Principal, _ operation: AccessOperation
  ) -> Bool {
    let access = policy.readAccess(
      model: model.shape.place, operation: operation, credentials: principal.credentials,
      stored: nil)
    return access.isVisible && access.hiddenFields.isEmpty
  }
}
