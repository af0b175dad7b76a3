import CLMDB
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The size and the state of a store's files.
public struct EnvironmentInfo: Hashable, Sendable {
  /// Address space of the map.
  public let mapByteCount: Int
  /// The pages that have ever been used; those in the middle may be free again.
  public let usedByteCount: Int
  public let pageByteCount: Int
  /// Read transactions under way, in all processes.
  public let readersInUse: Int
  public let readersMax: Int
  /// The id of the last commit.
  public let lastTransactionID: UInt64
  /// The id of the oldest state that a reader holds; nil when nobody reads. The further it is
  /// behind `lastTransactionID`, the more freed pages cannot be used again.
  public let oldestReaderTransactionID: UInt64?
}

/// A slot of the reader table that a process has taken.
public struct ReaderInfo: Hashable, Sendable {
  public let processID: Int32
  /// The state that is being read; nil while the slot is idle.
  public let transactionID: UInt64?
}

extension Environment {
  /// The size and the state of the store's files.
  /// - Complexity: O(reader slots).
  public var info: EnvironmentInfo {
    get throws(LMDBError) {
      if let memory {
        return EnvironmentInfo(
          mapByteCount: memory.disk.byteCount, usedByteCount: memory.disk.byteCount,
          pageByteCount: 1, readersInUse: 0, readersMax: options.readersMax,
          lastTransactionID: memory.disk.lastNumber, oldestReaderTransactionID: nil)
      }
      let reading = try readers().compactMap(\.transactionID)
      let handle = unsafe try enter()
      defer { gate.leave() }
      var info = unsafe MDB_envinfo()
      var status = MDB_stat()
      unsafe mdb_env_info(handle, &info)
      unsafe mdb_env_stat(handle, &status)
      return unsafe EnvironmentInfo(
        mapByteCount: info.me_mapsize,
        usedByteCount: (info.me_last_pgno + 1) * Int(status.ms_psize),
        pageByteCount: Int(status.ms_psize), readersInUse: reading.count,
        readersMax: Int(info.me_maxreaders),
        lastTransactionID: UInt64(truncatingIfNeeded: info.me_last_txnid),
        oldestReaderTransactionID: reading.min())
    }
  }

  /// The reader slots that are taken, by whom, and what they read.
  public func readers() throws(LMDBError) -> [ReaderInfo] {
    if memory != nil { return [] }
    let handle = unsafe try enter()
    defer { gate.leave() }
    var lines: [String] = []
    _ = unsafe withUnsafeMutablePointer(to: &lines) { pointer in
      unsafe mdb_reader_list(
        handle,
        { line, context in
          if let line = unsafe line, let context = unsafe context {
            unsafe context.assumingMemoryBound(to: [String].self).pointee
              .append(String(cString: line))
          }
          return 0
        }, pointer)
    }
    return lines.compactMap(ReaderInfo.init(line:))
  }

  /// Clears the slots of readers whose process has died, and says how many there were.
  @discardableResult
  public func clearStaleReaders() throws(LMDBError) -> Int {
    if memory != nil { return 0 }
    let handle = unsafe try enter()
    defer { gate.leave() }
    var dead: Int32 = 0
    let rc = unsafe mdb_reader_check(handle, &dead)
    guard rc == 0 else { throw LMDBError(rc: rc, operation: "clear stale readers") }
    return Int(dead)
  }

  /// Makes everything committed durable. Commits are already; this is for after a restore.
  /// - Throws: `readOnly`, `ioFailure`, `diskFull`.
  public func sync() throws(LMDBError) {
    if memory != nil { return }
    let handle = unsafe try enter()
    defer { gate.leave() }
    guard !options.readOnly else { throw LMDBError(.readOnly, operation: "sync") }
    let rc = unsafe mdb_env_sync(handle, 1)
    guard rc == 0 else { throw classify(LMDBError(rc: rc, operation: "sync"), directory) }
  }

  /// A process, other than this one, that has the store open; nil when there is none or it cannot
  /// be told. What to name where the store is busy.
  public var otherProcessID: Int32? {
    guard let descriptor = descriptors.withLock({ $0.lock }) else { return nil }
    var range = flock()
    range.l_type = Int16(F_WRLCK)
    range.l_whence = Int16(SEEK_SET)
    range.l_len = 1
    guard unsafe fcntl(descriptor, F_GETLK, &range) == 0, range.l_type != Int16(F_UNLCK) else {
      return nil
    }
    return range.l_pid
  }

  /// Counts the caller in as a user of the handle; it calls `gate.leave()` when it is done.
  func enter() throws(LMDBError) -> OpaquePointer {
    try checkFork()
    return unsafe try gate.enter()
  }
}

extension ReaderInfo {
  /// Reads `pid thread txnid`, where the last is `-` while idle; nil for the heading.
  init?(line: String) {
    let words = line.split { $0 == " " || $0 == "\n" }
    guard words.count == 3, let processID = Int32(words[0]) else { return nil }
    self.processID = processID
    transactionID = UInt64(words[2])
  }
}
