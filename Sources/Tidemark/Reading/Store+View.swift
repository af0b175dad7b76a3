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
    guard let moment else { return try forEachRecordNow(of: model, as: principal, body) }
    try read { tx, snapshot in
      let lister = RecordLister(snapshot.catalog, principal)
      let past = try snapshot.fold(at: moment, tx)
      for number in try snapshot.catalog.modelNumbers(model) {
        let records = past.filter { $0.key.model == number }.sorted { $0.key < $1.key }
        for (key, state) in records {
          // What may not be read now is not read of the past either.
          let now = principal == nil ? nil : try snapshot.lastState(key, tx)
          guard try lister.show(key, state, now: now, body) else { return }
        }
      }
    }
  }

  private func forEachRecordNow(
    of model: String?, as principal: Principal?, _ body: (RecordView) throws -> Bool
  ) throws(StoreError) {
    try Store.translating {
      try withSnapshot { moment in
        let snapshot = moment.rows
        let lister = RecordLister(snapshot.catalog, principal)
        for number in try snapshot.catalog.modelNumbers(model) {
          var goesOn = true
          try snapshot.forEachRow(of: number, moment.transaction) { key, row in
            goesOn = try lister.show(key, snapshot.state(row, moment.transaction), body)
            return goesOn
          }
          guard goesOn else { return }
        }
      }
    }
  }

  /// How many records there are for a principal: of those that it may not read nothing is counted.
  /// - Complexity: O(records).
  public func recordCount(
    of model: String, as principal: Principal? = nil
  ) throws(StoreError) -> Int {
    var count = 0
    try forEachRecord(of: model, as: principal) { _ in
      count += 1
      return true
    }
    return count
  }

  /// One record; `nil` where it does not exist, or may not be read.
  /// - Complexity: O(log records), or O(the record's events) at a moment.
  public func record(
    _ model: String, _ id: RecordID, as principal: Principal? = nil, at moment: Moment? = nil
  ) throws(StoreError) -> RecordView? {
    guard id.isValid else { return nil }
    func view(
      _ catalog: Catalog, _ key: RecordKey, _ state: RecordState
    ) -> RecordView? {
      guard let view = catalog.view(key, state) else { return nil }
      guard let principal else { return view }
      return RecordFilter(catalog, principal, .get).filter(view, state, key.model)
    }
    guard let moment else {
      return try Store.translating {
        try withSnapshot { moment in
          let snapshot = moment.rows
          guard let number = try snapshot.catalog.modelNumbers(model).first else { return nil }
          let key = RecordKey(model: number, id: id)
          guard let row = try moment.row(key.bytes.rawBytes) else { return nil }
          return view(snapshot.catalog, key, try snapshot.state(row, moment.transaction))
        }
      }
    }
    return try read { tx, snapshot in
      guard let number = try snapshot.catalog.modelNumbers(model).first else { return nil }
      let key = RecordKey(model: number, id: id)
      guard let row = try snapshot.tables.row(key, snapshot.catalog, tx) else { return nil }
      let filter = try snapshot.filter(moment, tx)
      let events = try snapshot.tables.foldEvents(row.head, snapshot.header, snapshot.catalog, tx)
      let state = RecordState.fold(events.filter(filter), snapshot.catalog.mergeRules(number))
      guard let principal, let past = snapshot.catalog.view(key, state) else {
        return view(snapshot.catalog, key, state)
      }
      return RecordFilter(snapshot.catalog, principal, .get).filter(
        past, state, number, now: try snapshot.lastState(key, tx))
    }
  }
}

extension Catalog {
  /// The numbers of one model, or of all, sorted by their names' bytes.
  func modelNumbers(_ name: String?) throws -> [Int] {
    if let name {
      guard let number = modelNames.firstIndex(where: { $0.hasSameBytes(as: name) }) else {
        throw StoreError(
          .notFound,
          "the schema has no model \(name); it has \(modelNames.joined(separator: ", "))")
      }
      return [number]
    }
    return modelNames.indices.sorted { modelNames[$0].precedesInBytes(modelNames[$1]) }
  }
}

extension Snapshot {
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

/// Shows records to a body, as far as somebody may read them.
private struct RecordLister {
  private let catalog: Catalog
  private let filter: RecordFilter?

  init(_ catalog: Catalog, _ principal: Principal?) {
    self.catalog = catalog
    filter = principal.map { RecordFilter(catalog, $0, .list) }
  }

  /// - Returns: whether the body wants more.
  func show(
    _ key: RecordKey, _ state: RecordState, _ body: (RecordView) throws -> Bool
  ) throws -> Bool {
    try show(key, state, now: state, body)
  }

  func show(
    _ key: RecordKey, _ state: RecordState, now: RecordState?, _ body: (RecordView) throws -> Bool
  ) throws -> Bool {
    guard var view = catalog.view(key, state) else { return true }
    if let filter {
      guard let visible = filter.filter(view, state, key.model, now: now) else { return true }
      view = visible
    }
    return try body(view)
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
      model: place, operation: operation, credentials: principal.credentials,
      stored: catalog.facts(state, model, place))
    guard access.isVisible else { return nil }
    if access.hiddenFields.isEmpty { return view }
    let schema = catalog.current.schema.models[place]
    let hidden = access.hiddenFields.map { schema.fields[$0].name }
    let ownerField = catalog.mergeRules(model).ownerFields.first
      .map { catalog.fieldNames[model][$0] }
    // Whether a hidden field holds anything is hidden too.
    let fields = schema.fields.compactMap { field -> Value.Member? in
      if hidden.contains(field.name) { return Value.Member(field.name, .null) }
      return view[field.name].map { Value.Member(field.name, $0) }
    }
    return RecordView(
      model: view.model, id: view.id, fields: fields,
      owner: ownerField.map { hidden.contains($0) } ?? false ? nil : view.owner,
      created: view.created, updated: view.updated,
      conflicts: view.conflicts.filter { !hidden.contains($0) }, hidden: hidden)
  }

  /// The same of a past state: what may be read now, and might have been then.
  func filter(
    _ view: RecordView, _ state: RecordState, _ model: Int, now: RecordState?
  ) -> RecordView? {
    guard let now, let shown = filter(view, now, model) else { return nil }
    return filter(shown, state, model).map { then in
      var then = then
      then.hidden = Array(Set(shown.hidden + then.hidden)).sorted { $0.precedesInBytes($1) }
      return then
    }
  }
}
