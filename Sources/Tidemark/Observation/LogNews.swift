internal import TidemarkEvents
internal import TidemarkLMDB

/// Why a record changed.
public enum ChangeCause: Hashable, Sendable {
  /// This store wrote it.
  case local
  /// It came from another store.
  case remote
  /// An authority refused what this store or another had written, and it is undone.
  case undone(Reason)
}

/// What one entry of the log did to the view.
enum LogNews {
  struct Change {
    /// Of the entry, and of the event or tombstone in it.
    let entryLSN: UInt64
    let lsn: UInt64
    let dot: Dot
    let stamp: Stamp
    let kind: EventKind
    let key: RecordKey
    /// This store's numbers of the fields that the event gives.
    let fields: [Int]
    let cause: ChangeCause
  }

  case change(Change)
  /// Events of this store have left the log, or it has another schema: anything may have changed.
  case everything
  /// An authority has decided on events of this store that stay as they are.
  case decided
}

extension StoreSnapshot {
  /// Behind the last entry.
  borrowing func nextLSN() throws -> UInt64 {
    let header = try rows.tables.storeHeader(transaction)
    let stored = header?.nextLSN ?? 1
    return rows.view.isEmpty ? stored : max(stored, rows.view.visibleLSN)
  }

  /// The first entry behind the one that holds an lsn; the end for `nil`.
  /// - Complexity: O(log entries).
  borrowing func entryStart(after lsn: UInt64?) throws -> UInt64 {
    let end = try nextLSN()
    guard let lsn, lsn < end else { return end }
    var start = lsn + 1
    try forEachEntry(from: lsn + 1) { _, found in
      start = found
      return false
    }
    return start
  }

  /// Calls `body` with what the entries from an lsn on did, in the order of the log, until it returns
  /// false.
  /// - Parameter lsn: of an entry, or behind the last.
  /// - Complexity: O(entries + events); O(log) where events have left it.
  borrowing func forEachNews(
    from lsn: UInt64, _ body: (LogNews) throws -> Bool
  ) throws {
    let own = try ownReplicas()
    try forEachEntry(from: lsn) { entry, lsn in
      switch entry {
      case .transaction(let entry): try news(entry, lsn, own, body)
      case .rejection(let entry): try news(entry, lsn, body)
      case .portion(let entry): try news(entry, lsn, body)
      case .acceptance: try body(.decided)
      case .withdrawal, .adoption: try body(.everything)
      }
    }
  }

  private borrowing func ownReplicas() throws -> Set<ReplicaID> {
    let states = try rows.tables.replicaStates(transaction)
    var own = Set(states.lazy.filter { $0.value.isOwn }.map(\.key))
    // Its first events may not be in LMDB yet.
    if let header = try rows.tables.storeHeader(transaction) { own.insert(header.replica) }
    return own
  }

  private borrowing func news(
    _ entry: borrowing TransactionEntry, _ lsn: UInt64, _ own: Set<ReplicaID>,
    _ body: (LogNews) throws -> Bool
  ) throws -> Bool {
    let header = entry.transaction.header
    guard let resolved = rows.catalog.resolved(header.schema) else { return try body(.everything) }
    let cause: ChangeCause = own.contains(header.replica) ? .local : .remote
    var offset = entry.transaction.eventsOffset
    for index in 0..<header.eventCount {
      let event = try EventReader(entry.transaction.bytes, index: index, offset: offset)
      offset = event.endOffset
      let change = try change(event, resolved, entry: lsn, index, cause)
      guard try change.map({ try body(.change($0)) }) ?? true else { return false }
    }
    return true
  }

  /// What of another's transaction this store may read.
  private borrowing func news(
    _ entry: PortionEntry, _ lsn: UInt64, _ body: (LogNews) throws -> Bool
  ) throws -> Bool {
    let header = entry.portion.header
    guard let resolved = rows.catalog.resolved(header.schema) else { return try body(.everything) }
    for item in entry.portion.entries {
      let change = LogNews.Change(
        entryLSN: lsn, lsn: lsn + UInt64(item.index), dot: header.dot(item.index),
        stamp: item.event.stamp, kind: item.event.kind,
        key: try rows.catalog.key(item.event, resolved),
        fields: try rows.catalog.changes(item.event, resolved).map(\.field), cause: .remote)
      guard try body(.change(change)) else { return false }
    }
    return true
  }

  /// A tombstone: the events that it names, where this log holds them.
  private borrowing func news(
    _ entry: RejectionEntry, _ lsn: UInt64, _ body: (LogNews) throws -> Bool
  ) throws -> Bool {
    let own = lsn..<lsn + UInt64(entry.reasons.count)
    for (index, reason) in entry.reasons.enumerated() {
      guard let position = try rows.tables.position(entry.dot(index), transaction),
        !own.contains(position)
      else { continue }
      guard let logged = try rows.tables.link(position, transaction).event,
        let resolved = rows.catalog.resolved(logged.header.schema)
      else { continue }
      let change = LogNews.Change(
        entryLSN: lsn, lsn: lsn + UInt64(index), dot: logged.dot, stamp: logged.event.stamp,
        kind: logged.event.kind, key: try rows.catalog.key(logged.event, resolved),
        fields: try rows.catalog.changes(logged.event, resolved).map(\.field),
        cause: .undone(reason))
      guard try body(.change(change)) else { return false }
    }
    return try body(.decided)
  }

  private borrowing func change(
    _ event: borrowing EventReader, _ resolved: Catalog.Resolved, entry lsn: UInt64,
    _ index: Int, _ cause: ChangeCause
  ) throws -> LogNews.Change? {
    guard resolved.models.indices.contains(event.model) else { return nil }
    var fields: [Int] = []
    var changes = copy event
    while let place = try changes.nextField() {
      if resolved.fields[event.model].indices.contains(place) {
        fields.append(resolved.fields[event.model][place])
      }
      _ = try changes.operationBytes()
    }
    var key = ByteWriter(capacity: 64)
    key.append(bigEndian: UInt16(truncatingIfNeeded: resolved.models[event.model]))
    key.append((event.isPacked ? 0 : 1) as UInt8)
    key.append(event.id)
    return LogNews.Change(
      entryLSN: lsn, lsn: lsn + UInt64(index), dot: event.dot, stamp: event.stamp, kind: event.kind,
      key: try RecordKey(key.bytes), fields: fields, cause: cause)
  }

  /// Calls `body` with the entries from an lsn on, until it returns false: those of LMDB, then those of
  /// the tail.
  private borrowing func forEachEntry(
    from lsn: UInt64, _ body: (borrowing LogEntry, UInt64) throws -> Bool
  ) throws {
    var next = lsn
    var goesOn = true
    try transaction.forEach(rows.tables.log, from: lsn) { lsn, value in
      next = lsn + 1
      goesOn = try body(LogEntry(value, lsn: lsn), lsn)
      return goesOn
    }
    for segment in rows.view.segments.reversed() where goesOn && next < rows.view.visibleLSN {
      let range = next..<rows.view.visibleLSN
      for entry in rows.tail.locked({ segment.entries(range) }) where goesOn {
        next = entry.lsn + 1
        goesOn = try segment.withBytes(entry) { bytes in
          try body(LogEntry(bytes, lsn: entry.lsn), entry.lsn)
        }
      }
    }
  }
}
