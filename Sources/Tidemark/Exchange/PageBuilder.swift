internal import TidemarkEvents
internal import TidemarkLMDB

/// Collects a page's items.
struct PageBuilder {
  private let snapshot: Snapshot
  private let peer: PeerKnowledge
  private(set) var items: [LogItem] = []
  private(set) var end: LogCursor?
  private(set) var isLast = true
  var submission: Submission?
  /// What the other may read; `nil` for all.
  private var filter: ReadFilter?
  /// For a device that asks for principals: for whom, by what and as of when its log was judged.
  private(set) var reading: ReadingState?
  private(set) var progress: ReviewProgress?
  /// What this store holds a portion of, and the other lacks.
  private(set) var withheldFrom: Dot?
  private var byteCount = 0
  private let replicas: [ReplicaID: ReplicaState]

  init(
    _ snapshot: Snapshot, _ peer: PeerKnowledge, _ replicas: [ReplicaID: ReplicaState],
    _ tx: borrowing ReadTransaction
  ) throws {
    self.snapshot = snapshot
    self.peer = peer
    self.replicas = replicas
    if peer.role == .device, let principals = peer.reader?.principals {
      filter = try ReadFilter(snapshot, principals, tx)
    }
  }

  private var isFull: Bool { byteCount >= snapshot.tables.tuning.pageByteCount }

  /// Judges anew what the other holds, as far as a page goes.
  /// - Parameter before: how far the pages before have.
  /// - Parameter isValid: whether the other has taken this very log so far.
  /// - Returns: whether all of it has been judged.
  mutating func review(
    after before: ReviewProgress?, isValid: Bool, _ tx: borrowing ReadTransaction
  ) throws -> Bool {
    // What a device was given is an authority's to judge.
    guard let reader = peer.reader, peer.role == .device, snapshot.header.role == .authority else {
      return true
    }
    let end = snapshot.header.nextLSN - 1
    let policy = snapshot.catalog.current.version
    let isChanged =
      isValid && reader.policy == policy && before.map { $0.policy == policy } ?? true
      && !snapshot.catalog.asksForReading
    var progress =
      before.flatMap { $0.policy == policy ? $0 : nil }
      ?? ReviewProgress(
        asOf: end, policy: policy, isFull: !isChanged || reader.asOf.map { $0 > end } ?? true)
    reading = ReadingState(
      fingerprint: ReadingState.fingerprint(reader.principals), policy: policy,
      asOf: progress.asOf)
    defer { self.progress = progress }
    if progress.isDone { return true }
    if let asOf = reader.asOf, !progress.isFull {
      let changed = try filter?.changed(since: asOf, tx) ?? []
      for lsn in changed.sorted() where lsn > progress.lsn {
        if isFull { break }
        try snapshot.tables.withEntry(holding: lsn, tx) { entry, _ in
          try review(entry, all: true, reader, tx)
        }
        progress.lsn = lsn
      }
    } else {
      try tx.forEach(snapshot.tables.log, from: progress.lsn + 1) { lsn, value in
        if isFull { return false }
        try review(LogEntry(value, lsn: lsn), all: false, reader, tx)
        progress.lsn = lsn
        return true
      }
    }
    isLast = !isFull
    progress.isDone = isLast
    return isLast
  }

  /// Gives a transaction that the other holds once more.
  /// - Parameter all: also where it is whole here and, by what the other says, there.
  private mutating func review(
    _ entry: borrowing LogEntry, all: Bool, _ reader: ReaderKnowledge,
    _ tx: borrowing ReadTransaction
  ) throws {
    switch entry {
    case .transaction(let entry):
      let header = entry.transaction.header
      guard let decision = entry.decision, header.lastSeq <= peer.decided[header.replica] else {
        return
      }
      let item =
        try filter?.item(entry.transaction, decision, tx)
        ?? .transaction(entry.transaction.bytes.toArray(), decision: decision)
      if case .transaction = item, !all, !reader.holdsPortion(header.firstDot) { return }
      append(item)
    case .rejection, .acceptance, .withdrawal, .adoption, .portion: return
    }
  }

  mutating func build(from start: UInt64, _ tx: borrowing ReadTransaction) throws {
    try tx.forEach(snapshot.tables.log, from: start) { lsn, value in
      guard !isFull else {
        isLast = false
        return false
      }
      switch try LogEntry(value, lsn: lsn) {
      case .transaction(let entry):
        guard
          try snapshot.header.withdrawalCount == 0
            || snapshot.tables.position(entry.transaction.header.firstDot, tx) == lsn
        else { break }
        if peer.role == .authority {
          let replica = entry.transaction.header.replica
          let lastSeq = entry.transaction.header.lastSeq
          if lastSeq > replicas[replica]?.decidedThrough ?? 0,
            submission?.admits(
              entry.transaction.header.principals, eventCount: entry.transaction.header.eventCount)
              == false
          {
            break
          }
          if submission?.isHolding == true { break }
          // What is undecided is offered even where the other holds its dots: they may be another's.
          // Of two authorities' clamps the lesser holds, so each must hear of the other's.
          let decision = snapshot.header.role == .authority ? entry.decision : nil
          if lastSeq > peer.vector[replica] || lastSeq > replicas[replica]?.decidedThrough ?? 0
            || decision?.clamps.isEmpty == false
          {
            add(entry.transaction, decision)
          }
        } else if let decision = entry.decision {
          try offer(entry.transaction, decision, tx)
        }
      case .portion(let entry):
        if try !offer(entry, tx) {
          withheldFrom = entry.portion.header.firstDot
          isLast = true
          return false
        }
      case .acceptance(let acceptance):
        if peer.role == .device { try add(acceptance, tx) }
      case .rejection where submission?.isHolding == true: break
      case .rejection(let rejection):
        append(.rejection(try filter?.rejection(rejection, lsn, tx) ?? rejection))
      case .withdrawal, .adoption: break
      }
      // What comes behind held work comes again.
      if submission?.isHolding != true {
        end = LogCursor(lsn: lsn, checksum: Snapshot.checksum(value))
      }
      return true
    }
  }

  /// A decided transaction, where that is news to the other.
  private mutating func offer(
    _ transaction: borrowing TransactionReader, _ decision: DecisionRecord,
    _ tx: borrowing ReadTransaction
  ) throws {
    let header = transaction.header
    guard header.lastSeq > peer.decided[header.replica] || !decision.clamps.isEmpty else { return }
    if let item = try filter?.item(transaction, decision, tx) {
      append(item)
    } else {
      add(transaction, decision)
    }
  }

  /// A portion goes nowhere: who lacks it gets it where it is whole. This store's own it has whole.
  /// - Returns: false where the other lacks it, and cannot be given it here.
  private mutating func offer(_ entry: PortionEntry, _ tx: borrowing ReadTransaction) throws -> Bool
  {
    let header = entry.portion.header
    let known = peer.role == .authority ? peer.vector : peer.decided
    if header.lastSeq <= known[header.replica] { return true }
    guard let original = entry.original else { return false }
    if peer.role == .authority {
      append(.transaction(original, decision: nil))
    } else if let decision = entry.decision {
      try offer(TransactionReader(original.rawBytes), decision, tx)
    }
    return true
  }

  private mutating func append(_ item: LogItem) {
    items.append(item)
    switch item {
    case .transaction(let bytes, _): byteCount += bytes.count
    case .rejection(let rejection): byteCount += 64 * rejection.reasons.count
    case .portion(let portion, _):
      byteCount += 128 + portion.entries.reduce(0) { $0 + 64 + 64 * $1.event.changes.count }
    }
  }

  private mutating func add(
    _ transaction: borrowing TransactionReader, _ decision: DecisionRecord?
  ) {
    items.append(.transaction(transaction.bytes.toArray(), decision: decision))
    byteCount += transaction.bytes.byteCount
  }

  /// Every transaction that an acceptance decides.
  private mutating func add(
    _ acceptance: AcceptanceEntry, _ tx: borrowing ReadTransaction
  ) throws {
    var seq = acceptance.firstSeq
    while seq <= acceptance.lastSeq {
      guard let lsn = try snapshot.tables.position(Dot(acceptance.replica, seq), tx) else { return }
      try snapshot.tables.withEntry(holding: lsn, tx) { entry, _ in
        switch entry {
        case .transaction(let entry):
          try offer(entry.transaction, acceptance, tx)
          seq = entry.transaction.header.lastSeq + 1
        case .portion(let entry):
          if let original = entry.original {
            try offer(TransactionReader(original.rawBytes), acceptance, tx)
          }
          seq = entry.portion.header.lastSeq + 1
        case .rejection, .acceptance, .withdrawal, .adoption: seq += 1
        }
      }
    }
  }

  private mutating func offer(
    _ transaction: borrowing TransactionReader, _ acceptance: AcceptanceEntry,
    _ tx: borrowing ReadTransaction
  ) throws {
    let header = transaction.header
    let clamps = acceptance.decision.clamps.filter {
      $0.seq >= header.firstSeq && $0.seq <= header.lastSeq
    }
    try offer(
      transaction,
      DecisionRecord(
        policy: acceptance.decision.policy, stamp: acceptance.decision.stamp,
        authority: acceptance.decision.authority, clamps: clamps), tx)
  }
}
