public import TidemarkEvents
internal import TidemarkLMDB

extension Store {
  /// Calls `body` with the lines of the log in the order in which this log took them, until it
  /// returns false.
  /// - Parameter principal: only what the rules let this principal read, by the record as it is now or
  ///   last was; what was refused only where it is the principal's own.
  /// - Complexity: O(entries after `query.afterLSN`); for a principal O(the record's events) more for
  ///   each record that is gone.
  public func forEachLogLine(
    _ query: LogQuery = LogQuery(), as principal: Principal? = nil,
    _ body: (LogLine) throws -> Bool
  ) throws(StoreError) {
    try read { tx, snapshot in
      let lines = try LogLines(snapshot, tx)
      var readership = principal.map { Readership(snapshot, $0, .sync) }
      try tx.withCursor(snapshot.tables.log) { cursor -> Void in
        var isThere = try cursor.seek(atOrBefore: query.afterLSN + 1)
        if !isThere { isThere = try cursor.first() }
        while isThere {
          let lsn = try cursor.integerKey
          for line in try lines.lines(LogEntry(cursor.value, lsn: lsn), lsn, tx)
          where line.lsn > query.afterLSN && query.matches(line, snapshot.catalog) {
            var line = line
            if readership != nil {
              guard let shown = try readership?.line(line, tx) else { continue }
              line = shown
            }
            guard try body(line) else { return }
          }
          isThere = try cursor.next()
        }
      }
    }
  }

  /// The line of one event: where the log holds it, its own; else its tombstone's.
  /// - Throws: `StoreError` `notFound`, also for one that the principal may not read.
  public func logLine(_ dot: Dot, as principal: Principal? = nil) throws(StoreError) -> LogLine {
    try read { tx, snapshot in try snapshot.line(dot, as: principal, tx) }
  }

  /// The lsn after the log's last.
  public var nextLSN: UInt64 {
    get throws(StoreError) { try read { _, snapshot in snapshot.header.nextLSN } }
  }
}

extension Snapshot {
  /// The line of one event, as a principal may read it.
  func line(
    _ dot: Dot, as principal: Principal?, _ tx: borrowing ReadTransaction
  ) throws -> LogLine {
    let missing = StoreError(.notFound, "the log holds no event \(dot)")
    guard let lsn = try tables.position(dot, tx) else { throw missing }
    let line = try LogLines(self, tx).line(lsn, tx)
    guard let principal else { return line }
    var readership = Readership(self, principal, .get)
    guard let shown = try readership.line(line, tx) else { throw missing }
    return shown
  }
}

/// Makes lines of entries.
struct LogLines {
  private let snapshot: Snapshot
  private let replicas: [ReplicaID: ReplicaState]

  init(_ snapshot: Snapshot, _ tx: borrowing ReadTransaction) throws {
    self.snapshot = snapshot
    replicas = try snapshot.tables.replicaStates(tx)
  }

  func line(_ lsn: UInt64, _ tx: borrowing ReadTransaction) throws -> LogLine {
    let lines = try snapshot.tables.withEntry(holding: lsn, tx) { entry, first -> [LogLine] in
      try self.lines(entry, first, tx)
    }
    guard let line = lines.first(where: { $0.lsn == lsn }) else {
      throw CodecError(.malformed, "log entry \(lsn)")
    }
    return line
  }

  /// One line for each event or dot of an entry; none for an entry that only decides.
  func lines(
    _ entry: borrowing LogEntry, _ lsn: UInt64, _ tx: borrowing ReadTransaction
  ) throws -> [LogLine] {
    switch entry {
    case .transaction(let entry):
      let header = entry.transaction.header
      if snapshot.header.withdrawalCount > 0,
        try snapshot.tables.position(header.firstDot, tx) != lsn
      {
        return []
      }
      var transaction = entry.transaction
      var lines: [LogLine] = []
      while let event = try transaction.next() {
        let index = lines.count
        lines.append(
          try line(
            event, header, header.dot(index), lsn + UInt64(index), entry.decision, tx))
      }
      return lines
    case .portion(let entry):
      return try lines(entry, lsn, tx)
    case .rejection(let rejection):
      let payload = try payload(rejection, lsn, tx)
      return try rejection.reasons.indices.map { index in
        try tombstone(rejection, index, lsn, payload, tx)
      }
    case .acceptance, .withdrawal, .adoption: return []
    }
  }

  /// One line for each event of a portion; of this store's own it has all.
  private func lines(
    _ entry: PortionEntry, _ lsn: UInt64, _ tx: borrowing ReadTransaction
  ) throws -> [LogLine] {
    let whole = try entry.original.map { try TransactionReader($0.rawBytes).events() }
    let header = entry.portion.header
    return try (0..<header.eventCount).map { index in
      try line(
        whole?[index] ?? entry.portion.event(at: index), header, header.dot(index),
        lsn + UInt64(index), entry.decision, tx)
    }
  }

  private func line(
    _ event: Event?, _ header: TransactionHeader, _ dot: Dot, _ lsn: UInt64,
    _ ownDecision: DecisionRecord?, _ tx: borrowing ReadTransaction
  ) throws -> LogLine {
    let tables = snapshot.tables
    let isDecided = dot.seq <= replicas[dot.replica]?.decidedThrough ?? 0
    var rejection: (RejectionEntry, Int)?
    if snapshot.header.tombstoneCount > 0, let lsn = try tables.tombstone(dot, tx) {
      rejection = try self.rejection(lsn, tx)
    }
    let decision =
      try rejection?.0.decision ?? ownDecision ?? (isDecided ? tables.acceptance(dot, tx) : nil)
    // Of what is withheld, no more is known than when its transaction began.
    let stamp = event?.stamp ?? header.firstStamp
    let effective = try tables.effectiveStamp(dot, stamp, tx)
    return LogLine(
      lsn: lsn, dot: dot, isTombstone: false, event: event,
      model: event.flatMap {
        snapshot.catalog.resolved(header.schema)?.schema.model(at: $0.model)
      },
      schema: header.schema, stamp: stamp, effective: effective == stamp ? nil : effective,
      context: try tables.context(dot, tx), transaction: header.label ?? "\(header.firstDot)",
      cites: header.cites, transactionDot: header.firstDot,
      status: rejection != nil ? .rejected : isDecided ? .accepted : .pending,
      reason: rejection.map { $0.0.reasons[$0.1] }, policy: decision?.policy,
      authority: decision?.authority, decided: decision?.stamp)
  }

  private func rejection(
    _ lsn: UInt64, _ tx: borrowing ReadTransaction
  ) throws -> (RejectionEntry, Int)? {
    try snapshot.tables.withEntry(holding: lsn, tx) { entry, first in
      guard case .rejection(let rejection) = entry,
        lsn - first < UInt64(rejection.reasons.count)
      else { return nil }
      return (rejection, Int(lsn - first))
    }
  }

  private func tombstone(
    _ rejection: RejectionEntry, _ index: Int, _ lsn: UInt64, _ payload: [Event],
    _ tx: borrowing ReadTransaction
  ) throws -> LogLine {
    let dot = rejection.dot(index)
    let event = payload.indices.contains(index) ? payload[index] : nil
    return LogLine(
      lsn: lsn + UInt64(index), dot: dot, isTombstone: true, event: event,
      model: event.flatMap {
        snapshot.catalog.resolved(rejection.schema)?.schema.model(at: $0.model)
      },
      schema: rejection.schema, stamp: rejection.decision.stamp, effective: nil,
      context: try snapshot.tables.context(dot, tx),
      transaction: rejection.label ?? "\(rejection.dot(0))", transactionDot: rejection.dot(0),
      status: .rejected,
      reason: rejection.reasons[index], policy: rejection.decision.policy,
      authority: rejection.decision.authority, decided: rejection.decision.stamp)
  }

  /// The rejected events, where this store has them: its own in its log, others' in quarantine.
  func payload(
    _ rejection: RejectionEntry, _ lsn: UInt64, _ tx: borrowing ReadTransaction
  ) throws -> [Event] {
    if let bytes = try snapshot.tables.quarantine(lsn, tx) {
      return try TransactionReader(bytes.rawBytes).events()
    }
    guard let held = try snapshot.tables.position(rejection.dot(0), tx), held != lsn else {
      return []
    }
    return try snapshot.tables.withEntry(holding: held, tx) { entry, _ in
      switch entry {
      case .transaction(let entry): return try entry.transaction.events()
      case .portion(let entry):
        return try entry.original.map { try TransactionReader($0.rawBytes).events() } ?? []
      case .rejection, .acceptance, .withdrawal, .adoption: return []
      }
    }
  }
}

extension Tables {
  func quarantine(
    _ lsn: UInt64, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> [UInt8]? {
    try tx.get(quarantine, lsn)?.toArray()
  }
}
