internal import TidemarkAuthorization
public import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

/// A moment of a store's history. Tombstones hold at every moment: what they void has never been.
public enum Moment: Hashable, Sendable {
  /// The events with an effective stamp of at most these milliseconds since 1970.
  case time(milliseconds: UInt64)
  /// The events in a version vector.
  case vector(VersionVector)
  /// An event and all that its author had seen.
  case event(Dot)
}

extension Store {
  /// Calls `body` with every record, sorted by model and id by their bytes, until it returns false.
  /// - Parameters:
  ///   - model: only this model's.
  ///   - principal: only what the rules let this principal read, fields that it may not read as null.
  ///   - moment: as it was then; the whole log is read.
  /// - Throws: `StoreError` `notFound` for a model or an event that is not known; what `body` throws.
  /// - Complexity: O(records), or O(events) at a moment.
  public func forEachRecord(
    of model: String? = nil, as principal: Principal? = nil, at moment: Moment? = nil,
    _ body: (RecordView) throws -> Bool
  ) throws(StoreError) {
    try read { tx, snapshot in
      let numbers = try snapshot.modelNumbers(model)
      let reader = principal.map { RecordFilter(snapshot.catalog, $0, .list) }
      let past = try moment.map { try snapshot.fold(at: $0, tx) }
      for number in numbers {
        var goesOn = true
        func show(_ key: RecordKey, _ state: RecordState) throws -> Bool {
          guard let view = snapshot.catalog.view(key, state) else { return true }
          guard let reader else {
            goesOn = try body(view)
            return goesOn
          }
          if let view = reader.filter(view, state, key.model) { goesOn = try body(view) }
          return goesOn
        }
        if let past {
          for (key, state) in past.filter({ $0.key.model == number }).sorted(by: { $0.key < $1.key }
          ) {
            guard try show(key, state) else { break }
          }
        } else {
          try snapshot.forEachRow(of: number, tx) { try show($0, $1.state) }
        }
        guard goesOn else { return }
      }
    }
  }

  /// One record; `nil` where it does not exist, or may not be read.
  /// - Complexity: O(log records), or O(the record's events) at a moment.
  public func record(
    _ model: String, _ id: RecordID, as principal: Principal? = nil, at moment: Moment? = nil
  ) throws(StoreError) -> RecordView? {
    try read { tx, snapshot in
      guard let number = try snapshot.modelNumbers(model).first else { return nil }
      let key = RecordKey(model: number, id: id)
      guard id.isValid, let row = try snapshot.tables.row(key, snapshot.catalog, tx) else { return nil }
      var state = row.state
      if let moment {
        let filter = try snapshot.filter(moment, tx)
        let events = try snapshot.tables.foldEvents(row.head, snapshot.header, snapshot.catalog, tx)
        state = RecordState.fold(events.filter(filter), snapshot.catalog.mergeRules(number))
      }
      guard let view = snapshot.catalog.view(key, state) else { return nil }
      guard let principal else { return view }
      return RecordFilter(snapshot.catalog, principal, .get).filter(view, state, number)
    }
  }
}

extension Snapshot {
  /// The numbers of one model, or of all, sorted by their names' bytes.
  func modelNumbers(_ name: String?) throws -> [Int] {
    if let name {
      guard let number = catalog.modelNames.firstIndex(where: { $0.hasSameBytes(as: name) }) else {
        throw StoreError(
          .notFound,
          "the schema has no model \(name); it has \(catalog.modelNames.joined(separator: ", "))")
      }
      return [number]
    }
    return catalog.modelNames.indices.sorted {
      catalog.modelNames[$0].precedesInBytes(catalog.modelNames[$1])
    }
  }

  /// Calls `body` with a model's rows, sorted by id, until it returns false. Packed and other ids lie
  /// in two ranges, which are merged.
  func forEachRow(
    of model: Int, _ tx: borrowing ReadTransaction,
    _ body: (RecordKey, RecordRow) throws -> Bool
  ) throws {
    var packed = try rows(of: model, kind: 0, tx)
    var texts = try rows(of: model, kind: 1, tx)
    var packedRow = try packed.next(of: model, kind: 0, tx)
    var textRow = try texts.next(of: model, kind: 1, tx)
    while packedRow != nil || textRow != nil {
      let takesPacked =
        if let packedRow, let textRow { packedRow.key.id < textRow.key.id } else { packedRow != nil }
      guard let (key, row) = takesPacked ? packedRow : textRow else { return }
      guard try body(key, tables.row(row, catalog, tx)) else { return }
      if takesPacked {
        packedRow = try packed.next(of: model, kind: 0, tx)
      } else {
        textRow = try texts.next(of: model, kind: 1, tx)
      }
    }
  }

  /// The rows of a model whose ids are packed (0) or texts (1), in the order of their keys.
  private func rows(
    of model: Int, kind: UInt8, _ tx: borrowing ReadTransaction
  ) throws -> RowMerge {
    let number = UInt16(truncatingIfNeeded: model)
    let start = [UInt8(number >> 8), UInt8(number & 0xff), kind]
    let runs = try tables.rowRuns(tx).map { RowSource(run: $0, tables, from: start) }
    return RowMerge([RowSource(tree: tables, from: start)] + runs)
  }

  /// Which events a moment has.
  func filter(
    _ moment: Moment, _ tx: borrowing ReadTransaction
  ) throws -> (FoldEvent) -> Bool {
    switch moment {
    case .time(let milliseconds):
      return { $0.rank.stamp.milliseconds <= milliseconds }
    case .vector(let vector):
      return { vector.contains($0.rank.dot) }
    case .event(let dot):
      guard try tables.position(dot, tx) != nil else {
        throw StoreError(.notFound, "the log holds no event \(dot)")
      }
      var context = try tables.context(dot, tx)
      context.raise(dot.replica, to: dot.seq)
      return { context.contains($0.rank.dot) }
    }
  }

  /// Every record's state at a moment.
  func fold(
    at moment: Moment, _ tx: borrowing ReadTransaction
  ) throws -> [RecordKey: RecordState] {
    let filter = try filter(moment, tx)
    var folder = LogFolder(self)
    try folder.fold(tx, where: filter)
    return folder.states
  }
}

extension RowMerge {
  fileprivate mutating func next(
    of model: Int, kind: UInt8, _ tx: borrowing ReadTransaction
  ) throws -> (key: RecordKey, row: StoredRow)? {
    guard let source = try next(tx) else { return nil }
    return try source.withCurrent { key, row in
      let found = try RecordKey(key)
      guard found.model == model, (found.id.packedUUID == nil) == (kind == 1) else { return nil }
      return (found, try StoredRow(row))
    }
  }
}

/// What a principal may read of a record.
struct RecordFilter {
  private let catalog: Catalog
  private let principal: Principal
  private let operation: AccessOperation

  init(_ catalog: Catalog, _ principal: Principal, _ operation: AccessOperation) {
    self.catalog = catalog
    self.principal = principal
    self.operation = operation
  }

  /// The record with the fields that may not be read as null; `nil` where it may not be read at all.
  func filter(_ view: RecordView, _ state: RecordState, _ model: Int) -> RecordView? {
    guard let place = catalog.currentPlace(model) else { return nil }
    let access = catalog.policy.readAccess(
      model: place, operation: operation, credentials: [principal],
      stored: catalog.facts(state, model, place))
    guard access.isVisible else { return nil }
    if access.hiddenFields.isEmpty { return view }
    let fields = catalog.current.schema.models[place].fields
    let hidden = access.hiddenFields.map { fields[$0].name }
    let ownerField = catalog.mergeRules(model).ownerFields.first
      .map { catalog.fieldNames[model][$0] }
    return RecordView(
      model: view.model, id: view.id,
      fields: view.fields.map { hidden.contains($0.name) ? Value.Member($0.name, .null) : $0 },
      owner: ownerField.map { hidden.contains($0) } ?? false ? nil : view.owner,
      created: view.created, updated: view.updated,
      conflicts: view.conflicts.filter { !hidden.contains($0) })
  }
}
