internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkMerge

// What relations read. Records that a principal may not read are not there, as everywhere: the other
// record's own rules hold, whoever may read the one that it is read from.

extension StoreSnapshot {
  /// What each of some records has by a relation, in their order, whoever may read it.
  /// - Throws: as `get`.
  public borrowing func related<R, Loaded>(
    _ relation: RecordRelation<R, Loaded>, of records: [R]
  ) throws -> [Loaded] {
    try relation.load(records, self, nil)
  }

  /// Some records of a type by their ids; those that are not there, or may not be read, are left out.
  /// - Complexity: O(ids × log records).
  borrowing func records<R: Record>(
    _ type: R.Type, _ ids: Set<RecordID>, as principal: Principal?
  ) throws -> [RecordID: R] {
    let shape = try rows.catalog.shape(of: type)
    var found: [RecordID: R] = [:]
    guard let filter = filter(shape.model, principal, .get) else {
      for id in ids { found[id] = try get(type, id) }
      return found
    }
    for id in ids where id.isValid {
      let key = RecordKey(model: shape.model.shape.number, id: id)
      guard let row = try row(key.bytes.rawBytes),
        let view = try filter.view(key, rows.state(row, transaction))
      else { continue }
      found[id] = try R(from: RecordDecoder(view, shape))
    }
    return found
  }

  /// All records of a type that a principal may read, sorted by id.
  /// - Complexity: O(records of the type).
  borrowing func all<R: Record>(_ type: R.Type, as principal: Principal?) throws -> [R] {
    let shape = try rows.catalog.shape(of: type)
    guard let filter = filter(shape.model, principal, .list) else { return try all(type) }
    var records: [R] = []
    try rows.forEachRow(of: shape.model.shape.number, transaction) { key, row in
      if let view = try filter.view(key, rows.state(row, transaction)) {
        records.append(try R(from: RecordDecoder(view, shape)))
      }
      return true
    }
    return records
  }

  /// The records of a type whose key names one of some records, sorted by id, by the one that they name.
  /// - Complexity: O(records of the type).
  borrowing func holders<R: Record>(
    _ type: R.Type, key: String, of named: Set<RecordID>, as principal: Principal?
  ) throws -> [RecordID: [R]] {
    let shape = try rows.catalog.shape(of: type)
    let field = try shape.model.field(key)
    var found: [RecordID: [R]] = [:]
    try forEachHolder(
      of: named, shape.model, field, as: principal,
      read: { found[$0, default: []].append(try shape.decode(type, $1)) },
      view: { found[$0, default: []].append(try R(from: RecordDecoder($1, shape))) })
    return found
  }

  /// The records that links of a join model lead to from some records.
  /// - Complexity: O(links).
  borrowing func links(
    _ join: String, _ key: String, _ targetKey: String, of named: Set<RecordID>,
    as principal: Principal?
  ) throws -> [RecordID: Set<RecordID>] {
    let catalog = rows.catalog
    guard let place = catalog.current.schema.modelIndex(join) else {
      throw StoreError(.schema, "the store's schema has no model \(join); adopt one that has it")
    }
    let model = ModelReference(shape: catalog.shapes[place])
    let (field, target) = (try model.field(key), try model.field(targetKey))
    var found: [RecordID: Set<RecordID>] = [:]
    func note(_ named: RecordID, _ text: String?) {
      if let text { found[named, default: []].insert(RecordID(text)) }
    }
    try forEachHolder(
      of: named, model, field, as: principal,
      read: { note($0, try $1.string(target)) },
      view: { note($0, $1[targetKey]?.stringValue) })
    return found
  }

  /// Calls a closure with each record whose key names one of some records, sorted by id: in place where
  /// all of the model may be read, else with what may be read of it. All that asks who names a record
  /// while nothing is written asks here.
  private borrowing func forEachHolder(
    of named: Set<RecordID>, _ model: ModelReference, _ key: FieldReference,
    as principal: Principal?, read: (RecordID, borrowing RecordReader) throws -> Void,
    view: (RecordID, RecordView) throws -> Void
  ) throws {
    if named.isEmpty { return }
    guard let filter = filter(model, principal, .list) else {
      return try forEach(model) { reader in
        if let text = try reader.string(key) {
          let id = RecordID(text)
          if named.contains(id) { try read(id, reader) }
        }
        return true
      }
    }
    let number = model.shape.number
    try rows.forEachRow(of: number, transaction) { record, row in
      let state = try rows.state(row, transaction)
      guard let text = state.value(model.shape.fieldIDs[key.place])?.stringValue,
        named.contains(RecordID(text)), let found = try filter.view(record, state),
        // A key that may not be read names nothing.
        let shown = found[key.name]?.stringValue
      else { return true }
      try view(RecordID(shown), found)
      return true
    }
  }

  /// What a principal may read of a model; `nil` where that is everything.
  private borrowing func filter(
    _ model: ModelReference, _ principal: Principal?, _ operation: AccessOperation
  ) -> RelationFilter? {
    guard let principal, !rows.catalog.readsAll(model.shape.place, principal, operation) else {
      return nil
    }
    return RelationFilter(
      catalog: rows.catalog, filter: RecordFilter(rows.catalog, principal, operation))
  }
}

/// Shows records as a principal may read them.
private struct RelationFilter {
  let catalog: Catalog
  let filter: RecordFilter

  func view(_ key: RecordKey, _ state: RecordState) throws -> RecordView? {
    catalog.view(key, state).flatMap { filter.filter($0, state, key.model) }
  }
}
