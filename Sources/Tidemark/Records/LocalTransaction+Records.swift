public import TidemarkEvents
internal import TidemarkMerge

// Records as Swift types. Each write throws as the untyped one of its name, and `StoreError` `schema`
// where the store's schema lacks the type's model or one of its fields.

extension LocalTransaction {
  /// Makes a record. A field without a value is left out, an owner filled in.
  /// - Throws: `AuthorizationError` where the rules refuse it, or it exists; `StoreError` `invalid` for
  ///   what cannot be stored, `schema`.
  /// - Complexity: O(bytes + log records).
  public mutating func create(_ record: some Record) throws {
    let shape = try shape(of: record)
    let values = try shape.values(of: record)
    try create(shape.model, id: record.id) { try shape.give(values, to: &$0) }
  }

  /// Makes a record, or brings the one that is there to these values. Only what differs from what the
  /// store holds now is written; where nothing does, nothing is. An owner that the record lacks, as one
  /// that `create` has filled in, stays.
  ///
  /// A record that was read earlier takes back what others have changed since, sums of counters among
  /// it: `update` and `increment` do not.
  /// - Throws: as `create` and `update`.
  /// - Complexity: O(bytes + log records + the record's events that are not folded).
  public mutating func save<R: Record>(_ record: R) throws {
    guard let before = try get(R.self, record.id) else { return try create(record) }
    try write(record, insteadOf: before, keepsOwners: true)
  }

  /// Reads a record, lets the closure change it, and writes the fields that it changed.
  /// - Returns: the record as it is now.
  /// - Throws: `AuthorizationError` where the rules refuse it or there is no such record; `StoreError`
  ///   `invalid`, `schema`, `misuse` where the closure changes the id; what the closure throws.
  /// - Complexity: as `save`.
  @discardableResult
  public mutating func update<R: Record>(
    _ type: R.Type, _ id: RecordID, _ body: (inout R) throws -> Void
  ) throws -> R {
    guard let before = try get(type, id) else {
      throw LocalDenial(denial: .noSuchRecord(R.modelName, id))
    }
    var after = before
    try body(&after)
    try write(after, insteadOf: before, keepsOwners: false)
    return after
  }

  /// Deletes a record, with what the delete rules of the schema say to those that name it.
  /// - Throws: `AuthorizationError` where the rules refuse it or there is no such record; `DeleteDenied`;
  ///   `StoreError` `schema`.
  /// - Complexity: O(log records); where others can name it, a look at each of their models' records.
  public mutating func delete(_ record: some Record) throws {
    try delete(shape(of: record).model, id: record.id)
  }

  /// Deletes a record by its id.
  /// - Throws: as the other.
  public mutating func delete<R: Record>(_ type: R.Type, _ id: RecordID) throws {
    try delete(writer.catalog.shape(of: type).model, id: id)
  }

  /// Adds to a counter; a negative amount takes away. Others' additions at the same time add up.
  /// - Throws: as `delete`.
  /// - Complexity: O(log records).
  public mutating func increment<R>(
    _ field: CounterField<R>, of id: RecordID, by amount: Int64 = 1
  ) throws {
    let model = try writer.catalog.shape(of: R.self).model
    let reference = try model.field(field.name)
    try update(model, id: id) { try $0.add(reference, amount) }
  }

  /// Puts elements into a set.
  /// - Throws: as `delete`; `StoreError` `invalid` for what the set does not take.
  /// - Complexity: O(bytes + log records).
  public mutating func insert<R, Element>(
    _ elements: Element..., into field: SetField<R, Element>, of id: RecordID
  ) throws {
    try edit(field, of: id, insert: elements, remove: [])
  }

  /// Takes elements out of a set.
  /// - Throws: as `insert`.
  public mutating func remove<R, Element>(
    _ elements: Element..., from field: SetField<R, Element>, of id: RecordID
  ) throws {
    try edit(field, of: id, insert: [], remove: elements)
  }

  /// A record as this transaction sees it, with what it has written so far, whoever may read it; `nil`
  /// where it does not exist.
  /// - Throws: `StoreError` `schema`, and what the disk says.
  /// - Complexity: O(log records + the record's events that are not folded).
  public mutating func get<R: Record>(_ type: R.Type, _ id: RecordID) throws -> R? {
    let shape = try writer.catalog.shape(of: type)
    guard let state = try writer.current(shape.model.shape, id) else { return nil }
    return try shape.decode(
      type, RecordReader(id: id, .state(state, fields: shape.model.shape.fieldIDs)))
  }

  mutating func edit<R, Element>(
    _ field: SetField<R, Element>, of id: RecordID, insert: [Element], remove: [Element]
  ) throws {
    let model = try writer.catalog.shape(of: R.self).model
    let reference = try model.field(field.name)
    try update(model, id: id) {
      try $0.edit(
        reference, insert: insert.map(\.recordValue), remove: remove.map(\.recordValue))
    }
  }

  private func shape<R: Record>(of record: R) throws(StoreError) -> RecordShape {
    try writer.catalog.shape(of: R.self)
  }

  /// Both are encoded, so that what a type does not tell apart, such as none and an empty text, is no
  /// change.
  private mutating func write<R: Record>(
    _ after: R, insteadOf before: R, keepsOwners: Bool
  ) throws {
    guard after.id == before.id else {
      throw StoreError(
        .misuse, "\(R.modelName) \(before.id) keeps its id; create another record instead")
    }
    let shape = try writer.catalog.shape(of: R.self)
    let (old, new) = (try shape.values(of: before), try shape.values(of: after))
    let places = shape.changed(from: old, to: new).filter { place in
      !(keepsOwners && shape.owners.contains(place) && new[place]?.isNull ?? true)
    }
    guard !places.isEmpty else { return }
    try update(shape.model, id: after.id) {
      try shape.give(places, of: new, insteadOf: old, to: &$0)
    }
  }
}
