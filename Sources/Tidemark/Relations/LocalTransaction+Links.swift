public import TidemarkEvents
internal import TidemarkSchema

extension LocalTransaction {
  /// Joins two records: makes the record of the join model that names both. Nothing is written where
  /// this principal has joined them before.
  ///
  /// Its id follows from what it joins, and from who joins where the join model's rules go by owners: two
  /// devices of one user make one link, and two users one each, of which either may take back theirs.
  /// - Throws: as `create`; `StoreError` `misuse` for a relation that is not many-to-many.
  /// - Complexity: O(log links).
  public mutating func link<R, Target: Record>(
    _ relation: RecordRelation<R, [Target]>, of id: RecordID, to target: RecordID
  ) throws {
    let link = try Link(relation.ends, relation.name, writer.catalog, id, target)
    let record = link.id(for: writer.clearances.principals[0])
    guard try writer.current(link.model.shape, record) == nil else { return }
    try create(link.model, id: record) { editor in
      try editor.set(link.own, id.string)
      try editor.set(link.other, target.string)
    }
  }

  /// Parts two records that were joined, whoever joined them; nothing is written where none did.
  /// - Throws: as `delete`; `StoreError` `misuse` for a relation that is not many-to-many.
  /// - Complexity: O(links).
  public mutating func unlink<R, Target: Record>(
    _ relation: RecordRelation<R, [Target]>, of id: RecordID, from target: RecordID
  ) throws {
    let link = try Link(relation.ends, relation.name, writer.catalog, id, target)
    let shape = link.model.shape
    func links(_ field: FieldReference, _ named: RecordID) throws -> [RecordID] {
      try writer.holders(
        of: [named], HeldKey(model: shape.place, field: field.place, onDelete: .keep)
      ).map(\.holder)
    }
    let others = Set(try links(link.other, target))
    for record in try links(link.own, id) where others.contains(record) {
      try delete(link.model, id: record)
    }
  }
}

/// Two records that are to be joined.
private struct Link {
  let model: ModelReference
  let own: FieldReference
  let other: FieldReference
  private let ids: (own: RecordID, other: RecordID)

  init<Root, Loaded>(
    _ ends: RecordRelation<Root, Loaded>.Ends?, _ name: String, _ catalog: Catalog,
    _ id: RecordID, _ target: RecordID
  ) throws(StoreError) {
    guard let ends else {
      throw StoreError(
        .misuse, "\(Root.modelName).\(name) is not many-to-many; set the key of the record in place"
      )
    }
    guard let place = catalog.current.schema.modelIndex(ends.join) else {
      throw StoreError(
        .schema, "the store's schema has no model \(ends.join); adopt one that has it")
    }
    model = ModelReference(shape: catalog.shapes[place])
    own = try model.field(ends.own)
    other = try model.field(ends.other)
    ids = (id, target)
  }

  /// The same from either end: a UUID of version 8 (RFC 9562), the beginning of a SHA-256.
  func id(for principal: Principal) -> RecordID {
    let isFirst = own.place < other.place
    var writer = ByteWriter(capacity: 256)
    writer.append(counted: model.name)
    writer.append(counted: (isFirst ? ids.own : ids.other).string)
    writer.append(counted: (isFirst ? ids.other : ids.own).string)
    let owner = model.shape.model.ownerFields.isEmpty ? "" : principal.subject ?? ""
    writer.append(counted: owner)
    let hash = TransactionHash(of: writer.bytes)
    return RecordID(
      packedUUID: hash.prefix & ~0xf000 | 0x8000,
      hash.lanes[1].byteSwapped & ~(0b11 << 62) | 0b10 << 62)
  }
}
