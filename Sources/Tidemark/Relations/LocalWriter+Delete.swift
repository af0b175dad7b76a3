internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

extension LocalWriter {
  /// Writes one operation: all of it, or nothing.
  @inline(__always)
  func write(
    _ kind: EventKind, _ shape: ModelShape, _ id: RecordID, principal: Int,
    wallMilliseconds: UInt64?, _ body: (inout RecordEditor) throws -> Void
  ) throws {
    try beginOperation(
      kind, shape, id, principal: principal, wallMilliseconds: wallMilliseconds)
    var editor = RecordEditor(self, shape)
    do {
      try body(&editor)
      try endOperation(editor)
    } catch {
      dropOperation()
      throw error
    }
  }

  /// Deletes a record, and before it does what the delete rules say to those that name it.
  /// - Throws: as `endOperation`; `DeleteDenied`. Then nothing of it is written, but where that fails
  ///   which the rules allow, as for a transaction that becomes too large: then no part of the
  ///   transaction can be kept.
  func delete(
    _ shape: ModelShape, _ id: RecordID, principal: Int, wallMilliseconds: UInt64?
  ) throws {
    func delete(_ shape: ModelShape, _ id: RecordID) throws {
      try write(
        .delete, shape, id, principal: principal, wallMilliseconds: wallMilliseconds
      ) { _ in }
    }
    guard !shape.heldKeys.isEmpty else { return try delete(shape, id) }
    let plan = try plan(shape, id, principal)
    let count = builder.eventCount
    do {
      for (record, fields) in plan.nullified {
        let holder = catalog.shapes[record.model]
        try write(
          .update, holder, record.id, principal: principal, wallMilliseconds: wallMilliseconds
        ) { editor in
          for field in fields {
            editor.append(checked: FieldChange(field: field, operation: .set(.null)))
          }
        }
      }
      for record in plan.deleted { try delete(catalog.shapes[record.model], record.id) }
      try delete(shape, id)
    } catch {
      if builder.eventCount > count { partialFailure = error }
      throw error
    }
  }

  /// What a delete brings with it, each of which the rules allow.
  private func plan(_ shape: ModelShape, _ id: RecordID, _ principal: Int) throws -> DeletePlan {
    let isChecked = header.role == .authority || header.acceptance != .optimistic
    if isChecked {
      guard let state = try current(shape, id) else {
        throw LocalDenial(denial: .noSuchRecord(shape.model.name, id))
      }
      if let denial = denial(.delete, [], shape, state, principal) {
        throw LocalDenial(denial: denial)
      }
    }
    let plan = try DeletePlan(
      deleting: RecordPlace(model: shape.place, id: id),
      keys: { catalog.shapes[$0].heldKeys },
      holders: { try holders(of: $1, $0) },
      deny: { key, named, ids in deleteDenied(key, named, ids, principal) })
    guard isChecked else { return plan }
    for (record, fields) in plan.nullified {
      let changes = fields.map { FieldChange(field: $0, operation: .set(.null)) }
      try check(record, .update, changes, because: shape, id, principal)
    }
    for record in plan.deleted { try check(record, .delete, [], because: shape, id, principal) }
    return plan
  }

  /// Refuses what the principal may not do to a record that names another, and says to which.
  private func check(
    _ record: RecordPlace, _ operation: AccessOperation, _ changes: [FieldChange],
    because shape: ModelShape, _ id: RecordID, _ principal: Int
  ) throws {
    let holder = catalog.shapes[record.model]
    guard let state = try current(holder, record.id),
      let denial = denial(operation, changes, holder, state, principal)
    else { return }
    let what = operation == .delete ? "would be deleted with it" : "would lose its key"
    throw LocalDenial(
      denial: Denial(
        code: denial.code, rule: denial.rule,
        message:
          "\(shape.model.name) \(id): \(holder.model.name) \(record.id) \(what), and \(denial.message)",
        field: denial.field))
  }

  private func denial(
    _ operation: AccessOperation, _ changes: [FieldChange], _ shape: ModelShape,
    _ state: RecordState, _ principal: Int
  ) -> Denial? {
    catalog.policy.decide(
      AccessRequest(
        model: shape.place, operation: operation,
        credentials: clearances.principals[principal].credentials, changes: changes,
        stored: catalog.facts(state, shape.number, shape.place))
    ).denial
  }

  private func deleteDenied(
    _ key: HeldKey, _ named: RecordPlace, _ ids: [RecordID], _ principal: Int
  ) -> DeleteDenied {
    let holder = catalog.shapes[key.model]
    let credentials = clearances.principals[principal].credentials
    let readable = ids.lazy.filter { [catalog] id in
      guard let state = try? self.current(holder, id) else { return false }
      return catalog.policy.readAccess(
        model: holder.place, operation: .get, credentials: credentials,
        stored: catalog.facts(state, holder.number, holder.place)
      ).isVisible
    }
    return DeleteDenied(
      model: catalog.shapes[named.model].model.name, id: named.id,
      holderModel: holder.model.name, key: holder.model.fields[key.field].name, count: ids.count,
      ids: Array(readable.prefix(DeleteDenied.idCountMax)))
  }
}
