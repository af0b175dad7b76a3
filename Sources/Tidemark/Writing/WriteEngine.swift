internal import Synchronization
internal import TidemarkEvents
internal import TidemarkLMDB

/// The two threads of an open store that write: one takes what is to be written, in groups that share
/// a sync; the other follows and brings the journal into LMDB.
final class WriteEngine: Sendable {
  private let directory: String
  private let environment: Environment
  private let tables: Tables
  private let tail: Tail
  private let options: StoreOptions
  private let merger = Confined(RowRunMerger())
  private let thread: WriterThread
  private let drainThread: WriterThread
  private let writer: Confined<LogWriter>
  private let local: Confined<LocalWriter>
  /// The data file's, when it was opened.
  private let openedInode: UInt64
  /// When that was last seen to be so, in nanoseconds of the monotonic clock.
  private let lookedAt = Atomic<UInt64>(0)
  private let isAbandoned = Atomic<Bool>(false)
  /// Raised when something was committed.
  private let committed: Signal

  init(
    directory: String, environment: Environment, tables: Tables, tail: Tail, header: StoreHeader,
    catalog: Catalog, options: StoreOptions, committed: Signal
  ) throws {
    self.directory = directory
    self.environment = environment
    self.tables = tables
    self.tail = tail
    self.options = options
    self.committed = committed
    openedInode = Tidemark.anchor(directory, environment)
    let logWriter = LogWriter(
      tables: tables, header: header, catalog: catalog, limits: options.limits,
      wallMilliseconds: options.wallMilliseconds, entropy: options.entropy)
    writer = Confined(logWriter)
    let drainThread = try WriterThread(environment: nil, isInline: options.isInline)
    if options.isInline { tail.assist = { drainThread.runPosted() } }
    let merger = merger
    self.drainThread = drainThread
    let local = Confined(
      LocalWriter(
        environment: environment, tables: tables, tail: tail, header: header, catalog: catalog,
        options: options, directory: directory, logWriter: logWriter, committed: committed
      ) { segment, journal in
        let cargo = Confined((segment, journal))
        do {
          try drainThread.post { [environment, tables, tail] in
            let (segment, journal) = cargo.value
            tail.didDrain(Result { try segment.drain(into: environment, tables, journal) }.failure)
            // At least one part of a merge for each segment, and more while the writer does not wait.
            while (try? merger.value.step(environment, tables)) == true, tail.draining == nil {}
          }
        } catch {
          tail.didDrain(error)
        }
      })
    self.local = local
    thread = try WriterThread(environment: environment, isInline: options.isInline) {
      local.value.commit()
    }
  }

  /// Waits for all that is under way, and brings what is left into LMDB.
  func close() {
    // What died does not tidy up.
    if isAbandoned.load(ordering: .relaxed) { return }
    if !options.readOnly {
      try? thread.run { [local] in try local.value.clearJournal() }
    }
    thread.close()
    drainThread.close()
  }

  /// Where there is a journal that this opening does not know of yet: brings into LMDB what another
  /// process, or one before this, left there.
  func noticeJournal() throws {
    guard tail.journal == nil, !options.readOnly,
      JournalPlace(directory, environment).hasJournal
    else { return }
    try thread.run(timeoutSeconds: options.writeWaitSeconds) { [local] in
      try local.value.lock()
      local.value.journal?.unlock()
    }
  }

  /// Where the store has no threads: does what they would do in the background.
  func runPosted() { drainThread.runPosted() }

  /// Ends without bringing anything into LMDB, as the death of the process does.
  func abandon() {
    tail.assist = nil
    isAbandoned.store(true, ordering: .relaxed)
  }

  // MARK: Writing

  /// Runs a body in an LMDB transaction of its own, after all that was committed before.
  func write<R: Sendable>(
    _ body: @escaping @Sendable (LogWriter, inout WriteTransaction) throws -> R
  ) throws -> R {
    try checkWritable()
    let anchor = openedInode
    defer {
      committed.raise()
      mergeRuns()
    }
    return try thread.run(timeoutSeconds: options.writeWaitSeconds) {
      [environment, writer, local] in
      let (writer, local) = (writer.value, local.value)
      return try local.drained {
        local.forget()
        return try writer.transact(in: environment) { tx in
          if writer.header.anchor != anchor { writer.rotateReplica(anchor: anchor) }
          return try body(writer, &tx)
        }
      }
    }
  }

  private func mergeRuns() {
    try? drainThread.post { [environment, tables, tail, merger] in
      while tail.draining == nil, (try? merger.value.step(environment, tables)) == true {}
    }
  }

  /// Runs a body that writes this store's own transactions; it is durable, or as durable as the
  /// options say, when this returns.
  func writeLocally<R: Sendable>(
    _ body: @escaping @Sendable (LocalWriter) throws -> R
  ) throws -> R {
    try checkWritable()
    return try thread.runDelivering(
      timeoutSeconds: options.writeWaitSeconds, atOnce: true, job(body))
  }

  func writeLocally<R: Sendable>(
    _ body: @escaping @Sendable (LocalWriter) throws -> R
  ) async throws -> R {
    try checkWritable()
    return try await thread.runDelivering(timeoutSeconds: options.writeWaitSeconds, job(body))
  }

  private func job<R: Sendable>(
    _ body: @escaping @Sendable (LocalWriter) throws -> R
  ) -> @Sendable (@escaping @Sendable (Result<R, any Error>) -> Void) -> Void {
    let anchor = openedInode
    return { [local] deliver in
      let local = local.value
      if local.isGroupFull { local.commit() }
      let result: R
      do {
        try local.open()
        try WriterThread.admit()
        if local.header.anchor != anchor { try local.rotateReplica(anchor: anchor) }
        result = try body(local)
      } catch {
        return deliver(.failure(error))
      }
      local.deliveries.append { failure in
        deliver(failure.map { .failure($0) } ?? .success(result))
      }
    }
  }

  private func checkWritable() throws {
    guard !options.readOnly else {
      throw StoreError(.permission, "the store was opened for reading only")
    }
    if environment.memory != nil { return }
    // A look at the file costs as much as a small write: a few hundred a second are enough.
    let now = Deadline.now.nanoseconds
    guard now > lookedAt.load(ordering: .relaxed) + 2_000_000 else { return }
    guard inode(directory + "/data.mdb") == openedInode else {
      throw StoreError(
        .ioFailure,
        "\(directory)/data.mdb was removed or replaced while the store was open; nothing was written: put it back, or open the store again"
      )
    }
    lookedAt.store(now, ordering: .relaxed)
  }

  // MARK: Reading

  /// Returns when LMDB holds all that has been committed, by whatever process.
  func catchUp() throws {
    if options.readOnly { return }
    try noticeJournal()
    if tail.isEmpty && !tail.isBehind { return }
    try thread.run { [local] in try local.value.drained {} }
  }
}

extension Result where Failure == any Error {
  fileprivate var failure: (any Error)? {
    if case .failure(let error) = self { return error }
    return nil
  }
}
