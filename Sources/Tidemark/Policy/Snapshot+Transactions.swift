internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB

extension Snapshot {
  /// Calls `body` with every transaction whose payload is here, in the order of the log: with what was
  /// decided of it, those that were refused included.
  /// - Parameter unknown: told how many events there are whose payload is not here, or not all of it.
  func forEachTransaction(
    _ tx: borrowing ReadTransaction, _ body: (JudgedTransaction) throws -> Void,
    unknown: (Int) -> Void
  ) throws {
    let replicas = try tables.replicaStates(tx)
    let hasClamps = try tx.count(tables.clamps) > 0
    var contexts: [ReplicaID: VersionVector] = [:]
    func raise(_ replica: ReplicaID, _ change: VersionVector) -> VersionVector {
      if !change.isEmpty { contexts[replica, default: VersionVector()].formUnion(change) }
      return contexts[replica] ?? VersionVector()
    }
    try tx.forEach(tables.log, from: 0) { lsn, value in
      switch try LogEntry(value, lsn: lsn) {
      case .transaction(let entry):
        let header = entry.transaction.header
        if self.header.withdrawalCount > 0, try tables.position(header.firstDot, tx) != lsn {
          return true
        }
        let context = raise(header.replica, header.contextChange)
        guard let resolved = catalog.resolved(header.schema) else { return true }
        let events = try entry.transaction.events()
        let reasons = try self.reasons(header, tx)
        let isDecided = header.firstSeq <= replicas[header.replica]?.decidedThrough ?? 0
        try body(
          JudgedTransaction(
            replica: header.replica, firstSeq: header.firstSeq, resolved: resolved, events: events,
            lsn: lsn, effective: hasClamps ? try effective(header, events, tx) : [],
            context: context,
            was: !reasons.isEmpty ? .rejected : isDecided ? .accepted : .pending,
            wasReasons: reasons))
      case .rejection(let rejection):
        // Where the log holds the events, they were judged in their place.
        guard try tables.position(rejection.dot(0), tx) == lsn else { return true }
        let context = raise(rejection.replica, rejection.contextChange)
        guard let bytes = try tables.quarantine(lsn, tx),
          let resolved = catalog.resolved(rejection.schema)
        else {
          unknown(rejection.reasons.count)
          return true
        }
        try body(
          JudgedTransaction(
            replica: rejection.replica, firstSeq: rejection.firstSeq, resolved: resolved,
            events: try TransactionReader(bytes.rawBytes).events(), lsn: nil, effective: [],
            context: context, was: .rejected, wasReasons: rejection.reasons))
      case .portion(let entry):
        // Nothing is judged by halves.
        _ = raise(entry.portion.header.replica, entry.portion.header.contextChange)
        unknown(entry.portion.header.eventCount)
      case .acceptance, .withdrawal, .adoption: break
      }
      return true
    }
  }

  /// Why a transaction that the log holds is void; empty where it is not.
  private func reasons(
    _ transaction: TransactionHeader, _ tx: borrowing ReadTransaction
  ) throws -> [Reason] {
    guard header.tombstoneCount > 0, let lsn = try tables.tombstone(transaction.firstDot, tx) else {
      return []
    }
    return try tables.withEntry(holding: lsn, tx) { entry, _ in
      if case .rejection(let rejection) = entry { rejection.reasons } else { [] }
    }
  }

  private func effective(
    _ transaction: TransactionHeader, _ events: [Event], _ tx: borrowing ReadTransaction
  ) throws -> [Stamp] {
    try events.indices.map {
      try tables.effectiveStamp(transaction.dot($0), events[$0].stamp, tx)
    }
  }
}

extension JudgedTransaction {
  /// The verdicts that are others than they were.
  /// - Parameter now: what the current rules say, for what waits.
  func changes(
    _ verdict: TransactionVerdict, now present: TransactionVerdict?, _ catalog: Catalog
  ) -> [VerdictChange] {
    let wouldBeAccepted = verdict.refused == nil
    let wasAccepted: Bool
    var reasons = wasReasons
    switch was {
    case .accepted: wasAccepted = true
    case .rejected: wasAccepted = false
    case .pending:
      wasAccepted = present?.refused == nil
      if let refused = present?.refused {
        reasons = events.indices.map { Reason(refused.denial, at: refused.index, for: $0) }
      }
    }
    guard wasAccepted != wouldBeAccepted else { return [] }
    return events.indices.map { index in
      VerdictChange(
        dot: dot(index), transactionDot: dot(0), kind: events[index].kind,
        model: resolved.schema.model(at: events[index].model)?.name ?? "",
        id: events[index].id, principal: events[index].principal, was: was,
        wasReason: reasons.indices.contains(index) ? reasons[index] : nil,
        now: wouldBeAccepted ? .accepted : .rejected,
        reason: verdict.refused.map { Reason($0.denial, at: $0.index, for: index) },
        allowedBy: verdict.rules.indices.contains(index) ? verdict.rules[index] : nil)
    }
  }
}
