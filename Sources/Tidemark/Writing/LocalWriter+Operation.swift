internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

/// A refusal of one operation.
struct LocalDenial: Error {
  let denial: Denial
}

extension LocalWriter {
  func beginOperation(
    _ kind: EventKind, _ shape: ModelShape, _ id: RecordID, principal: Int,
    wallMilliseconds: UInt64?
  ) throws {
    guard operation == nil else {
      throw StoreError(.misuse, "an operation inside another; end the first one before")
    }
    guard shape.version == catalog.current.version else {
      throw StoreError(
        .misuse, "the schema has changed; look \(shape.model.name) up in the store again")
    }
    guard id.isValid else {
      throw StoreError(
        .invalid, "a record id is 1 to \(RecordID.byteCountMax) bytes of UTF-8 without NUL")
    }
    let clock = header.clock
    let stamp: Stamp
    if builder.eventCount == 0 {
      stamp = clock.last
    } else {
      let wall = wallMilliseconds ?? clock.last.milliseconds
      guard let next = header.clock.tick(wallMilliseconds: wall) else {
        throw StoreError(.storeFull, "the store's clock has reached its end")
      }
      stamp = next
    }
    builder.beginEvent(
      kind, model: shape.place, id: id, principal: principal, stamp: stamp)
    key.truncate()
    RecordKey(model: shape.number, id: id).encode(into: &key)
    let hash = keyHash(key.bytes, seed: tail.hashSeed)
    operation = PendingOperation(
      kind: kind, shape: shape, principal: principal, keyHash: hash, clock: clock, stamp: stamp)
    // What `find` looks at is on its way while the fields are set.
    segment?.rows.prefetch(hash)
    draining?.rows.prefetch(hash)
    rowIndex?.prefetch(key.bytes)
  }

  /// Sets a field of the operation to text.
  /// - Returns: where the change stands; `nil` where the text holds NUL, and nothing was added.
  func append(_ field: Int, _ text: String) -> Int? {
    let offset = builder.bytes.byteCount
    return builder.appendSet(field, text) ? offset : nil
  }

  /// Takes back the operation that has begun, if one has.
  func dropOperation() {
    guard let operation else { return }
    builder.dropEvent()
    header.clock = operation.clock
    self.operation = nil
  }

  /// Checks the operation that has begun, asks the rules, and takes it over.
  /// - Throws: `AuthorizationError`, `StoreError`; then `dropOperation` is due.
  func endOperation(_ editor: borrowing RecordEditor) throws {
    guard let operation, let segment else { throw StoreError(.misuse, "no operation has begun") }
    var given = editor.given
    if editor.isDisordered || operation.shape.isWide { try sortChanges(operation) }
    if operation.kind == .create { try checkRequired(operation, given) }
    let (place, row) = try find(segment, operation.keyHash)
    try checkExistence(operation, row)
    try authorize(operation, row, &given, editor)
    let position = Position(
      entryLSN: header.nextLSN, index: UInt32(truncatingIfNeeded: builder.eventCount),
      offset: UInt32(truncatingIfNeeded: builder.lastEventOffset - entryOffset))
    let change = try rowChange(operation, row, position, given)
    do { try builder.endEvent() } catch { throw StoreError.tooLarge(error) }
    // From here on nothing fails: an event that has ended is in the transaction.
    let head = row?.head ?? 0
    distances.append(head == 0 ? 0 : position.lsn - head)
    tail.locked {
      let place = place ?? segment.rows.add(key.bytes, operation.keyHash, row)
      touched.append(place)
      segment.rows.apply(change, place, position, isDelete: operation.kind == .delete)
    }
    self.operation = nil
  }

  private func checkRequired(_ operation: PendingOperation, _ given: UInt128) throws {
    let shape = operation.shape
    if !shape.isWide, shape.required & ~given == 0 { return }
    do {
      try shape.schema.check(
        kind: .create, modelIndex: shape.place, changes: try builder.pendingChanges())
    } catch let error as ValueError {
      throw StoreError(.invalid, error.message)
    }
  }

  /// Puts the changes in the order of the fields.
  private func sortChanges(_ operation: PendingOperation) throws {
    let changes = try builder.pendingChanges().sorted { $0.field < $1.field }
    for (change, next) in zip(changes, changes.dropFirst()) where change.field == next.field {
      let name = operation.shape.model.fields[change.field].name
      throw StoreError(.invalid, "\(name) is given twice; give it once")
    }
    builder.replaceChanges(changes)
  }

  private func checkExistence(_ operation: PendingOperation, _ row: StoredRow?) throws {
    let exists =
      switch row {
      case .linear(let row): row.exists
      case .state(let row): row.state.exists
      case nil: false
      }
    guard exists != (operation.kind != .create) else { return }
    if isOptimistic { return }
    let name = operation.shape.model.name
    throw LocalDenial(
      denial: exists
        ? .alreadyExists(name, try RecordKey(key.bytes).id)
        : .noSuchRecord(name, try RecordKey(key.bytes).id))
  }

  private var isOptimistic: Bool { header.role == .device && header.acceptance == .optimistic }

  // MARK: Rules

  private func authorize(
    _ operation: PendingOperation, _ row: StoredRow?, _ given: inout UInt128,
    _ editor: borrowing RecordEditor
  ) throws {
    if !clearances.principals[operation.principal].also.isEmpty {
      return try authorizeSeveral(operation, row, &given)
    }
    let clearance = clearances.clearance(
      principal: operation.principal, model: operation.shape.place, catalog.policy)
    let isKnown: Bool
    switch operation.kind {
    case .create:
      isKnown = isCleared(clearance.create, editor, operation.shape)
    case .update:
      isKnown =
        try !editor.setsNull && given & operation.shape.owners == 0 && !operation.shape.isWide
        && isCleared(clearance.update, row, operation.shape)
    case .delete: isKnown = try isCleared(clearance.delete, row, operation.shape)
    case .unknown: throw StoreError(.invalid, "there is no such kind of event")
    }
    if operation.kind == .create, !clearance.filledOwners.isEmpty {
      try fill(operation, clearance.filledOwners, &given)
    }
    if !isKnown { try ask(operation, row) }
  }

  /// Whether a create is allowed without asking.
  private func isCleared(
    _ answer: Clearance.Answer, _ editor: borrowing RecordEditor, _ shape: ModelShape
  ) -> Bool {
    switch answer {
    case .allowed: return true
    case .ask: return false
    case .ifOwner(let field, let identity):
      guard field < 128 else { return false }
      let bit: UInt128 = 1 << UInt128(field)
      if editor.given & bit == 0 { return true }
      if !editor.isDisordered, shape.owners == bit {
        return builder.pendingText(of: field, at: editor.ownerOffset, isExactly: identity)
      }
      return builder.pendingText(of: field, isExactly: identity)
    }
  }

  /// Whether an update or delete is allowed without asking.
  private func isCleared(
    _ answer: Clearance.Answer, _ row: StoredRow?, _ shape: ModelShape
  ) throws -> Bool {
    switch answer {
    case .allowed: return true
    case .ask: return false
    case .ifOwner(let field, let identity):
      switch row {
      case .linear(let row):
        return try withEntry(row.position(0).entryLSN) { entry in
          let event = try TransactionEntry.event(in: entry, at: row.position(0))
          return try shape.hasPlaces(of: event.schema) && event.sets(field, to: identity)
        }
      case .state(let row): return row.state.isOwned(by: identity, shape.fieldIDs[field])
      case nil: return false
      }
    }
  }

  /// Adds to a create the owners that it left out.
  private func fill(
    _ operation: PendingOperation, _ owners: [FilledOwner], _ given: inout UInt128
  ) throws {
    let isWide = operation.shape.isWide
    var changes: [FieldChange]?
    for owner in owners {
      if !isWide, given & (1 << UInt128(owner.field)) != 0 { continue }
      var all = try changes ?? builder.pendingChanges()
      if all.contains(where: { $0.field == owner.field }) { continue }
      all.append(FieldChange(field: owner.field, operation: .set(owner.value)))
      if !isWide { given |= 1 << UInt128(owner.field) }
      changes = all
    }
    if let changes { builder.replaceChanges(changes.sorted { $0.field < $1.field }) }
  }

  /// Puts the question to the whole of the rules.
  private func ask(_ operation: PendingOperation, _ row: StoredRow?) throws {
    if isOptimistic { return }
    if let denial = try decision(operation, row).denial { throw LocalDenial(denial: denial) }
  }

  /// Of several credentials, the one that is allowed says whose name is filled in.
  private func authorizeSeveral(
    _ operation: PendingOperation, _ row: StoredRow?, _ given: inout UInt128
  ) throws {
    let decision = try decision(operation, row)
    if case .allowed(let allowance) = decision {
      return try fill(operation, allowance.filledOwners, &given)
    }
    if !isOptimistic, let denial = decision.denial { throw LocalDenial(denial: denial) }
  }

  private func decision(_ operation: PendingOperation, _ row: StoredRow?) throws -> Decision {
    let access: AccessOperation =
      switch operation.kind {
      case .create: .create
      case .update: .update
      default: .delete
      }
    let state = try row.map { try self.state(of: $0) } ?? RecordState()
    return catalog.policy.decide(
      AccessRequest(
        model: operation.shape.place, operation: access,
        credentials: clearances.principals[operation.principal].credentials,
        changes: try builder.pendingChanges(),
        stored: access == .create
          ? nil : catalog.facts(state, operation.shape.number, operation.shape.place)))
  }

  // MARK: Rows

  /// The row of the operation's key: its place in the growing segment if it is there, and what it
  /// holds wherever it is.
  private func find(
    _ segment: TailSegment, _ hash: UInt64
  ) throws -> (place: Int?, row: StoredRow?) {
    if let place = segment.rows.find(key.bytes, hash) {
      return (place, segment.rows.row(place, before: .max))
    }
    if let draining, let place = draining.rows.find(key.bytes, hash),
      let row = draining.rows.row(place, before: .max)
    {
      return (nil, row)
    }
    return (nil, try storedRow())
  }

  /// What the event that is being written does to its record's row.
  private func rowChange(
    _ operation: PendingOperation, _ row: StoredRow?, _ position: Position, _ given: UInt128
  ) throws -> RowChange {
    switch row {
    case nil where operation.kind == .create: return .append
    case .linear(let line)
    where line.exists && operation.kind != .create && !operation.shape.isWide
      && (operation.kind == .delete || given & operation.shape.owners == 0):
      if line.count < LinearRow.countMax { return .append }
      if operation.kind == .update, try supersedes(line, given, operation.shape) {
        return .replaceLast
      }
    case nil, .linear, .state: break
    }
    return .state(try folded(operation, row, position))
  }

  /// Whether the update that is being written leaves nothing of a line's last event.
  private func supersedes(
    _ row: LinearRow, _ given: UInt128, _ shape: ModelShape
  ) throws -> Bool {
    let last = row.position(row.count - 1)
    return try withEntry(last.entryLSN) { entry in
      try shape.isSuperseded(
        TransactionEntry.event(in: entry, at: last), by: header.replica, giving: given)
    }
  }

  /// The record's state with the event that is being written.
  private func folded(
    _ operation: PendingOperation, _ row: StoredRow?, _ position: Position
  ) throws -> RecordState {
    var state = try row.map { try self.state(of: $0) } ?? RecordState()
    var context = foreign
    let seq = own.seq + UInt64(position.index) + 1
    context.set(header.replica, to: seq - 1)
    let event = FoldEvent(
      rank: Rank(operation.stamp, Dot(header.replica, seq)), kind: operation.kind,
      context: context,
      changes: try catalog.changes(
        builder.pendingChanges(), of: operation.shape.place, catalog.current))
    // Its author has seen all that is here, so nothing is overturned.
    _ = state.apply(event, catalog.mergeRules(operation.shape.number))
    return state
  }

  func state(of row: StoredRow) throws -> RecordState {
    switch row {
    case .state(let row): return row.state
    case .linear(let line): return try line.state(catalog, withEntry)
    }
  }

  // MARK: Entries

  private func storedRow() throws -> StoredRow? {
    try withSnapshot { snapshot in
      if let rowIndex { return try rowIndex.row(key.bytes, snapshot) }
      let index = try RowIndex(tables, snapshot)
      rowIndex = index
      return try index.row(key.bytes, snapshot)
    }
  }

  func withSnapshot<R>(_ body: (borrowing OwnedReadTransaction) throws -> R) throws -> R {
    if let snapshot { return try body(snapshot.transaction) }
    let taken = HeldSnapshot(try environment.snapshot())
    snapshot = taken
    return try body(taken.transaction)
  }

  /// Calls `body` with the bytes of a log entry, wherever it is.
  func withEntry<R>(
    _ lsn: UInt64, _ body: (RawSpan) throws -> R
  ) throws -> R {
    if lsn == header.nextLSN, operation != nil {
      return try body(builder.bytes.extracting(entryOffset..<builder.bytes.byteCount))
    }
    if let first = pending.first, lsn >= first.lsn {
      guard let entry = pending.last(where: { $0.lsn == lsn }) else {
        throw CodecError(.malformed, "log entry \(lsn)")
      }
      return try body(builder.bytes.extracting(entry.offset..<entry.offset + entry.byteCount))
    }
    for segment in [segment, draining] {
      if let segment, lsn >= segment.firstLSN, let entry = segment.entry(lsn) {
        return try segment.withBytes(entry, body)
      }
    }
    return try withSnapshot { snapshot in
      guard let bytes = try snapshot.get(tables.log, lsn) else {
        throw CodecError(.malformed, "log entry \(lsn)")
      }
      return try body(bytes)
    }
  }
}

/// A read transaction that several calls share.
final class HeldSnapshot {
  let transaction: OwnedReadTransaction

  init(_ transaction: consuming OwnedReadTransaction) {
    self.transaction = transaction
  }
}
