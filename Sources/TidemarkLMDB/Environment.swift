import CLMDB
import Synchronization

/// One store's files, open in this process: LMDB with the ways to misuse it taken out.
///
/// ```swift
/// let environment = try Environment.open(directory: path, create: true)
/// let notes = try environment.table(named: "notes", .integerKeys)
/// try environment.write { transaction in
///   try transaction.append(notes, 1, value)
/// }
/// let byteCount = try environment.read { transaction in
///   try transaction.get(notes, 1)?.byteCount
/// }
/// ```
///
/// Opening a store that is open gives the same instance. It closes when the last reference goes.
/// Every call here may block: on the disk, and, where it writes, on other writers of all
/// processes. In asynchronous code, go through a `WriterThread`.
public final class Environment: Sendable {
  /// How a store is opened.
  public struct Options: Hashable, Sendable {
    /// Address space for the map at first. It grows by doubling, and that has to wait for readers.
    public var mapByteCountInitial = 256 << 20
    /// The size that the store does not outgrow.
    public var mapByteCountMax = Int(clamping: UInt64(1) << 40)
    /// How many named tables the store can have.
    public var tablesMax = 32
    /// How many read transactions there can be at once, in all processes together. The first process
    /// to open the store decides.
    public var readersMax = 126
    /// Refuses writes. The files must exist; the lock file is still written.
    public var readOnly = false
    /// Commits without a sync. A power cut then takes not the last commits but the whole store: for
    /// measurements alone.
    public var unsafelyUnsynchronized = false
    /// How long growing the map, or opening the store, waits for whoever stands in its way.
    public var exclusiveWaitSeconds = 5.0
    /// Allows a file system of another machine. Only safe while a single machine uses the store.
    public var remoteFileSystemAllowed = false

    public init() {}
  }

  /// The directory, as it was given when the store was first opened.
  public let directory: String
  public let options: Options
  let identity: FileIdentity
  let gate: Gate
  /// Tells this environment's tables and transactions from those of others.
  let number: UInt32
  let fork: Int
  let tables = Mutex<[String: Table]>([:])
  /// Held while LMDB opens a table, which it can do for one transaction at a time only.
  let tableMonitor = Monitor()
  let descriptors: Mutex<Descriptors>
  /// Where the store lies in memory, and there is no LMDB.
  package let memory: MemoryOpening?

  private static let counter = Atomic<UInt32>(0)

  init(
    directory: String, options: Options, identity: FileIdentity, handle: consuming OpenHandle
  ) {
    self.directory = directory
    self.options = options
    self.identity = identity
    descriptors = Mutex(handle.descriptors)
    gate = unsafe Gate(handle: handle.release())
    number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
    fork = Fork.generation
    memory = nil
  }

  init(directory: String, options: Options, memory: MemoryOpening) {
    self.directory = directory
    self.options = options
    identity = FileIdentity(device: 0, number: memory.disk.inode)
    descriptors = Mutex(Descriptors(data: -1, lock: nil))
    gate = unsafe Gate(handle: nil)
    number = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue | memoryBit
    fork = Fork.generation
    self.memory = memory
  }

  deinit {
    // In a child of the process that opened it, the handle belongs to the parent.
    guard fork == Fork.generation, memory == nil else { return }
    if let handle = unsafe gate.close() { unsafe mdb_env_close(handle) }
    Registry.shared.remove(identity)
  }

  func checkFork() throws(LMDBError) {
    guard fork == Fork.generation else {
      throw LMDBError(
        .closed, operation: "begin transaction", detail: "the process forked after it opened")
    }
  }
}
