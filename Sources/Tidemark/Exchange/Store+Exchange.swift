public import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkSchema

extension Store {
  /// What this store would tell another.
  /// - Parameter reader: for whom it asks, the same throughout an exchange; `nil` for all that there is.
  public func knowledge(reader: ReaderKnowledge? = nil) throws(StoreError) -> PeerKnowledge {
    try read { tx, snapshot in
      let states = try snapshot.tables.replicaStates(tx)
      return PeerKnowledge(
        role: snapshot.header.role,
        vector: VersionVector(states.filter { $0.value.seq > 0 }.map { ($0.key, $0.value.seq) }),
        decided: VersionVector(
          states.filter { $0.value.decidedThrough > 0 }.map { ($0.key, $0.value.decidedThrough) }),
        schemas: Set(snapshot.catalog.versions.map(\.version)), reader: reader)
    }
  }

  /// For whom this store asks another, at the beginning of an exchange; `nil` where it is given all and
  /// was before.
  /// - Parameters:
  ///   - readers: for whom it asks; `nil` for all that there is.
  ///   - logID: the other's.
  ///   - policy: the other's current schema version.
  /// - Throws: `StoreError` `misuse` where readers are given, and none is in them.
  /// - Complexity: O(1); O(log) where all that it holds has to be judged anew, and it holds portions.
  public func reading(
    for readers: [Principal]?, of logID: UInt64, policy: SchemaVersion
  ) throws(StoreError) -> ReaderKnowledge? {
    if readers?.isEmpty == true {
      throw StoreError(
        .misuse, "nobody is named to read for; name `anonymous` for who is not signed in")
    }
    return try read { tx, snapshot in
      // What was given to all is given to all.
      if readers == nil, snapshot.header.portionCount == 0 { return nil }
      let known = try snapshot.tables.peer(logID, tx)?.reading
      let isSame =
        known?.fingerprint == ReadingState.fingerprint(readers) && known?.policy == policy
        && !snapshot.catalog.asksForReading
      return ReaderKnowledge(
        principals: readers, asOf: isSame ? known?.asOf : nil, policy: policy,
        portions: isSame ? [] : try snapshot.withheldRanges(tx))
    }
  }

  /// How far this store has taken another's log; `nil` for not at all.
  public func cursor(for logID: UInt64) throws(StoreError) -> LogCursor? {
    try read { tx, snapshot in try snapshot.tables.peer(logID, tx)?.cursor }
  }

  /// The part of this log after a cursor that another store lacks: to an authority all of it, to a
  /// device what is decided.
  ///
  /// A cursor of another log, as after a restored backup, begins at the first entry again.
  /// - Parameter isContinued: true for the pages after an exchange's first, which goes back to what an
  ///   authority has to decide.
  /// - Parameter reviewed: the `reviewed` of the page before; `nil` for an exchange's first.
  /// - Parameter credentials: whose pending work goes to an authority; `nil` for everybody's. What is
  ///   held, and all pending work behind it, waits for the next exchange.
  /// - Complexity: O(entries after the cursor), up to a page.
  public func page(
    after cursor: LogCursor?, for peer: PeerKnowledge, isContinued: Bool = false,
    credentials: [Credential]? = nil, reviewed: ReviewProgress? = nil
  ) throws(StoreError) -> LogPage {
    try read { tx, snapshot in
      var builder = try PageBuilder(snapshot, peer, try snapshot.tables.replicaStates(tx), tx)
      builder.submission = credentials.map { Submission($0, at: options.wallMilliseconds()) }
      let isValid = try snapshot.isValid(cursor, tx)
      var start = isValid ? (cursor?.lsn ?? 0) + 1 : 1
      if peer.role == .authority, !isContinued, let pending = try snapshot.firstPending(tx) {
        // Never past what an authority has to decide, whatever a copied store's cursor says.
        start = min(start, pending)
      }
      let isReviewed = try builder.review(after: reviewed, isValid: isValid, tx)
      if isReviewed { try builder.build(from: start, tx) }
      let sources = try snapshot.sources(tx)
      let missing = zip(snapshot.catalog.versions, sources)
        .filter { !peer.schemas.contains($0.0.version) }.map(\.1)
      return LogPage(
        schemas: missing, items: builder.items, start: start,
        assumed: peer.role == .authority ? peer.vector : peer.decided, end: builder.end ?? cursor,
        isLast: builder.isLast, held: builder.submission?.held ?? [],
        reading: builder.reading, reviewed: builder.progress, withheldFrom: builder.withheldFrom)
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
      try writer.beginReading(page, from: logID, &tx)
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
      try writer.advance(page, from: logID, &tx)
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
    case .portion(let portion, _): portion.header.firstDot
    case .transaction(let bytes, _): try? TransactionReader(bytes.rawBytes).header.firstDot
    }
  }
}

extension PageOutcome {
  fileprivate mutating func count(_ outcome: ItemOutcome, _ item: LogItem) {
    switch outcome {
    case .known, .held: knownCount += 1
    case .taken(let count):
      takenCount += count
      if case .portion(let portion, _) = item { withheldCount += portion.withheldCount }
    case .disclosed(let count): disclosedCount += count
    case .withheld(let count): withheldCount += count
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
    let taken = try tables.peer(logID, tx)?.cursor.lsn ?? 0
    return page.start <= taken + 1
      && page.assumed.entries.allSatisfy { entry in
        let known = state(entry.replica)
        return entry.seq <= (header.role == .authority ? known.seq : known.decidedThrough)
      }
  }

  /// Forgets as of when what is here was judged, where a page is for others or by other rules: from here
  /// on some of it is, and some is not.
  fileprivate func beginReading(
    _ page: LogPage, from logID: UInt64, _ tx: inout WriteTransaction
  ) throws {
    guard var peer = try tables.peer(logID, tx), let known = peer.reading else { return }
    if let reading = page.reading, reading.fingerprint == known.fingerprint,
      reading.policy == known.policy
    {
      return
    }
    peer.reading = nil
    try tx.put(tables.peers, ReplicaID(logID).key.rawBytes, peer.bytes.rawBytes)
  }

  /// Keeps how far another log was taken, and at an exchange's end as of when all of it was judged.
  fileprivate func advance(
    _ page: LogPage, from logID: UInt64, _ tx: inout WriteTransaction
  ) throws {
    guard let end = page.end else { return }
    var reading = try tables.peer(logID, tx)?.reading
    if page.isLast, page.withheldFrom == nil, let done = page.reading {
      reading = done.fingerprint == 0 ? nil : done
    }
    let peer = PeerState(cursor: end, reading: reading)
    try tx.put(tables.peers, ReplicaID(logID).key.rawBytes, peer.bytes.rawBytes)
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

extension Tables {
  func peer(
    _ logID: UInt64, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> PeerState? {
    guard let bytes = try tx.get(peers, ReplicaID(logID).key.rawBytes) else { return nil }
    return try PeerState(bytes)
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
