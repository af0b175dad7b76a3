internal import Synchronization
public import TidemarkEvents
internal import TidemarkLMDB
public import TidemarkSchema

/// An event-sourced store in a directory: a log of events on LMDB, and the view that follows from it.
///
/// ```swift
/// let store = try Store.create(at: "feed.store", schema: source, role: .device)
/// let receipt = try store.submit([operation])
/// try store.forEachRecord(of: "Post") { print($0.id); return true }
/// ```
///
/// Any number of processes may open one store; one writes at a time. In one process, every `Store` of
/// a directory shares one LMDB environment. Calls block: reads briefly, writes until the disk has
/// synced.
public final class Store: Sendable {
  public let directory: String
  let environment: Environment
  let tables: Tables
  let options: StoreOptions
  let role: StoreRole
  let acceptance: AcceptanceMode
  let tail: Tail
  let engine: WriteEngine
  let rowIndexes = RowIndexCache()
  let rejectionSignal = Signal()
  let hub = ObservationHub()
  private let cachedCatalog: Mutex<Catalog>

  private init(
    _ directory: String, _ environment: Environment, _ tables: Tables, _ options: StoreOptions
  ) throws {
    let (header, catalog) = try environment.read { tx in
      guard let header = try tables.storeHeader(tx) else {
        throw StoreError(
          .notAStore,
          "\(directory) holds no readable store: its header is missing; if `init` was cut off, remove it and run that again, else keep it and bring back a backup"
        )
      }
      return (header, try tables.catalog(tx))
    }
    self.directory = directory
    self.environment = environment
    self.tables = tables
    self.options = options
    role = header.role
    acceptance = header.acceptance
    tail = Tail()
    engine = try WriteEngine(
      directory: directory, environment: environment, tables: tables, tail: tail, header: header,
      catalog: catalog, options: options, committed: hub.committed)
    cachedCatalog = Mutex(catalog)
    try engine.noticeJournal()
  }

  deinit {
    hub.close()
    engine.close()
  }

  /// Brings everything into LMDB and takes no more writes. A store that is dropped closes by itself;
  /// one that is neither, as when the process dies, has lost nothing.
  public func close() {
    hub.close()
    engine.close()
  }

  /// Ends as the process's death would end it: nothing is brought into LMDB.
  package func abandon() { engine.abandon() }

  /// Where the store has no threads: what they would do in the background.
  package func runPosted() { engine.runPosted() }

  /// Makes a new store.
  /// - Parameters:
  ///   - schema: SDL with `@model` and `@auth`.
  ///   - replica: the id it writes under; a random one where left out.
  /// - Throws: `StoreError` (`exists`, `schema`, `permission`, `diskFull`, …).
  public static func create(
    at directory: String, schema: String, role: StoreRole = .device,
    acceptance: AcceptanceMode = .enforce, replica: ReplicaID? = nil,
    options: StoreOptions = StoreOptions()
  ) throws(StoreError) -> Store {
    try translating {
      try check(schema: schema)
      let environment = try open(directory, create: true, options)
      let tables = try Tables(environment, options)
      var generator = EntropyGenerator(next: options.entropy)
      var header = StoreHeader(
        role: role, acceptance: acceptance,
        logID: UInt64.random(in: 1...UInt64.max, using: &generator),
        replica: replica ?? ReplicaID.random(using: &generator),
        anchor: anchor(directory, environment))
      header.clock = HybridClock()
      try environment.write { tx in
        guard try tx.get(tables.header, 0) == nil else {
          throw StoreError(
            .exists, "\(directory) holds a store already; choose another directory or remove it")
        }
        try tables.append(schema: schema, isAdopted: true, &tx)
        var writer = ByteWriter()
        header.encode(into: &writer)
        try tx.put(tables.header, 0, writer.bytes)
      }
      return try Store(directory, environment, tables, options)
    }
  }

  /// Opens a store that is there.
  /// - Throws: `StoreError` (`notAStore`, `newerFormat`, `corrupt`, `permission`, `busy`, …).
  /// - Complexity: O(replicas + schema), whatever the log's length.
  public static func open(
    at directory: String, options: StoreOptions = StoreOptions()
  ) throws(StoreError) -> Store {
    try translating {
      let environment = try open(directory, create: false, options)
      return try Store(directory, environment, try Tables(environment, options), options)
    }
  }

  private static func check(schema: String) throws(StoreError) {
    do {
      _ = try Schema.parse(schema)
    } catch {
      throw StoreError(.schema, "\(error.line):\(error.column): \(error.message)")
    }
  }

  private static func open(
    _ directory: String, create: Bool, _ options: StoreOptions
  ) throws -> Environment {
    var environmentOptions = Environment.Options()
    environmentOptions.tablesMax = 32
    environmentOptions.readOnly = options.readOnly
    environmentOptions.mapByteCountInitial = options.mapByteCountInitial
    if let memory = options.memory {
      return Environment.open(memory.disk, directory: directory, options: environmentOptions)
    }
    return try Environment.open(directory: directory, create: create, options: environmentOptions)
  }

  /// Runs a body with every error told as a `StoreError`.
  static func translating<R>(_ body: () throws -> R) throws(StoreError) -> R {
    do { return try body() } catch { throw StoreError.wrapping(error) }
  }

  /// Runs a body in one write transaction on the writer's thread. It may run more than once, when the
  /// map grows.
  func write<R: Sendable>(
    _ body: @escaping @Sendable (LogWriter, inout WriteTransaction) throws -> R
  ) throws(StoreError) -> R {
    try Store.translating { try engine.write(body) }
  }

  /// Runs a body over one consistent snapshot of all that has been committed.
  func read<R>(
    _ body: (borrowing ReadTransaction, Snapshot) throws -> R
  ) throws(StoreError) -> R {
    try Store.translating {
      try engine.catchUp()
      return try environment.read { tx in
        guard let header = try tables.storeHeader(tx) else {
          throw StoreError(.notAStore, "the store has no header")
        }
        let count = try tx.count(tables.schemas)
        var catalog = cachedCatalog.withLock { $0 }
        if catalog.versions.count != count {
          catalog = try tables.catalog(tx)
          cachedCatalog.withLock { $0 = catalog }
        }
        return try body(tx, Snapshot(tables: tables, header: header, catalog: catalog, tail: tail))
      }
    }
  }

  /// The last one read.
  var currentCatalog: Catalog { cachedCatalog.withLock { $0 } }

  /// The current schema.
  public var schema: Schema {
    get throws(StoreError) { try read { _, snapshot in snapshot.catalog.current.schema } }
  }

  public var identity: StoreIdentity {
    get throws(StoreError) {
      try read { _, snapshot in
        StoreIdentity(
          role: snapshot.header.role, acceptance: snapshot.header.acceptance,
          replica: snapshot.header.replica, logID: snapshot.header.logID,
          schema: snapshot.catalog.current.version)
      }
    }
  }

  /// Every event that this log holds, by replica.
  public var vector: VersionVector {
    get throws(StoreError) {
      try read { tx, snapshot in
        VersionVector(
          try snapshot.tables.replicaStates(tx).filter { $0.value.seq > 0 }
            .map { ($0.key, $0.value.seq) })
      }
    }
  }
}

/// What a store is.
public struct StoreIdentity: Hashable, Sendable {
  public let role: StoreRole
  public let acceptance: AcceptanceMode
  /// The replica that it writes under.
  public let replica: ReplicaID
  /// Names its log to other stores.
  public let logID: UInt64
  /// The current schema's version.
  public let schema: SchemaVersion
}

/// What is the same throughout one read.
struct Snapshot {
  let tables: Tables
  let header: StoreHeader
  let catalog: Catalog
  let tail: Tail

  /// Calls `body` with a model's rows, sorted by id, until it returns false.
  func forEachRow(
    of model: Int, _ tx: borrowing ReadTransaction,
    _ body: (RecordKey, RecordRow) throws -> Bool
  ) throws {
    // A whole snapshot is of what LMDB holds.
    let rows = RowSnapshot(
      tail: tail, tables: tables, catalog: catalog, view: .empty)
    try rows.forEachRow(of: model, tx) { key, row in
      try body(key, tables.row(row, catalog, tx))
    }
  }
}

/// A value that only one job at a time touches; `@unchecked` because the compiler cannot see that.
@safe struct Confined<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) {
    self.value = value
  }
}
