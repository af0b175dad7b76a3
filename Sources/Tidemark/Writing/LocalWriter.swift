internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

/// Writes this store's own transactions: straight into the bytes that the log will hold, the rows
/// that they change into the tail, a group of transactions at a time into the journal.
///
/// Invariants, between groups:
/// - `header`, `own`, `noted` and the tail's rows are what LMDB will hold once the tail is drained;
/// - all of the tail is in the journal, or in LMDB;
/// - only while the journal is locked is any of this changed.
///
/// Confined to the job that runs on the `WriterThread`.
final class LocalWriter {
  let environment: Environment
  let tables: Tables
  let tail: Tail
  let options: StoreOptions
  let directory: String
  /// For what is written straight into LMDB.
  let logWriter: LogWriter
  /// Raised when something was committed.
  let committed: Signal
  /// Sends a segment to LMDB, on another thread.
  let drain: (TailSegment, Journal) -> Void

  // What is kept in memory, good while `isLoaded`.
  var isLoaded = false
  var header: StoreHeader
  var own = ReplicaState()
  /// What this log holds, without this replica.
  var foreign = VersionVector()
  /// What this replica had seen at its last transaction.
  var noted = VersionVector()
  var catalog: Catalog

  // The journal.
  var journal: Journal?
  /// The journal cannot be written: commits go through LMDB until the store is opened again.
  var isJournalBroken = false
  /// A write of which nobody knows whether it happened.
  var lostOutcome: StoreError?
  /// Which file was begun last; the other is next.
  var place = 0
  var segment: TailSegment?
  /// Of the segment before.
  var lastRowCount = 0
  /// On its way into LMDB when the group began.
  var draining: TailSegment?

  // The group.
  var isGroupOpen = false
  var snapshot: HeldSnapshot? { didSet { rowIndex = nil } }
  var rowIndex: RowIndex?
  private let builderStorage = Unguarded(TransactionBuilder(capacity: 1 << 16))
  var pending: [TailSegment.Entry] = []
  var touched: [Int] = []
  var groupStart: Mark?
  var deliveries: [((any Error)?) -> Void] = []

  // The transaction.
  var entryOffset = 0
  var transactionOffset = 0
  var distances: [UInt64] = []
  var clearances = ClearanceCache()

  // The operation.
  var operation: PendingOperation?
  private let keyStorage = Unguarded(ByteWriter(capacity: 512))

  var builder: TransactionBuilder {
    @inline(__always) _read { yield builderStorage.value }
    @inline(__always) _modify { yield &builderStorage.value }
  }

  /// The key of the operation's record.
  var key: ByteWriter {
    @inline(__always) _read { yield keyStorage.value }
    @inline(__always) _modify { yield &keyStorage.value }
  }

  /// What a transaction or a group can go back to.
  struct Mark {
    let header: StoreHeader
    let own: ReplicaState
    let noted: VersionVector
    let byteCount: Int
    let pendingCount: Int
    let touchedCount: Int
    let contextCount: Int
  }

  init(
    environment: Environment, tables: Tables, tail: Tail, header: StoreHeader, catalog: Catalog,
    options: StoreOptions, directory: String, logWriter: LogWriter, committed: Signal,
    drain: @escaping (TailSegment, Journal) -> Void
  ) {
    self.environment = environment
    self.tables = tables
    self.tail = tail
    self.header = header
    self.catalog = catalog
    self.options = options
    self.directory = directory
    self.logWriter = logWriter
    self.committed = committed
    self.drain = drain
  }

  // MARK: Transactions

  /// Writes one transaction into the group.
  /// - Returns: what the body returns, and the dots of its operations.
  /// - Throws: what the body throws; then nothing of it is left.
  func transact<R>(
    principals: [Principal], label: String?, wallMilliseconds: UInt64? = nil,
    _ body: (LocalWriter) throws -> R
  ) throws -> (result: R, firstDot: Dot, count: Int) {
    let mark = mark
    do {
      try beginTransaction(principals, label, wallMilliseconds)
      let result = try body(self)
      let count = builder.eventCount
      let first = Dot(header.replica, own.seq + 1)
      if count == 0 { rollBack(to: mark) } else { try endTransaction() }
      return (result, first, count)
    } catch {
      rollBack(to: mark)
      throw error
    }
  }

  var mark: Mark {
    Mark(
      header: header, own: own, noted: noted, byteCount: builder.bytes.byteCount,
      pendingCount: pending.count, touchedCount: touched.count,
      contextCount: segment?.contexts.count ?? 0)
  }

  func rollBack(to mark: Mark) {
    if let segment {
      tail.locked {
        for place in touched[mark.touchedCount...] {
          segment.rows.rollBack(place, to: mark.header.nextLSN)
        }
        segment.contexts.removeLast(segment.contexts.count - mark.contextCount)
      }
    }
    touched.removeLast(touched.count - mark.touchedCount)
    pending.removeLast(pending.count - mark.pendingCount)
    builder.truncate(to: mark.byteCount)
    header = mark.header
    own = mark.own
    noted = mark.noted
    operation = nil
  }

  private func beginTransaction(
    _ principals: [Principal], _ label: String?, _ wallMilliseconds: UInt64?
  ) throws {
    if let label, !(1...Limits.labelByteCountMax).contains(label.utf8.count) {
      throw StoreError(.invalid, "a transaction's label has 1 to \(Limits.labelByteCountMax) bytes")
    }
    clearances.begin(principals, catalog)
    distances.removeAll(keepingCapacity: true)
    let change = foreign.entries.isEmpty ? VersionVector() : foreign.risen(since: noted)
    let wall = wallMilliseconds ?? options.wallMilliseconds()
    guard let stamp = header.clock.tick(wallMilliseconds: wall) else {
      throw StoreError(.storeFull, "the store's clock has reached its end")
    }
    entryOffset = builder.bytes.byteCount + JournalFile.recordHeaderByteCount
    var start = 0
    let isAuthority = header.role == .authority
    let decision = isAuthority ? decisionRecord(stamp) : nil
    builder.append(raw: { writer in
      writer.append(littleEndian: 0 as UInt64)
      writer.append(littleEndian: 0 as UInt64)
      start = TransactionEntry.encodePrefix(decision, into: &writer)
    })
    transactionOffset = start
    do {
      try builder.begin(
        TransactionHeader(
          replica: header.replica, firstSeq: own.seq + 1, eventCount: 0,
          schema: catalog.current.version, firstStamp: stamp, contextChange: change, label: label,
          principals: principals))
    } catch {
      throw StoreError.tooLarge(error)
    }
    if !change.isEmpty {
      noted = foreign
      let note = TailSegment.ContextNote(
        first: Dot(header.replica, own.seq + 1), whole: foreign)
      if let segment { tail.locked { segment.contexts.append(note) } }
    }
  }

  private func decisionRecord(_ stamp: Stamp) -> DecisionRecord {
    DecisionRecord(
      policy: catalog.current.version, stamp: stamp, authority: header.replica, clamps: [])
  }

  private func endTransaction() throws {
    do { try builder.endEvents() } catch { throw StoreError.tooLarge(error) }
    builder.appendHashRoom()
    let count = builder.eventCount
    let lsn = header.nextLSN
    own.lastStamp = header.clock.last
    own.seq += UInt64(count)
    own.isOwn = true
    if header.role == .authority {
      let stamp =
        header.clock.tick(wallMilliseconds: options.wallMilliseconds()) ?? header.clock.last
      builder.patch(littleEndian: stamp.rawValue, at: entryOffset + 10)
      own.decidedThrough = own.seq
    }
    header.nextLSN += UInt64(count)
    header.eventCount += UInt64(count)
    builder.append(raw: { writer in
      TransactionEntry.encodeSuffix(
        distances, lsn: lsn, entryOffset: entryOffset, transactionOffset: transactionOffset,
        into: &writer)
    })
    let byteCount = builder.bytes.byteCount - entryOffset
    builder.patch(
      littleEndian: UInt32(truncatingIfNeeded: byteCount),
      at: entryOffset - JournalFile.recordHeaderByteCount)
    builder.patch(littleEndian: lsn, at: entryOffset - 8)
    builder.append(raw: { writer in
      while writer.count & 7 != 0 { writer.append(0 as UInt8) }
    })
    pending.append(
      TailSegment.Entry(
        lsn: lsn, eventCount: count, chunk: 0, offset: entryOffset, byteCount: byteCount,
        transactionOffset: transactionOffset - entryOffset))
  }
}

extension StoreError {
  static func tooLarge(_ error: CodecError) -> StoreError {
    StoreError(
      .invalid,
      "the transaction is too large (\(error)): an event holds at most 4 MiB, a transaction 64 MiB and 1048576 events; split it"
    )
  }
}

/// The operation that is being written.
struct PendingOperation {
  let kind: EventKind
  let shape: ModelShape
  let principal: Int
  /// Of the record's key, under the tail's seed.
  let keyHash: UInt64
  /// The clock before it.
  let clock: HybridClock
  let stamp: Stamp
}
