public import TidemarkEvents
internal import TidemarkLMDB

/// What becomes of a user's pending work when they sign out of a device.
public enum SignOutMode: Sendable {
  /// It is taken out of the log and kept, unseen, until they sign in again. Nobody else sends, judges
  /// or sees it.
  case keep
  /// Somebody else submits it as their own, judged as theirs; only with both users' consent.
  case handOver(to: Principal)
  /// It is given up; the receipt holds what it was.
  case discard
}

/// What a sign-out did to a user's pending work.
public struct SignOutReceipt: Sendable {
  public let principal: Principal
  /// Events that were pending, and are so no more.
  public let eventCount: Int
  /// What they asked for, a list for each transaction.
  public let operations: [[Operation]]
  /// The dots under which they go on, where they were handed over.
  public let dots: [Dot]
}

/// One principal's work on a device that no authority has decided.
public struct WaitingWork: Sendable, Hashable {
  public let principal: Principal
  public internal(set) var eventCount: Int
  /// True where it is kept for a user who has signed out; else it is in the log.
  public let isKept: Bool
}

extension Store {
  /// Signs a user out of this device: their pending work leaves the log, in one commit.
  ///
  /// A transaction that several principals share goes with the one who signs out. The store goes on
  /// under a new replica id, and what is pending of others keeps its order, stamps and labels.
  /// - Throws: `StoreError` `misuse` at an authority, and for a hand-over to nobody or to oneself;
  ///   `AuthorizationError` where a device that enforces refuses what would be handed over. Then
  ///   nothing has changed.
  /// - Complexity: O(pending events + the events of their records).
  @discardableResult
  public func signOut(_ principal: Principal, _ mode: SignOutMode) throws -> SignOutReceipt {
    guard role == .device else {
      throw StoreError(.misuse, "an authority has no pending work; sign out on the device")
    }
    if case .handOver(let other) = mode {
      guard other.isSomebody, !other.isSamePerson(as: principal) else {
        throw StoreError(.misuse, "hand the work over to somebody else who is signed in")
      }
    }
    do {
      return try write { writer, tx in try writer.signOut(principal, mode, &tx) }
    } catch {
      // A refusal is told as one.
      throw (error.cause as? AuthorizationError) ?? error
    }
  }

  /// Signs a user in: what was kept for them is pending again, under a new replica id, with its
  /// order, stamps and labels.
  /// - Returns: how many events came back.
  /// - Throws: `StoreError` `misuse` at an authority.
  @discardableResult
  public func signIn(_ principal: Principal) throws(StoreError) -> Int {
    guard role == .device else {
      throw StoreError(.misuse, "an authority keeps no work; sign in on the device")
    }
    return try write { writer, tx in try writer.signIn(principal, &tx) }
  }

  /// What waits on this device, by principal: in the log, in the order of their first event; then
  /// what is kept for those who signed out.
  /// - Complexity: O(log entries from the first pending one on).
  public func waitingWork() throws(StoreError) -> [WaitingWork] {
    try read { tx, snapshot in
      var work: [WaitingWork] = []
      func note(_ event: Event, isKept: Bool) {
        let place = work.firstIndex {
          $0.isKept == isKept
            && ($0.principal == event.principal || $0.principal.isSamePerson(as: event.principal))
        }
        if let place {
          work[place].eventCount += 1
        } else {
          work.append(WaitingWork(principal: event.principal, eventCount: 1, isKept: isKept))
        }
      }
      if let first = try snapshot.firstPending(tx) {
        let states = try snapshot.tables.replicaStates(tx)
        try tx.forEach(snapshot.tables.log, from: first) { lsn, value in
          guard case .transaction(let entry) = try LogEntry(value, lsn: lsn) else { return true }
          let header = entry.transaction.header
          guard header.firstSeq > states[header.replica]?.decidedThrough ?? 0,
            try snapshot.tables.position(header.firstDot, tx) == lsn
          else { return true }
          for event in try entry.transaction.events() { note(event, isKept: false) }
          return true
        }
      }
      try tx.forEach(snapshot.tables.kept, from: 0) { _, value in
        for event in try KeptTransaction(value).events { note(event, isKept: true) }
        return true
      }
      return work
    }
  }
}

extension LogWriter {
  func signOut(
    _ principal: Principal, _ mode: SignOutMode, _ tx: inout WriteTransaction
  ) throws -> SignOutReceipt {
    try flushRuns(&tx)
    let (theirs, others) = try withdraw(of: principal, &tx)
    rotateReplicaOnly()
    for item in others.items { try issue(item, others.kept, &tx) }
    var dots: [Dot] = []
    let operations = try theirs.map { try self.operations($0) }
    switch mode {
    case .keep:
      var order = (try tx.lastIntegerKey(tables.kept) ?? 0)
      for item in theirs {
        order += 1
        var writer = ByteWriter()
        try KeptTransaction(item, others.kept).encode(into: &writer)
        try tx.put(tables.kept, order, writer.bytes)
      }
    case .discard: break
    case .handOver(let other):
      for transaction in operations {
        let given = transaction.map { operation in
          var operation = operation
          operation.principal = other
          return operation
        }
        let receipt = try write(given, &tx)
        if receipt.decision == .rejected { throw AuthorizationError(reasons: receipt.reasons) }
        dots += receipt.dots
      }
    }
    return SignOutReceipt(
      principal: principal, eventCount: theirs.reduce(0) { $0 + $1.events.count },
      operations: operations, dots: dots)
  }

  func signIn(_ principal: Principal, _ tx: inout WriteTransaction) throws -> Int {
    var items: [(order: UInt64, kept: KeptTransaction)] = []
    try tx.forEach(tables.kept, from: 0) { (order: UInt64, value: RawSpan) in
      let kept = try KeptTransaction(value)
      if kept.events.contains(where: { principal.isSamePerson(as: $0.principal) }) {
        items.append((order, kept))
      }
      return true
    }
    guard !items.isEmpty else { return 0 }
    items.sort { $0.kept.header.firstStamp < $1.kept.header.firstStamp }
    // Stamps rise within a replica, and these may be older than what was written since.
    rotateReplicaOnly()
    for (order, kept) in items {
      // What others wrote that it had seen may have left the log since.
      let left = kept.context.entries.map { ($0.replica, state($0.replica).seq) }
      try issue(kept.withdrawn, Dictionary(uniqueKeysWithValues: left), &tx)
      _ = try tx.delete(tables.kept, order)
    }
    return items.reduce(0) { $0 + $1.kept.events.count }
  }

  private func rotateReplicaOnly() {
    var generator = EntropyGenerator(next: entropy)
    header.replica = ReplicaID.random(using: &generator)
  }

  private struct Remaining {
    var items: [Withdrawn] = []
    /// Of each replica that lost events, the last that is left.
    var kept: [ReplicaID: UInt64] = [:]
  }

  /// Takes out of the log what is pending from a principal's first transaction on.
  private func withdraw(
    of principal: Principal, _ tx: inout WriteTransaction
  ) throws -> (theirs: [Withdrawn], others: Remaining) {
    let first = try tables.firstPending(replicas, tx)
    var pending = try withdrawals(from: first ?? header.nextLSN, &tx)
    let isTheirs = { (item: Withdrawn) in
      item.events.contains { principal.isSamePerson(as: $0.principal) }
    }
    guard let place = pending.firstIndex(where: isTheirs) else { return ([], Remaining()) }
    pending.removeSubrange(..<place)
    let kept = try withdraw(pending, &tx)
    return (
      pending.filter(isTheirs),
      Remaining(items: pending.filter { !isTheirs($0) }, kept: kept)
    )
  }

  /// What a transaction's events asked for, by names.
  private func operations(_ item: Withdrawn) throws -> [Operation] {
    guard let resolved = catalog.resolved(item.header.schema) else { return [] }
    return item.events.compactMap { event in
      guard let model = resolved.schema.model(at: event.model) else { return nil }
      return Operation(event, of: model, label: item.header.label)
    }
  }
}
