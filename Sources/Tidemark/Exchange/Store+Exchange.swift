public import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkSchema

extension Store {
  /// What this store would tell another.
  public func knowledge() throws(StoreError) -> PeerKnowledge {
    try read { tx, snapshot in
      let states = try snapshot.tables.replicaStates(tx)
      return PeerKnowledge(
        role: snapshot.header.role,
        vector: VersionVector(states.filter { $0.value.seq > 0 }.map { ($0.key, $0.value.seq) }),
        decided: VersionVector(
          states.filter { $0.value.decidedThrough > 0 }.map { ($0.key, $0.value.decidedThrough) }),
        schemas: Set(snapshot.catalog.versions.map(\.version)))
    }
  }

  /// How far this store has taken another's log; `nil` for not at all.
  public func cursor(for logID: UInt64) throws(StoreError) -> LogCursor? {
    try read { tx, snapshot in
      guard let bytes = try tx.get(snapshot.tables.peers, ReplicaID(logID).key.rawBytes) else {
        return nil
      }
      var reader = ByteReader(bytes)
      let lsn = try reader.littleEndian(UInt64.self)
      return LogCursor(lsn: lsn, checksum: try reader.littleEndian(UInt32.self))
    }
  }

  /// The part of this log after a cursor that another store lacks: to an authority all of it, to a
  /// device what is decided.
  ///
  /// A cursor of another log, as after a restored backup, begins at the first entry again.
  /// - Parameter isContinued: true for the pages after an exchange's first, which goes back to what an
  ///   authority has to decide.
  /// - Parameter credentials: whose pending work goes to an authority; `nil` for everybody's. What is
  ///   held, and all pending work behind it, waits for the next exchange.
  /// - Complexity: O(entries after the cursor), up to a page.
  public func page(
    after cursor: LogCursor?, for peer: PeerKnowledge, isContinued: Bool = false,
    credentials: [Credential]? = nil
  ) throws(StoreError) -> LogPage {
    try read { tx, snapshot in
      var builder = PageBuilder(snapshot, peer, try snapshot.tables.replicaStates(tx))
      builder.submission = credentials.map { Submission($0, at: options.wallMilliseconds()) }
      var start = try snapshot.isValid(cursor, tx) ? (cursor?.lsn ?? 0) + 1 : 1
      if peer.role == .authority, !isContinued, let pending = try snapshot.firstPending(tx) {
        // Never past what an authority has to decide, whatever a copied store's cursor says.
        start = min(start, pending)
      }
      try builder.build(from: start, tx)
      let sources = try snapshot.sources(tx)
      let missing = zip(snapshot.catalog.versions, sources)
        .filter { !peer.schemas.contains($0.0.version) }.map(\.1)
      return LogPage(
        schemas: missing, items: builder.items, start: start,
        assumed: peer.role == .authority ? peer.vector : peer.decided, end: builder.end ?? cursor,
        isLast: builder.isLast, held: builder.submission?.held ?? [])
    }
  }

  /// Takes a page of another log, with the cursor after it, in one commit.
  ///
  /// An item that comes early or forks ends the page: what came before is taken, the cursor stays. A
  /// page that was made for another state of this store than it has now, as when one before it was lost,
  /// or a backup was brought back meanwhile, comes early as a whole: what it leaves out may be missing
  /// here.
  public func take(
    _ page: LogPage, from logID: UInt64
  ) throws(StoreError) -> PageOutcome {
    let outcome = try write { writer, tx in
      var outcome = PageOutcome()
      guard try writer.goesOn(page, from: logID, tx) else {
        outcome.failure = StoreError(
          .early, "the page was made for another state of this store; ask for it again")
        return outcome
      }
      for source in page.schemas { try writer.note(schema: source, &tx) }
      for item in page.items {
        do {
          outcome.count(try writer.take(item, &tx), item)
        } catch let error as StoreError where [.early, .fork, .schema].contains(error.code) {
          outcome.failure = error
          outcome.failedDot = item.firstDot
          return outcome
        }
      }
      if let end = page.end {
        var bytes = ByteWriter(capacity: 64)
        bytes.append(littleEndian: end.lsn)
        bytes.append(littleEndian: end.checksum)
        try tx.put(writer.tables.peers, ReplicaID(logID).key.rawBytes, bytes.bytes)
      }
      return outcome
    }
    if outcome.voidedCount > 0 { rejectionSignal.raise() }
    return outcome
  }

  /// Issues again, under a new replica id, this store's undecided events from a dot on.
  /// - Returns: the new id and how many events moved.
  /// - Throws: `StoreError` `fork` where they are decided.
  public func reissue(
    from dot: Dot
  ) throws(StoreError) -> (replica: ReplicaID, eventCount: Int) {
    try write { writer, tx in try writer.reissue(from: dot, &tx) }
  }
}

extension LogItem {
  /// The dot of its first event; `nil` for bytes that hold no transaction.
  var firstDot: Dot? {
    switch self {
    case .rejection(let rejection): rejection.dot(0)
    case .transaction(let bytes, _): try? TransactionReader(bytes.rawBytes).header.firstDot
    }
  }
}

extension PageOutcome {
  fileprivate mutating func count(_ outcome: ItemOutcome, _ item: LogItem) {
    switch outcome {
    case .known, .held: knownCount += 1
    case .taken(let count): takenCount += count
    case .rejected(let rejection): rejectedCount += rejection.reasons.count
    case .decided(let count): decidedCount += count
    case .voided(let count): voidedCount += count
    }
  }
}

extension LogWriter {
  /// True where this log holds what a page left out: all before its start, and all that it assumed.
  fileprivate func goesOn(
    _ page: LogPage, from logID: UInt64, _ tx: borrowing WriteTransaction
  ) throws -> Bool {
    var taken: UInt64 = 0
    if let bytes = try tx.get(tables.peers, ReplicaID(logID).key.rawBytes) {
      var reader = ByteReader(bytes)
      taken = try reader.littleEndian(UInt64.self)
    }
    return page.start <= taken + 1
      && page.assumed.entries.allSatisfy { entry in
        let known = state(entry.replica)
        return entry.seq <= (header.role == .authority ? known.seq : known.decidedThrough)
      }
  }

  /// Keeps a schema version that events of another store were written under.
  func note(schema source: String, _ tx: inout WriteTransaction) throws {
    guard catalog.resolved(SchemaVersion(source: source)) == nil else { return }
    do {
      _ = try Schema.parse(source)
    } catch {
      throw StoreError(.schema, "another store's schema does not parse: \(error.message)")
    }
    try tables.append(schema: source, isAdopted: false, &tx)
    catalog = try tables.catalog(tx)
  }
}

extension Snapshot {
  func isValid(_ cursor: LogCursor?, _ tx: borrowing ReadTransaction) throws -> Bool {
    guard let cursor, cursor.lsn > 0, let entry = try tx.get(tables.log, cursor.lsn) else {
      return false
    }
    return Snapshot.checksum(entry) == cursor.checksum
  }

  /// Tells an entry from any other: its own checksum, and of a transaction the hash as well.
  static func checksum(_ entry: RawSpan) -> UInt32 {
    var reader = ByteReader(entry, at: entry.byteCount - 4)
    let checksum = (try? reader.littleEndian(UInt32.self)) ?? 0
    guard let (start, byteCount) = try? TransactionEntry.transactionRange(in: entry),
      byteCount >= TransactionHash.byteCount, start + byteCount <= entry.byteCount
    else { return checksum }
    let end = start + byteCount
    return crc32c(entry.extracting(end - TransactionHash.byteCount..<end), seed: checksum)
  }

  /// The lsn of the first of this store's events that no authority has decided.
  func firstPending(_ tx: borrowing ReadTransaction) throws -> UInt64? {
    try tables.firstPending(try tables.replicaStates(tx), tx)
  }

  func sources(_ tx: borrowing ReadTransaction) throws -> [String] {
    var sources: [String] = []
    try tx.forEach(tables.schemas, from: 0) { _, value in
      var reader = ByteReader(value)
      _ = try reader.byte()
      sources.append(try reader.string(byteCount: reader.remaining))
      return true
    }
    return sources
  }
}

/// Collects a page's items.
private struct PageBuilder {
  private let snapshot: Snapshot
  private let peer: PeerKnowledge
  private(set) var items: [LogItem] = []
  private(set) var end: LogCursor?
  private(set) var isLast = true
  var submission: Submission?
  private var byteCount = 0
  private let replicas: [ReplicaID: ReplicaState]

  init(_ snapshot: Snapshot, _ peer: PeerKnowledge, _ replicas: [ReplicaID: ReplicaState]) {
    self.snapshot = snapshot
    self.peer = peer
    self.replicas = replicas
  }

  mutating func build(from start: UInt64, _ tx: borrowing ReadTransaction) throws {
    try tx.forEach(snapshot.tables.log, from: start) { lsn, value in
      guard byteCount < snapshot.tables.tuning.pageByteCount else {
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
          offer(entry.transaction, decision)
        }
      case .acceptance(let acceptance):
        if peer.role == .device { try add(acceptance, tx) }
      case .rejection where submission?.isHolding == true: break
      case .rejection(let rejection):
        items.append(.rejection(rejection))
        byteCount += 64 * rejection.reasons.count
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
    _ transaction: borrowing TransactionReader, _ decision: DecisionRecord
  ) {
    let header = transaction.header
    if header.lastSeq > peer.decided[header.replica] || !decision.clamps.isEmpty {
      add(transaction, decision)
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
        guard case .transaction(let entry) = entry else {
          seq += 1
          return
        }
        let header = entry.transaction.header
        let clamps = acceptance.decision.clamps.filter {
          $0.seq >= header.firstSeq && $0.seq <= header.lastSeq
        }
        offer(
          entry.transaction,
          DecisionRecord(
            policy: acceptance.decision.policy, stamp: acceptance.decision.stamp,
            authority: acceptance.decision.authority, clamps: clamps))
        seq = header.lastSeq + 1
      }
    }
  }
}
