internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

/// What travels from one log to another.
public enum LogItem: Sendable {
  /// A transaction's bytes, with the decision of the log it comes from, if there is one.
  case transaction([UInt8], decision: DecisionRecord?)
  case rejection(RejectionEntry)
  /// What of an accepted transaction a device's principals may read; only an authority makes one.
  case portion(Portion, decision: DecisionRecord)
}

/// What became of an item.
public enum ItemOutcome: Hashable, Sendable {
  /// It was here already.
  case known
  /// Taken into the log: accepted here, or decided elsewhere.
  case taken(eventCount: Int)
  /// Refused by the rules here: its dots are void now.
  case rejected(RejectionEntry)
  /// Another log's decision that this store's own events are accepted.
  case decided(eventCount: Int)
  /// Another log's decision that these dots are void.
  case voided(eventCount: Int)
  /// Not for this store: undecided, and not this store's to decide.
  case held
  /// It was here, and this store may read more of it now.
  case disclosed(eventCount: Int)
  /// It was here, and this store may read less of it now.
  case withheld(eventCount: Int)
}

extension LogWriter {
  /// Takes an item from another log: causality, identity and chain are checked, then, at an
  /// authority, the rules; or its decision is applied.
  /// - Throws: `StoreError` with `early`, `fork`, `corrupt` or `schema`.
  func take(_ item: LogItem, _ tx: inout WriteTransaction) throws -> ItemOutcome {
    switch item {
    case .rejection(let rejection):
      return try void(rejection, &tx)
    case .portion(let portion, let decision):
      return try take(portion, decision, &tx)
    case .transaction(let bytes, let decision):
      let reader: TransactionReader
      do {
        reader = try TransactionReader(bytes.rawBytes)
      } catch {
        throw StoreError(
          error.code == .newerFormat ? .newerFormat : .corrupt,
          "a transaction that came from another store cannot be read (\(error))")
      }
      return try take(reader, decision, &tx)
    }
  }

  private func take(
    _ transaction: borrowing TransactionReader, _ decision: DecisionRecord?,
    _ tx: inout WriteTransaction
  ) throws -> ItemOutcome {
    let incoming = transaction.header
    let known = state(incoming.replica)
    if incoming.firstSeq <= known.seq {
      try checkSame(incoming.firstDot, incoming.lastSeq, transaction.hash, &tx)
      let outcome = try redecide(incoming, decision, &tx)
      guard header.portionCount > 0, outcome == .known else { return outcome }
      return try fill(transaction, &tx) ?? outcome
    }
    try checkNext(
      incoming.firstDot, change: incoming.contextChange,
      isChained: transaction.verify(after: known.head),
      &tx)
    guard header.role == .authority || decision != nil else { return .held }
    guard let resolved = catalog.resolved(incoming.schema) else {
      throw StoreError(
        .schema,
        "transaction \(incoming.firstDot) was written under schema version \(incoming.schema), which is not known here"
      )
    }
    try closeAcceptance(&tx)
    let isAuthority = header.role == .authority
    if decision?.clamps.isEmpty ?? true,
      let outcome = try takeInLine(transaction, resolved, isAuthority ? nil : decision, &tx)
    {
      return outcome
    }
    let events = try transaction.events()
    return isAuthority
      ? try accept(transaction, events, resolved, decision, &tx)
      : try receive(transaction, events, resolved, decision, &tx)
  }

  /// Takes a transaction in place.
  /// - Parameter decided: another's decision; `nil` where it is this authority's to make.
  /// - Returns: `nil` where it has to be taken as a whole; then nothing has changed.
  private func takeInLine(
    _ transaction: borrowing TransactionReader, _ resolved: Catalog.Resolved,
    _ decided: DecisionRecord?, _ tx: inout WriteTransaction
  ) throws -> ItemOutcome? {
    let incoming = transaction.header
    var context = try foreignContext(of: incoming.replica, &tx)
    context.formUnion(incoming.contextChange)
    // A decision takes as many bytes whatever it says.
    var prefix = ByteWriter(capacity: 64)
    let some = DecisionRecord(
      policy: catalog.current.version, stamp: .zero, authority: header.replica, clamps: [])
    var line = LineJudgement(
      resolved: resolved, context: context, judging: decided == nil ? .authority : .decided,
      entryLSN: header.nextLSN,
      transactionOffset: TransactionEntry.encodePrefix(decided ?? some, into: &prefix))
    guard try judgeInLine(transaction, &line, &tx) else { return nil }
    if let proposal = line.proposal, !proposal.denials.isEmpty {
      undo(line)
      let rejection = rejection(of: incoming, transaction.hash, proposal)
      try reject(rejection, payload: transaction.bytes.toArray(), &tx)
      return .rejected(rejection)
    }
    header.clock.observe(line.lastStamp)
    try append(
      transaction.bytes, incoming, transaction.hash, distances: line.distances,
      lastStamp: line.lastStamp, decision: decided ?? decision(clamps: []), isOwn: false, &tx)
    for (key, row) in line.proposal?.rows ?? [:] { set(key, row) }
    return .taken(eventCount: incoming.eventCount)
  }

  /// At an authority: judges, then accepts or rejects.
  private func accept(
    _ transaction: borrowing TransactionReader, _ events: [Event], _ resolved: Catalog.Resolved,
    _ other: DecisionRecord?, _ tx: inout WriteTransaction
  ) throws -> ItemOutcome {
    let incoming = transaction.header
    let (effective, clamps) = clamp(events, incoming, other)
    var proposal = try proposal(incoming, events, resolved, effective, &tx)
    try judge(&proposal, .authority, firstLSN: header.nextLSN, &tx)
    if !proposal.denials.isEmpty {
      let rejection = rejection(of: incoming, transaction.hash, proposal)
      try reject(rejection, payload: transaction.bytes.toArray(), &tx)
      return .rejected(rejection)
    }
    for stamp in effective { header.clock.observe(stamp) }
    try append(
      transaction.bytes, incoming, transaction.hash, proposal, decision: decision(clamps: clamps),
      isOwn: false, &tx)
    return .taken(eventCount: events.count)
  }

  /// On a device: takes what an authority has accepted.
  private func receive(
    _ transaction: borrowing TransactionReader, _ events: [Event], _ resolved: Catalog.Resolved,
    _ decision: DecisionRecord?, _ tx: inout WriteTransaction
  ) throws -> ItemOutcome {
    let incoming = transaction.header
    var effective = events.map(\.stamp)
    for clamp in decision?.clamps ?? [] where clamp.seq >= incoming.firstSeq {
      let index = Int(clamp.seq - incoming.firstSeq)
      if effective.indices.contains(index) { effective[index] = clamp.effective }
    }
    var proposal = try proposal(incoming, events, resolved, effective, &tx)
    try judge(&proposal, .decided, firstLSN: header.nextLSN, &tx)
    for stamp in effective { header.clock.observe(stamp) }
    try append(
      transaction.bytes, incoming, transaction.hash, proposal, decision: decision, isOwn: false,
      &tx)
    return .taken(eventCount: events.count)
  }

  private func proposal(
    _ incoming: TransactionHeader, _ events: [Event], _ resolved: Catalog.Resolved,
    _ effective: [Stamp], _ tx: inout WriteTransaction
  ) throws -> Proposal {
    var context = try foreignContext(of: incoming.replica, &tx)
    context.formUnion(incoming.contextChange)
    return Proposal(
      events: events, resolved: resolved, replica: incoming.replica, firstSeq: incoming.firstSeq,
      foreignContext: context, effective: effective)
  }

  /// Effective stamps: those further ahead than the drift limit are held to this authority's clock,
  /// and never put later than they were, nor than another authority put them.
  private func clamp(
    _ events: [Event], _ incoming: TransactionHeader, _ other: DecisionRecord?
  ) -> ([Stamp], [DecisionRecord.Clamp]) {
    let wall = wallMilliseconds()
    let limit = Stamp(milliseconds: wall + limits.driftMilliseconds, counter: .max)
    var effective: [Stamp] = []
    var clamps: [DecisionRecord.Clamp] = []
    for (index, event) in events.enumerated() {
      var stamp = event.stamp
      let seq = incoming.firstSeq + UInt64(index)
      if stamp > limit, let now = header.clock.tick(wallMilliseconds: wall) {
        stamp = min(stamp, now)
      }
      if let theirs = other?.clamps.first(where: { $0.seq == seq }) {
        stamp = min(stamp, theirs.effective)
      }
      if stamp < event.stamp { clamps.append(DecisionRecord.Clamp(seq: seq, effective: stamp)) }
      effective.append(stamp)
    }
    return (effective, clamps)
  }

  /// A transaction that the log holds already: perhaps its decision is news.
  func redecide(
    _ incoming: TransactionHeader, _ decision: DecisionRecord?, _ tx: inout WriteTransaction
  ) throws -> ItemOutcome {
    guard let decision, try tables.tombstone(incoming.firstDot, tx) == nil else { return .known }
    let isNews = state(incoming.replica).decidedThrough < incoming.lastSeq
    if isNews {
      if let open = openAcceptance, open.replica == incoming.replica,
        open.lastSeq + 1 == incoming.firstSeq, open.decision.policy == decision.policy,
        open.decision.authority == decision.authority
      {
        openAcceptance = AcceptanceEntry(
          replica: open.replica, firstSeq: open.firstSeq, lastSeq: incoming.lastSeq,
          decision: DecisionRecord(
            policy: decision.policy, stamp: decision.stamp, authority: decision.authority,
            clamps: open.decision.clamps + decision.clamps))
      } else {
        try closeAcceptance(&tx)
        openAcceptance = AcceptanceEntry(
          replica: incoming.replica, firstSeq: incoming.firstSeq, lastSeq: incoming.lastSeq,
          decision: decision)
      }
      change(incoming.replica) { $0.decidedThrough = incoming.lastSeq }
    }
    let clamped = try noteClamps(decision, incoming.replica, &tx)
    for key in try keys(of: clamped, &tx) { try refold(key, &tx) }
    return isNews ? .decided(eventCount: incoming.eventCount) : .known
  }

  /// The records that these dots, which the log holds, belong to, as far as that is known here.
  func keys(of dots: [Dot], _ tx: inout WriteTransaction) throws -> Set<RecordKey> {
    var keys: Set<RecordKey> = []
    if !dots.isEmpty { try flushRuns(&tx) }
    for dot in dots {
      guard let lsn = try tables.position(dot, tx), let logged = try tables.link(lsn, tx).event,
        let resolved = catalog.resolved(logged.header.schema)
      else { continue }
      keys.insert(try catalog.key(logged.event, resolved))
    }
    return keys
  }

  /// Refuses what does not come right after what the log holds.
  func checkNext(
    _ first: Dot, change: VersionVector, isChained: Bool, _ tx: inout WriteTransaction
  ) throws {
    let known = state(first.replica)
    guard first.seq == known.seq + 1 else {
      throw StoreError(
        .early,
        "\(first) came early: \(first.replica):\(known.seq + 1) to \(first.replica):\(first.seq - 1) are missing here; sync with the store that has them"
      )
    }
    for entry in change.entries where state(entry.replica).seq < entry.seq {
      throw StoreError(
        .early,
        "\(first) came early: its author had seen \(entry.replica):\(entry.seq), and this log holds \(entry.replica) up to \(state(entry.replica).seq); sync with the store that has them"
      )
    }
    guard isChained else { throw StoreError.fork(first) }
  }

  /// Refuses a transaction that has the dots of another.
  func checkSame(
    _ first: Dot, _ lastSeq: UInt64, _ hash: TransactionHash, _ tx: inout WriteTransaction
  ) throws {
    try flushRuns(&tx)
    guard let lsn = try tables.position(first, tx) else {
      throw StoreError(.corrupt, "the log has no place for \(first)")
    }
    let isSame = try tables.withEntry(holding: lsn, tx) { entry, _ in
      switch entry {
      case .transaction(let entry):
        let held = entry.transaction.header
        return held.firstSeq == first.seq && held.lastSeq == lastSeq
          && entry.transaction.hash == hash
      case .rejection(let held):
        return held.firstSeq == first.seq && held.lastSeq == lastSeq && held.hash == hash
      case .portion(let entry):
        let held = entry.portion.header
        return held.firstSeq == first.seq && held.lastSeq == lastSeq && entry.portion.hash == hash
      case .acceptance, .withdrawal, .adoption: return false
      }
    }
    guard isSame else { throw StoreError.fork(first) }
  }
}

extension StoreError {
  static func fork(_ dot: Dot) -> StoreError {
    StoreError(
      .fork,
      "\(dot) is another event here: two stores wrote under one replica id, as after a copy or a restored backup; sync the store that came second, and it goes on under a new id"
    )
  }
}
