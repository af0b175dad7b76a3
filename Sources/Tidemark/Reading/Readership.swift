internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

// What somebody may read of a log. A record's history is read by who may read the record: as it is
// now, or, where it is gone, as it was when it last was there. So
// - a line of a record that may not be read does not exist, for them;
// - a field that may not be read is null in every line, and the line says so;
// - what was refused is its author's alone;
// - of another author no more is shown than the provider and, unless the owner is hidden, the subject.

/// What one principal may read of a log, record by record.
struct Readership {
  /// Records whose access is kept in memory.
  static let knownCountMax = 1 << 16

  private let snapshot: Snapshot
  private let principal: Principal
  private let operation: AccessOperation
  private var known: [RecordKey: Access] = [:]

  /// What of one record may be read.
  struct Access: Equatable {
    var isVisible = false
    var hidden: Set<String> = []
    /// Whether who owns the record may not be known.
    var isOwnerHidden = false
  }

  init(_ snapshot: Snapshot, _ principal: Principal, _ operation: AccessOperation) {
    self.snapshot = snapshot
    self.principal = principal
    self.operation = operation
  }

  mutating func access(
    _ key: RecordKey, _ tx: borrowing ReadTransaction
  ) throws -> Access {
    if let access = known[key] { return access }
    let state = try snapshot.lastState(key, tx)
    let access = state.map { self.access(key.model, $0) } ?? Access()
    if known.count >= Readership.knownCountMax { known.removeAll(keepingCapacity: true) }
    known[key] = access
    return access
  }

  /// What of a record in this state may be read.
  func access(_ model: Int, _ state: RecordState) -> Access {
    let catalog = snapshot.catalog
    guard let place = catalog.currentPlace(model) else { return Access() }
    let found = catalog.policy.readAccess(
      model: place, operation: operation, credentials: principal.credentials,
      stored: catalog.facts(state, model, place))
    guard found.isVisible else { return Access() }
    let fields = catalog.current.schema.models[place].fields
    let hidden = Set(found.hiddenFields.map { fields[$0].name })
    let owners = catalog.current.schema.models[place].ownerFields
    return Access(
      isVisible: true, hidden: hidden, isOwnerHidden: owners.contains { hidden.contains($0) })
  }

  /// A line as the principal may read it; `nil` where it may not.
  mutating func line(_ line: LogLine, _ tx: borrowing ReadTransaction) throws -> LogLine? {
    guard let event = line.event, let model = line.model,
      let number = snapshot.catalog.modelNumber(named: model.name)
    else { return nil }
    let isAuthor = principal.isSamePerson(as: event.principal)
    let access = try access(RecordKey(model: number, id: event.id), tx)
    if line.status == .rejected { return isAuthor ? line : nil }
    guard access.isVisible else { return nil }
    var shown = line
    var hidden: [String] = []
    let changes = event.changes.map { change -> FieldChange in
      guard model.fields.indices.contains(change.field) else { return change }
      let name = model.fields[change.field].name
      if let shown = snapshot.catalog.currentName(number, ofField: name),
        !access.hidden.contains(shown)
      {
        return change
      }
      hidden.append(name)
      return FieldChange(field: change.field, operation: .set(.null))
    }
    let author =
      isAuthor
      ? event.principal
      : Principal(
        provider: event.principal.provider,
        subject: access.isOwnerHidden ? nil : event.principal.subject)
    shown.event = Event(
      stamp: event.stamp, kind: event.kind, model: event.model, id: event.id, principal: author,
      changes: changes)
    shown.hidden = hidden
    return shown
  }

  /// Values of a record's fields by name, those that may not be read as null.
  func members(_ members: [Value.Member], _ access: Access) -> [Value.Member] {
    members.map { access.hidden.contains($0.name) ? Value.Member($0.name, .null) : $0 }
  }
}

extension Snapshot {
  /// The record's state; where it does not exist, the one that it had when it last did; `nil` where it
  /// never has.
  func lastState(_ key: RecordKey, _ tx: borrowing ReadTransaction) throws -> RecordState? {
    guard let row = try tables.row(key, catalog, tx) else { return nil }
    if row.state.exists { return row.state }
    let rules = catalog.mergeRules(key.model)
    var state = RecordState()
    var last: RecordState?
    var folded: [FoldEvent] = []
    for event in try tables.foldEvents(row.head, header, catalog, tx) {
      folded.append(event)
      if state.apply(event, rules) == .needsFold { state = RecordState.fold(folded, rules) }
      if state.exists { last = state }
    }
    return last
  }
}
