internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

/// What of a log's transactions goes to a store that asks for principals: what `log` would show them.
struct ReadFilter {
  private let snapshot: Snapshot
  private let principal: Principal
  private let lines: LogLines
  private var readership: Readership
  /// By model number: whether every record is readable whole, whatever it holds.
  private let isOpen: [Bool]
  /// By model number: whether what may be read depends on the record.
  private let isByRecord: [Bool]
  /// Whether all of the current schema's models are open.
  private let isAllOpen: Bool

  init(
    _ snapshot: Snapshot, _ principals: [Principal], _ tx: borrowing ReadTransaction
  ) throws {
    self.snapshot = snapshot
    principal = Principal(credentials: principals.flatMap(\.credentials)) ?? .anonymous
    lines = try LogLines(snapshot, tx)
    readership = Readership(snapshot, principal, .sync)
    let catalog = snapshot.catalog
    var isOpen = [Bool](repeating: false, count: catalog.modelNames.count)
    var isByRecord = isOpen
    for number in isOpen.indices {
      guard let place = catalog.currentPlace(number) else { continue }
      let access = catalog.policy.readAccess(
        model: place, operation: .sync, credentials: principal.credentials, stored: nil)
      isOpen[number] = access.isVisible && access.hiddenFields.isEmpty
      isByRecord[number] = !isOpen[number] && (access.isVisible || access.isUnknown)
    }
    self.isOpen = isOpen
    self.isByRecord = isByRecord
    isAllOpen = catalog.current.models.allSatisfy { isOpen[$0] }
  }

  /// A decided transaction, as far as the principals may read it.
  mutating func item(
    _ transaction: borrowing TransactionReader, _ decision: DecisionRecord,
    _ tx: borrowing ReadTransaction
  ) throws -> LogItem {
    let header = transaction.header
    let isVoid =
      try snapshot.header.tombstoneCount > 0
      && snapshot.tables.tombstone(header.firstDot, tx) != nil
    let isPlain = header.principals.allSatisfy { shown($0, isOwnerHidden: false) == $0 }
    if isAllOpen, isPlain, !isVoid, header.schema == snapshot.catalog.current.version {
      return .transaction(transaction.bytes.toArray(), decision: decision)
    }
    let events = try transaction.events()
    var entries: [Portion.Entry] = []
    if let resolved = snapshot.catalog.resolved(header.schema) {
      for (index, event) in events.enumerated() {
        guard let shown = try shown(event, resolved, isVoid: isVoid, tx) else { continue }
        entries.append(Portion.Entry(index: index, event: shown))
      }
    }
    if entries.count == events.count, zip(entries, events).allSatisfy({ $0.event == $1 }) {
      return .transaction(transaction.bytes.toArray(), decision: decision)
    }
    return .portion(
      Portion(
        header: TransactionHeader(
          replica: header.replica, firstSeq: header.firstSeq, eventCount: header.eventCount,
          schema: header.schema, firstStamp: header.firstStamp,
          contextChange: header.contextChange, label: entries.isEmpty ? nil : header.label,
          cites: entries.isEmpty ? nil : header.cites, principals: []),
        hash: transaction.hash, lastStamp: events.last?.stamp ?? header.firstStamp,
        entries: entries),
      decision: decision)
  }

  /// A tombstone without what it tells of others: their reasons and labels are their authors'.
  func rejection(
    _ rejection: RejectionEntry, _ lsn: UInt64, _ tx: borrowing ReadTransaction
  ) throws -> RejectionEntry {
    let authors = try lines.payload(rejection, lsn, tx).map(\.principal)
    if authors.contains(where: { principal.isSamePerson(as: $0) }) { return rejection }
    // Nobody can tell who is anonymous; the store that wrote it learns which rule it was.
    let isAnonymous = !authors.isEmpty && authors.allSatisfy { !$0.isSomebody }
    return RejectionEntry(
      replica: rejection.replica, firstSeq: rejection.firstSeq, hash: rejection.hash,
      lastStamp: rejection.lastStamp, schema: rejection.schema,
      contextChange: rejection.contextChange, decision: rejection.decision, label: nil,
      reasons: rejection.reasons.map {
        isAnonymous
          ? Reason(code: $0.code, rule: $0.rule, message: "")
          : Reason(code: Reason.withheldCode, rule: nil, message: "")
      })
  }

  private mutating func shown(
    _ event: Event, _ resolved: Catalog.Resolved, isVoid: Bool, _ tx: borrowing ReadTransaction
  ) throws -> Event? {
    let key = try snapshot.catalog.key(event, resolved)
    // What was refused is its author's alone.
    if isVoid { return principal.isSamePerson(as: event.principal) ? event : nil }
    var access = Readership.Access(isVisible: true)
    if !isOpen[key.model] { access = try readership.access(key, tx) }
    guard access.isVisible else { return nil }
    let fields = resolved.fields[event.model]
    let current = snapshot.catalog.model(key.model)
    let changes = event.changes.filter { change in
      guard fields.indices.contains(change.field),
        let place = snapshot.catalog.currentPlace(key.model, fields[change.field]),
        let name = current?.fields[place].name
      else { return false }
      return !access.hidden.contains(name)
    }
    return Event(
      stamp: event.stamp, kind: event.kind, model: event.model, id: event.id,
      principal: shown(event.principal, isOwnerHidden: access.isOwnerHidden), changes: changes)
  }

  /// Of another author no more than who it is.
  private func shown(_ author: Principal, isOwnerHidden: Bool) -> Principal {
    if principal.isSamePerson(as: author) { return author }
    return Principal(provider: author.provider, subject: isOwnerHidden ? nil : author.subject)
  }

  // MARK: Review

  /// The records of which a principal may read other events or fields than at some time after an lsn.
  mutating func changed(
    since asOf: UInt64, _ tx: borrowing ReadTransaction
  ) throws -> Set<UInt64> {
    var seen: Set<RecordKey> = []
    var lsns: Set<UInt64> = []
    guard isByRecord.contains(true) || snapshot.header.tombstoneCount > 0 else { return [] }
    try tx.forEach(snapshot.tables.log, from: asOf + 1) { lsn, value in
      for key in try keys(LogEntry(value, lsn: lsn), tx)
      where isByRecord[key.model] && seen.insert(key).inserted {
        guard try hasChanged(key, since: asOf, tx),
          let row = try snapshot.tables.row(key, snapshot.catalog, tx)
        else { continue }
        for event in try snapshot.tables.chain(row.head, snapshot.header, tx) {
          lsns.insert(try snapshot.tables.withEntry(holding: event.lsn, tx) { _, first in first })
        }
      }
      return true
    }
    // Which of its events are void is no matter of the record.
    try tx.forEach(snapshot.tables.log, from: asOf + 1) { lsn, value in
      guard case .rejection(let rejection) = try LogEntry(value, lsn: lsn),
        let held = try snapshot.tables.position(rejection.dot(0), tx), held != lsn
      else { return true }
      lsns.insert(try snapshot.tables.withEntry(holding: held, tx) { _, first in first })
      return true
    }
    return lsns
  }

  /// The records that an entry is about, as far as the log holds its events.
  private func keys(
    _ entry: borrowing LogEntry, _ tx: borrowing ReadTransaction
  ) throws -> [RecordKey] {
    switch entry {
    case .transaction(let entry):
      guard let resolved = snapshot.catalog.resolved(entry.transaction.header.schema) else {
        return []
      }
      return try entry.transaction.events().map { try snapshot.catalog.key($0, resolved) }
    case .rejection(let rejection):
      var keys: [RecordKey] = []
      for index in rejection.reasons.indices {
        guard let lsn = try snapshot.tables.position(rejection.dot(index), tx),
          let event = try? snapshot.tables.event(lsn, tx),
          let resolved = snapshot.catalog.resolved(event.header.schema)
        else { continue }
        keys.append(try snapshot.catalog.key(event.event, resolved))
      }
      return keys
    case .acceptance, .withdrawal, .adoption, .portion: return []
    }
  }

  /// Whether what of a record may be read was ever other than now, since an lsn.
  private mutating func hasChanged(
    _ key: RecordKey, since asOf: UInt64, _ tx: borrowing ReadTransaction
  ) throws -> Bool {
    let now = try readership.access(key, tx)
    guard let row = try snapshot.tables.row(key, snapshot.catalog, tx) else { return false }
    let rules = snapshot.catalog.mergeRules(key.model)
    var folded: [FoldEvent] = []
    var state = RecordState()
    var last: RecordState?
    func isOther() -> Bool {
      (last.map { readership.access(key.model, $0) } ?? Readership.Access()) != now
    }
    var isSince = false
    for logged in try snapshot.tables.chain(row.head, snapshot.header, tx) {
      if let tombstone = try snapshot.tables.tombstone(logged.dot, tx) {
        if tombstone > asOf { return true }
        continue
      }
      guard let event = try snapshot.tables.foldEvent(logged, snapshot.catalog, tx) else {
        continue
      }
      if logged.lsn > asOf, !isSince {
        isSince = true
        if !folded.isEmpty, isOther() { return true }
      }
      folded.append(event)
      if state.apply(event, rules) == .needsFold { state = RecordState.fold(folded, rules) }
      if state.exists { last = state }
      if isSince, isOther() { return true }
    }
    return false
  }
}

extension Catalog {
  /// Whether an app's own function says what may be read: it may say otherwise whenever it is asked.
  var asksForReading: Bool {
    current.schema.models.contains { model in
      (model.rules + model.fields.flatMap { $0.rules ?? [] }).contains { $0.allow == .custom }
    }
  }
}
