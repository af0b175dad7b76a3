internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

/// All that changes a store. One write transaction at a time: `begin`, any number of appends and
/// decisions, `flush`; the LMDB transaction around it makes them one.
///
/// Invariants between `flush` and the next `begin`:
/// - the log holds seqs 1…`replicas[r].seq` of every replica r, each once;
/// - a record's row equals the fold of its chain without void dots;
/// - `header.nextLSN` is past every lsn of the log.
///
/// Confined to the job that runs on the `WriterThread`.
final class LogWriter {
  let tables: Tables
  let wallMilliseconds: @Sendable () -> UInt64
  let limits: StoreLimits

  var header: StoreHeader
  var replicas: [ReplicaID: ReplicaState] = [:]
  var catalog: Catalog
  /// The header that what is kept in memory belongs to; empty where it belongs to none.
  private var headerBytes: [UInt8] = []
  /// The header as this transaction found it.
  private var begunBytes: [UInt8] = []

  /// Rows changed and not yet flushed.
  private let overlayStorage = Unguarded(TailRows())
  var overlay: TailRows {
    @inline(__always) _read { yield overlayStorage.value }
    @inline(__always) _modify { yield &overlayStorage.value }
  }
  /// The runs as the transaction found them.
  private var rowIndex: RowIndex?
  let hashSeed = UInt64.random(in: .min ... .max)
  /// Of the principals of the transaction that is being taken.
  var clearances = ClearanceCache()
  private var dirtyReplicas: Set<ReplicaID> = []
  private var lastRuns: [ReplicaID: Run] = [:]
  private var dirtyRuns: Set<ReplicaID> = []
  /// What each replica had seen at its last transaction, without itself.
  var foreignContexts: [ReplicaID: VersionVector] = [:]
  private var changesSinceWhole: [ReplicaID: Int] = [:]
  /// Decisions on this store's own events that follow each other, to be written as one entry.
  var openAcceptance: AcceptanceEntry?

  init(
    tables: Tables, header: StoreHeader, catalog: Catalog, limits: StoreLimits,
    wallMilliseconds: @escaping @Sendable () -> UInt64
  ) {
    self.tables = tables
    self.header = header
    self.catalog = catalog
    self.limits = limits
    self.wallMilliseconds = wallMilliseconds
  }

  /// Runs a body in an LMDB transaction of its own, between `begin` and `flush`.
  func transact<R>(
    in environment: Environment, _ body: (inout WriteTransaction) throws -> R
  ) throws -> R {
    do {
      return try environment.write { tx in
        try begin(&tx)
        let result = try body(&tx)
        try flush(&tx)
        return result
      }
    } catch {
      forget()
      throw error
    }
  }

  /// Brings what is kept in memory up to the transaction: another process may have written, or the
  /// transaction before may have been given up.
  func begin(_ tx: inout WriteTransaction) throws {
    overlay = TailRows()
    rowIndex = nil
    dirtyReplicas.removeAll()
    dirtyRuns.removeAll()
    openAcceptance = nil
    guard let stored = try tx.get(tables.header, 0) else {
      throw StoreError(.notAStore, "the store has no header; it was not fully created")
    }
    begunBytes = stored.toArray()
    let isCurrent = begunBytes == headerBytes
    // Until `flush`, what is kept in memory may be ahead of the file: a body that fails, or that runs
    // again because the map had to grow, begins from the file.
    headerBytes = []
    header = try StoreHeader(begunBytes.rawBytes)
    // Another process may have noted a schema version, which changes no header.
    if try tx.count(tables.schemas) != catalog.versions.count { catalog = try tables.catalog(tx) }
    if isCurrent { return }
    replicas = try tables.replicaStates(tx)
    lastRuns.removeAll()
    foreignContexts.removeAll()
    changesSinceWhole.removeAll()
  }

  /// Writes what changed; the last thing before the commit.
  func flush(_ tx: inout WriteTransaction) throws {
    try closeAcceptance(&tx)
    var buffer = ByteWriter(capacity: 4096)
    rowIndex = nil
    try tables.put(overlay, &tx)
    for replica in dirtyReplicas {
      guard let state = replicas[replica] else { continue }
      buffer.truncate()
      state.encode(into: &buffer)
      try tx.put(tables.replicas, replica.key.rawBytes, buffer.bytes)
    }
    try flushRuns(&tx)
    buffer.truncate()
    header.encode(into: &buffer)
    let bytes = buffer.toArray()
    // What changes nothing writes nothing: a refused write leaves the file as it was.
    if bytes != begunBytes { try tx.put(tables.header, 0, bytes.rawBytes) }
    headerBytes = bytes
  }

  /// The commit failed or was given up: nothing kept in memory can be trusted.
  func forget() { headerBytes = [] }

  /// The version vector of this log.
  var vector: VersionVector {
    VersionVector(replicas.lazy.filter { $0.value.seq > 0 }.map { ($0.key, $0.value.seq) })
  }

  func state(_ replica: ReplicaID) -> ReplicaState { replicas[replica] ?? ReplicaState() }

  func change(_ replica: ReplicaID, _ body: (inout ReplicaState) -> Void) {
    body(&replicas[replica, default: ReplicaState()])
    dirtyReplicas.insert(replica)
  }

  func row(_ key: RecordKey, _ tx: inout WriteTransaction) throws -> RecordRow {
    let bytes = key.bytes
    guard let row = try find(bytes.rawBytes, &tx).row else { return RecordRow() }
    return try tables.row(row, catalog, tx)
  }

  /// A row, and its place among those that have changed.
  func find(
    _ key: RawSpan, _ tx: inout WriteTransaction
  ) throws -> (place: Int?, hash: UInt64, row: StoredRow?) {
    let hash = keyHash(key, seed: hashSeed)
    if let place = overlay.find(key, hash) {
      return (place, hash, overlay.row(place, before: .max))
    }
    if let rowIndex { return (nil, hash, try rowIndex.row(key, tx)) }
    let index = try RowIndex(tables, tx)
    rowIndex = index
    return (nil, hash, try index.row(key, tx))
  }

  /// Takes over a row with its state.
  func set(_ key: RecordKey, _ row: RecordRow) {
    let bytes = key.bytes
    let hash = keyHash(bytes.rawBytes, seed: hashSeed)
    let place = overlay.find(bytes.rawBytes, hash) ?? overlay.add(bytes.rawBytes, hash, nil)
    overlay.set(place, row)
  }

  /// What a replica had seen at its last transaction, without itself.
  func foreignContext(
    of replica: ReplicaID, _ tx: inout WriteTransaction
  ) throws -> VersionVector {
    if let known = foreignContexts[replica] { return known }
    let context = try tables.foreignContext(Dot(replica, Dot.seqMax), tx)
    foreignContexts[replica] = context
    return context
  }

  /// Takes lsns for new entries.
  func takeLSNs(_ count: Int) -> UInt64 {
    defer { header.nextLSN += UInt64(count) }
    return header.nextLSN
  }

  /// Notes that the log holds these dots from an lsn on.
  func noteRun(_ first: Dot, _ count: Int, _ lsn: UInt64, _ tx: inout WriteTransaction) throws {
    let replica = first.replica
    if lastRuns[replica] == nil, first.seq > 1 {
      lastRuns[replica] = try tables.run(at: Dot(replica, first.seq - 1), tx)
    }
    if var run = lastRuns[replica], run.firstSeq + run.count == first.seq,
      run.firstLSN + run.count == lsn
    {
      run.count += UInt64(count)
      lastRuns[replica] = run
    } else {
      if dirtyRuns.contains(replica), let run = lastRuns[replica] {
        try tx.put(tables.runs, Dot(replica, run.firstSeq).key.rawBytes, run.bytes.rawBytes)
      }
      lastRuns[replica] = Run(firstSeq: first.seq, firstLSN: lsn, count: UInt64(count))
    }
    dirtyRuns.insert(replica)
  }

  /// Flushes the runs, so that `Tables.position` answers for what this transaction wrote.
  func flushRuns(_ tx: inout WriteTransaction) throws {
    for replica in dirtyRuns {
      guard let run = lastRuns[replica] else { continue }
      try tx.put(tables.runs, Dot(replica, run.firstSeq).key.rawBytes, run.bytes.rawBytes)
    }
    dirtyRuns.removeAll()
  }

  func forgetRun(_ replica: ReplicaID) {
    lastRuns[replica] = nil
    dirtyRuns.remove(replica)
  }

  /// Notes what a transaction's author had seen, where that changed.
  func noteContext(
    _ first: Dot, change: VersionVector, _ tx: inout WriteTransaction
  ) throws {
    guard !change.isEmpty else { return }
    var whole = try foreignContext(of: first.replica, &tx)
    whole.formUnion(change)
    foreignContexts[first.replica] = whole
    // A whole context while it is small, else changes; one in sixteen is whole, to bound the walk.
    let changes = changesSinceWhole[first.replica] ?? 15
    let isWhole = whole.entries.count <= 8 || changes >= 15
    changesSinceWhole[first.replica] = isWhole ? 0 : changes + 1
    var writer = ByteWriter(capacity: 128)
    writer.append((isWhole ? 0 : 1) as UInt8)
    (isWhole ? whole : change).encode(into: &writer)
    try tx.put(tables.contexts, first.key.rawBytes, writer.bytes)
  }
}

extension RecordKey: Comparable {
  static func < (a: RecordKey, b: RecordKey) -> Bool {
    a.model == b.model ? a.id < b.id : a.model < b.model
  }
}
