internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

// A group is what shares one write of the journal and one sync: `open`, any number of transactions,
// `commit`.

extension LocalWriter {
  /// So many bytes or transactions end a group, though more are waiting.
  static let groupByteCountMax = 1 << 20
  static let groupCountMax = 512

  var isGroupFull: Bool {
    builder.bytes.byteCount >= LocalWriter.groupByteCountMax
      || pending.count >= LocalWriter.groupCountMax
  }

  /// Takes the journal's lock, and brings what is kept in memory up to what the store holds.
  func open() throws {
    guard !isGroupOpen else { return }
    try lock()
    do {
      if !isLoaded { try load() }
      if isSegmentFull { try rotate() }
      if segment == nil { try beginSegment() }
      draining = tail.draining
      groupStart = mark
      isGroupOpen = true
    } catch {
      journal?.unlock()
      throw error
    }
  }

  /// Takes the journal's lock; where another has written since, what it left is brought into LMDB.
  func lock() throws {
    if let lostOutcome { throw lostOutcome }
    let journal = try openJournal()
    try journal.lock(waitSeconds: options.writeWaitSeconds)
    guard journal.lastToken != journal.token else { return }
    do {
      forget()
      tail.discard()
      try recover(journal)
      journal.lastToken = journal.token
    } catch {
      journal.unlock()
      throw error
    }
  }

  /// What is kept in memory is not to be trusted any more.
  func forget() {
    isLoaded = false
    segment = nil
    draining = nil
    snapshot = nil
  }

  /// Goes on under a new replica id, because this store is a copy.
  /// - Precondition: the group has just been opened. Where this fails it is not open any more.
  func rotateReplica(anchor: UInt64) throws {
    precondition(isGroupOpen && pending.isEmpty)
    do {
      try drainAll()
      isLoaded = false
      try logWriter.transact(in: environment) { _ in logWriter.rotateReplica(anchor: anchor) }
      try load()
      try beginSegment()
      groupStart = mark
    } catch {
      isGroupOpen = false
      journal?.unlock()
      throw error
    }
  }

  private func openJournal() throws -> Journal {
    if let journal { return journal }
    let opened = try Journal(JournalPlace(directory, environment), entropy: options.entropy)
    journal = opened
    tail.journal = opened
    return opened
  }

  private func load() throws {
    let known = catalog
    let (header, states, noted, catalog) = try environment.read { tx in
      guard let header = try tables.storeHeader(tx) else {
        throw StoreError(.notAStore, "the store has no header; it was not fully created")
      }
      // A schema is not parsed again for each exchange.
      let isKnown = try tx.count(tables.schemas) == known.versions.count
      return (
        header, try tables.replicaStates(tx),
        try tables.foreignContext(Dot(header.replica, Dot.seqMax), tx),
        isKnown ? known : try tables.catalog(tx)
      )
    }
    self.header = header
    own = states[header.replica] ?? ReplicaState()
    // Past the last event of its replica too, where a copy of this store wrote that.
    self.header.clock.observe(own.lastStamp)
    foreign = VersionVector(
      states.lazy.filter { $0.value.seq > 0 && $0.key != header.replica }
        .map { ($0.key, $0.value.seq) })
    self.noted = noted
    if catalog.versions.count != self.catalog.versions.count {
      self.catalog = catalog
    }
    isLoaded = true
  }

  // MARK: Segments

  private var isSegmentFull: Bool {
    guard let segment, let file = segment.file else { return false }
    return segment.rows.rows.count >= options.tuning.segmentRowCount
      || (file.offset - JournalFile.recordsOffset) * 4 > file.byteCount * 3
  }

  private func beginSegment() throws {
    guard let journal else { return }
    var file: JournalFile?
    if !isJournalBroken {
      // Where this fails, the next attempt is for the same file: the other may hold what LMDB lacks.
      let next = 1 - place
      try journal.files[next].extend(to: options.tuning.journalByteCount)
      try journal.begin(next, logID: header.logID, firstLSN: header.nextLSN)
      file = journal.files[next]
      place = next
    }
    let begun = TailSegment(file, header: header, own: own, rowCount: lastRowCount)
    segment = begun
    tail.begin(begun)
  }

  /// Sends the growing segment to LMDB, and waits where the one before is still on its way.
  func rotate() throws {
    guard let full = segment, !full.isEmpty, let journal else { return }
    precondition(!isGroupOpen || pending.isEmpty)
    if tail.draining != nil {
      try waitForDrain()
      // The writer is faster than LMDB: give it more room.
      if let file = full.file {
        journal.wish(min(2 * file.byteCount, options.tuning.journalByteCountMax))
      }
    }
    lastRowCount = full.rows.rows.count
    full.header = header
    full.own = own
    segment = nil
    if let sealed = tail.seal() { drain(sealed, journal) }
  }

  /// Waits until LMDB has what was sent to it; tries once more where it could not take it.
  func waitForDrain() throws {
    do {
      try tail.waitForDrain(waitSeconds: options.writeWaitSeconds)
    } catch {
      guard let sealed = tail.draining, let journal else { throw error }
      tail.clearFailure()
      drain(sealed, journal)
      try tail.waitForDrain(waitSeconds: options.writeWaitSeconds)
    }
    draining = nil
  }

  /// Returns when LMDB holds all that has been committed.
  func drainAll() throws {
    try rotate()
    try waitForDrain()
    tail.dropEmpty()
    segment = nil
    snapshot = nil
  }

  /// Runs a body while LMDB holds all that has been committed, and the journal is locked.
  func drained<R>(_ body: () throws -> R) throws -> R {
    commit()
    try lock()
    defer { journal?.unlock() }
    try drainAll()
    return try body()
  }

  /// Leaves nothing in the journal.
  func clearJournal() throws {
    guard journal != nil else { return }
    try drained { try journal?.clear() }
  }

  // MARK: Commit

  /// Makes the group durable, and tells those who wait.
  func commit() {
    guard isGroupOpen else { return }
    isGroupOpen = false
    snapshot = nil
    var failure: (any Error)?
    do {
      if !pending.isEmpty { try write() }
    } catch {
      failure = error
      if let groupStart { rollBack(to: groupStart) }
    }
    groupStart = nil
    let hasWritten = failure == nil && !pending.isEmpty
    touched.removeAll(keepingCapacity: true)
    pending.removeAll(keepingCapacity: true)
    builder.truncate()
    journal?.unlock()
    let waiting = deliveries
    deliveries.removeAll(keepingCapacity: true)
    for deliver in waiting { deliver(failure) }
    if hasWritten { committed.raise() }
  }

  private func write() throws {
    guard let segment, let journal else { throw StoreError(.misuse, "no group is open") }
    guard !isJournalBroken, let file = segment.file, builder.bytes.byteCount <= file.room - 8 else {
      journal.wish(2 * builder.bytes.byteCount)
      return try writePastJournal()
    }
    for entry in pending { sealRecord(entry, file) }
    let start = file.offset
    do {
      try file.append(builder.bytes)
      if options.durability == .full { try file.synchronize() }
    } catch {
      try takeBack(file, start, error)
    }
    let chunk = TailChunk(builder.take())
    tail.locked { segment.append(chunk, pending) }
    segment.header = header
    segment.own = own
    tail.publish(header.nextLSN)
  }

  /// Writes the group straight into LMDB, where it does not fit the journal, or there is none to be
  /// trusted.
  private func writePastJournal() throws {
    var entries: [[UInt8]] = []
    for entry in pending {
      let bytes = builder.bytes.extracting(entry.offset..<entry.offset + entry.byteCount)
      entries.append(bytes.toArray())
    }
    if let groupStart { rollBack(to: groupStart) }
    try drainAll()
    forget()
    try logWriter.transact(in: environment) { tx in
      for entry in entries { try logWriter.restore(entry, &tx) }
    }
  }

  /// The record's checksum, which depends on where it comes to stand.
  private func sealRecord(_ entry: TailSegment.Entry, _ file: JournalFile) {
    let record = entry.offset - JournalFile.recordHeaderByteCount
    let checksum = builder.checksum(
      record + 8..<entry.offset + entry.byteCount,
      seed: JournalFile.seed(epoch: file.epoch, place: file.offset + record))
    builder.patch(littleEndian: checksum, at: record + 4)
  }

  /// The disk did not take a group: it must not be found later, for nobody was told that it is there.
  private func takeBack(_ file: JournalFile, _ start: Int, _ error: any Error) throws {
    isJournalBroken = true
    do {
      try file.truncate(to: start)
      try file.synchronize()
    } catch {
      let lost = StoreError(
        .unknownOutcome,
        "\(StoreError.wrapping(error).message); whether the write happened is not known: open the store again and look"
      )
      // What comes after it could not be told from it: nothing may, until the store is opened again.
      lostOutcome = lost
      throw lost
    }
    throw error
  }

  // MARK: Recovery

  /// Brings what a journal holds and LMDB lacks into LMDB.
  private func recover(_ journal: Journal) throws {
    let header = try environment.read { tx in try tables.storeHeader(tx) }
    guard let header else { return }
    let records = try journal.recover(logID: header.logID, from: header.nextLSN)
    guard !records.isEmpty else { return }
    try logWriter.transact(in: environment) { tx in
      for record in records {
        // Its own process may have brought it into LMDB meanwhile.
        if record.lsn < logWriter.header.nextLSN { continue }
        guard record.lsn == logWriter.header.nextLSN else { break }
        try logWriter.restore(record.bytes, &tx)
      }
    }
  }
}
