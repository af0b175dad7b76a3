public import TidemarkEvents

// Reading through relations. Each call reads one moment of the store, and each relation once, however
// many records it is read for.

extension Session {
  /// What one record has by a relation, as the rules let the principal read it.
  /// - Throws: as `get`.
  /// - Complexity: of a record that it names itself, O(log records); else O(records of the other type).
  public func related<R, Loaded>(
    _ relation: RecordRelation<R, Loaded>, of record: R
  ) throws(StoreError) -> Loaded {
    let loaded = try related(relation, of: [record])
    guard let first = loaded.first else {
      throw StoreError(.misuse, "\(R.modelName).\(relation.name) was not read")
    }
    return first
  }

  /// What each of some records has by a relation, in their order: the records may be a query's.
  /// - Throws: as `get`.
  /// - Complexity: O(records × log records of the other type), or O(records of the other type).
  public func related<R, Loaded>(
    _ relation: RecordRelation<R, Loaded>, of records: [R]
  ) throws(StoreError) -> [Loaded] {
    try Store.translating {
      try store.withSnapshot { try relation.load(records, $0, principal) }
    }
  }

  /// One record with what it has by some relations; `nil` where it does not exist, or may not be read.
  ///
  /// ```swift
  /// let found = try session.get(Post.self, "p1", including: Post.relations.comments)
  /// if let (post, comments) = found { … }
  /// ```
  /// - Throws: as `get`.
  public func get<R, each Loaded>(
    _ type: R.Type, _ id: RecordID, including relation: repeat RecordRelation<R, each Loaded>
  ) throws(StoreError) -> (R, repeat each Loaded)? {
    try Store.translating {
      try store.withSnapshot { snapshot in
        guard let record = try snapshot.records(type, [id], as: principal)[id] else { return nil }
        return (record, repeat try (each relation).first(record, snapshot, principal))
      }
    }
  }

  /// All records of a type that the principal may read, sorted by id, with what each has by some
  /// relations.
  /// - Throws: as `all`.
  /// - Complexity: O(records of all the types).
  public func all<R, each Loaded>(
    _ type: R.Type, including relation: repeat RecordRelation<R, each Loaded>
  ) throws(StoreError) -> [(R, repeat each Loaded)] {
    try Store.translating {
      try store.withSnapshot { snapshot in
        let records = try snapshot.all(type, as: principal)
        let loaded = (repeat try (each relation).load(records, snapshot, principal))
        var rows: [(R, repeat each Loaded)] = []
        rows.reserveCapacity(records.count)
        for place in records.indices {
          rows.append((records[place], repeat (each loaded)[place]))
        }
        return rows
      }
    }
  }

  /// Joins two records; nothing where this principal has joined them before.
  ///
  /// ```swift
  /// try session.link(Post.relations.tags, of: post.id, to: tag.id)
  /// ```
  /// - Throws: as `create`; `StoreError` `misuse` for a relation that is not many-to-many.
  public func link<R, Target: Record>(
    _ relation: RecordRelation<R, [Target]>, of id: RecordID, to target: RecordID
  ) throws {
    try write { try $0.link(relation, of: id, to: target) }
  }

  /// Parts two records that were joined, whoever joined them; nothing where none did.
  /// - Throws: as `delete`; `StoreError` `misuse` for a relation that is not many-to-many.
  public func unlink<R, Target: Record>(
    _ relation: RecordRelation<R, [Target]>, of id: RecordID, from target: RecordID
  ) throws {
    try write { try $0.unlink(relation, of: id, from: target) }
  }

  /// Joins two records.
  public func link<R, Target: Record>(
    _ relation: RecordRelation<R, [Target]>, of id: RecordID, to target: RecordID
  ) async throws {
    try await write { try $0.link(relation, of: id, to: target) }
  }

  /// Parts two records that were joined.
  public func unlink<R, Target: Record>(
    _ relation: RecordRelation<R, [Target]>, of id: RecordID, from target: RecordID
  ) async throws {
    try await write { try $0.unlink(relation, of: id, from: target) }
  }
}

extension RecordRelation {
  fileprivate func first(
    _ record: Root, _ snapshot: borrowing StoreSnapshot, _ principal: Principal
  ) throws -> Loaded {
    let loaded = try load([record], snapshot, principal)
    guard let first = loaded.first else {
      throw StoreError(.misuse, "\(Root.modelName).\(name) was not read")
    }
    return first
  }
}
