import Synchronization

/// What a store keeps on a disk, kept in memory: the tables that LMDB would hold, and the two files of
/// the journal, each with what is durable and what is not yet.
///
/// Stores of applications' tests and previews live on one; the simulator's do too, where processes
/// die, the power fails and calls go wrong at the places that it chooses.
///
/// - A commit of the tables is durable when it returns, as LMDB's is.
/// - What is written to a file is not durable until that is synced. A power cut keeps any of the
///   sectors of 512 bytes that were written since, in any combination.
/// - `crash` ends the process that has the disk open: its calls fail from then on and change nothing.
///
/// `@unchecked`: every variable is touched under `monitor` only; `faults` is set before the store is
/// opened, and called on the thread that calls the disk.
package final class MemoryDisk: @unchecked Sendable {
  /// Where a fault can strike.
  package enum Call: Hashable, Sendable {
    /// A commit of the tables.
    case commit
    case write(file: Int, byteCount: Int)
    case sync(file: Int)
    case resize(file: Int)
  }

  package enum Fault: Hashable, Sendable {
    /// Nothing happens, and the caller is told so.
    case fail(LMDBError.Code)
    /// Half of a write happens, and the caller is told of an error.
    case failHalfway(LMDBError.Code)
    /// The caller is not told whether it happened.
    case unknown(happened: Bool)
    /// The process dies before it, after it, or in the middle of a write.
    case crashBefore, crashAfter, crashHalfway
  }

  /// Everything that is on a disk at a moment.
  package struct Image {
    fileprivate let tables: ContiguousArray<MemoryTable>
    fileprivate let names: [String: Int]
    fileprivate let number: UInt64
    fileprivate let files: [MemoryFile.Image]
    fileprivate let hasJournal: Bool
  }

  private let monitor = Monitor()
  private var tables: ContiguousArray<MemoryTable> = []
  private var names: [String: Int] = [:]
  private var number: UInt64 = 0
  private var hasJournal = false
  /// Counts the processes that had it open one after another.
  private var current = 1
  private weak var environment: Environment?
  package let files = [MemoryFile(0), MemoryFile(1)]
  /// Tells a disk from its copies, as the data file's inode does.
  package let inode: UInt64
  package var faults: ((Call) -> Fault?)?
  private static let counter = Atomic<UInt64>(0)

  package init(inode: UInt64? = nil) {
    self.inode =
      inode ?? (1 << 40 + MemoryDisk.counter.wrappingAdd(1, ordering: .relaxed).newValue)
    for file in files { file.disk = self }
  }

  package var incarnation: Int { monitor.locked { current } }

  // MARK: The world

  /// The process that has the disk open dies: what it wrote stays, synced or not.
  package func crash() {
    monitor.locked {
      current += 1
      environment = nil
      for file in files { file.unlock() }
    }
  }

  /// As `crash`, and of what was not synced only the sectors stay that the closure says yes to.
  package func cutPower(keeping isKept: () -> Bool) {
    crash()
    for file in files { file.loseUnsynced(keeping: isKept) }
  }

  package var image: Image {
    monitor.locked {
      Image(
        tables: tables, names: names, number: number, files: files.map(\.image),
        hasJournal: hasJournal)
    }
  }

  /// Puts an older state back, as a backup does. The disk must not be open.
  package func restore(_ image: Image) {
    crash()
    monitor.locked {
      tables = image.tables
      names = image.names
      // States are never confused with those that were here.
      number = max(number, image.number) + 1
      hasJournal = image.hasJournal
    }
    for (file, image) in zip(files, image.files) { file.restore(image) }
  }

  // MARK: Calls

  /// Does what a call is to do, or what a fault makes of it.
  /// - Parameter effect: all of it, or the first half.
  func perform(
    _ call: Call, _ incarnation: Int, _ effect: (_ isWhole: Bool) -> Void
  ) throws(LMDBError) {
    try check(incarnation)
    switch faults?(call) {
    case nil: effect(true)
    case .fail(let code): throw LMDBError(code, operation: "\(call)", detail: "by a fault")
    case .failHalfway(let code):
      if case .write = call { effect(false) }
      throw LMDBError(code, operation: "\(call)", detail: "by a fault, halfway")
    case .unknown(let happened):
      if happened { effect(true) }
      throw LMDBError(.unknownOutcome, operation: "\(call)", detail: "by a fault")
    case .crashBefore: try die()
    case .crashAfter:
      effect(true)
      try die()
    case .crashHalfway:
      if case .write = call { effect(false) }
      try die()
    }
  }

  func check(_ incarnation: Int) throws(LMDBError) {
    guard incarnation == self.incarnation else {
      throw LMDBError(.closed, operation: "disk", detail: "the process that opened it has died")
    }
  }

  private func die() throws(LMDBError) {
    crash()
    throw LMDBError(.closed, operation: "disk", detail: "the process died")
  }

  // MARK: Tables

  /// The environment that has the disk open, or one that the closure makes.
  func environment(_ make: (_ incarnation: Int) -> Environment) -> Environment {
    monitor.locked {
      if let environment { return environment }
      let made = make(current)
      environment = made
      return made
    }
  }

  func begin(_ incarnation: Int, writes: Bool) throws(LMDBError) -> MemoryTransaction {
    try check(incarnation)
    return monitor.locked {
      MemoryTransaction(
        tables, number: writes ? number + 1 : number, incarnation: incarnation)
    }
  }

  func commit(_ transaction: MemoryTransaction) throws(LMDBError) {
    try perform(.commit, transaction.incarnation) { _ in
      monitor.locked {
        let opened = tables[min(transaction.tables.count, tables.count)...]
        tables = opened.isEmpty ? transaction.tables : transaction.tables + opened
        number = transaction.number
      }
    }
  }

  /// The place of a table, made where there is none.
  func place(of name: String, _ kind: Table.Kind, create: Bool) -> (place: Int, kind: Table.Kind)? {
    monitor.locked {
      if let place = names[name] { return (place, tables[place].kind) }
      guard create else { return nil }
      tables.append(MemoryTable(kind))
      names[name] = tables.count - 1
      return (tables.count - 1, kind)
    }
  }

  /// Bytes of keys and values.
  var byteCount: Int {
    monitor.locked {
      tables.reduce(0) { sum, table in
        table.leaves.reduce(sum) { sum, leaf in
          leaf.entries.reduce(sum) { $0 + $1.keyByteCount + $1.valueByteCount }
        }
      }
    }
  }

  var lastNumber: UInt64 { monitor.locked { number } }

  /// Whether the journal's files are there.
  package var journalExists: Bool {
    get { monitor.locked { hasJournal } }
    set { monitor.locked { hasJournal = newValue } }
  }
}
