import CPeers

/// The peer in C on SQLite: an events table and a table of current rows.
final class SQLitePeer: Peer, @unchecked Sendable {
  // Unchecked: `load` comes before any other thread, and the C peer takes calls from any.
  private let peer: OpaquePointer
  private var workload = Workload(creates: 0, updates: 0, deletes: 0)

  init(directory: String, durability: Durability) throws {
    try Directory.make(directory)
    var opened: OpaquePointer?
    try SQLitePeer.check(
      sqlite_peer_open(&opened, directory + "/posts.sqlite", durability == .relaxed ? 1 : 0))
    guard let opened else { throw BenchmarkError("SQLite opened nothing") }
    peer = opened
    try SQLitePeer.check(synchronous: sqlite_peer_synchronous(peer), for: durability)
  }

  func load(_ workload: Workload) throws { self.workload = workload }

  func commit(_ operations: Range<Int>) throws {
    try workload.withPeerWorkload {
      try SQLitePeer.check(sqlite_peer_commit(peer, $0, operations.lowerBound, operations.count))
    }
  }

  func close() throws { sqlite_peer_close(peer) }

  func get(_ posts: [UInt32]) throws -> Int? {
    var found = 0
    try workload.withPeerWorkload {
      try SQLitePeer.check(sqlite_peer_get(peer, $0, posts, posts.count, &found))
    }
    return found
  }

  func scan() throws -> Int? {
    var count = 0
    var checksum: UInt64 = 0
    try SQLitePeer.check(sqlite_peer_scan(peer, &count, &checksum))
    return count
  }

  func replay() throws -> Int? {
    var count = 0
    try SQLitePeer.check(sqlite_peer_rebuild(peer, &count))
    return count
  }

  func touch() throws {
    var sequence: UInt64 = 0
    try SQLitePeer.check(sqlite_peer_last(peer, &sequence))
    guard sequence > 0 else { throw BenchmarkError("the SQLite log is empty") }
  }

  /// FULL is 2 and NORMAL is 1; a row that says one must not measure the other.
  static func check(synchronous level: Int32, for durability: Durability) throws {
    guard level == (durability == .full ? 2 : 1) else {
      throw BenchmarkError("PRAGMA synchronous is \(level), which is not \(durability)")
    }
  }

  private static func check(_ status: Int32) throws {
    guard status == 0 else {
      throw BenchmarkError("SQLite: \(String(cString: sqlite_peer_message(status)))")
    }
  }
}
