import CPeers

/// The peers in C on LMDB: the limit, which appends the events, and the naive store, which puts the
/// record of each under its random key too.
class LMDBPeer: Peer, @unchecked Sendable {
  // Unchecked: `load` comes before any other thread, and the C peer takes calls from any.
  private let peer: OpaquePointer
  private var workload = Workload(creates: 0, updates: 0, deletes: 0)

  class var keepsRecords: Bool { false }

  required init(directory: String, durability: Durability) throws {
    try Directory.make(directory)
    var opened: OpaquePointer?
    try LMDBPeer.check(
      lmdb_peer_open(
        &opened, directory, Self.keepsRecords ? 1 : 0, durability == .relaxed ? 1 : 0))
    guard let opened else { throw BenchmarkError("LMDB opened nothing") }
    peer = opened
  }

  func load(_ workload: Workload) throws { self.workload = workload }

  func commit(_ operations: Range<Int>) throws {
    try workload.withPeerWorkload {
      try LMDBPeer.check(lmdb_peer_commit(peer, $0, operations.lowerBound, operations.count))
    }
  }

  func close() throws { lmdb_peer_close(peer) }

  func get(_ posts: [UInt32]) throws -> Int? {
    guard Self.keepsRecords else { return nil }
    var found = 0
    try workload.withPeerWorkload {
      try LMDBPeer.check(lmdb_peer_get(peer, $0, posts, posts.count, &found))
    }
    return found
  }

  func scan() throws -> Int? {
    guard Self.keepsRecords else { return nil }
    var count = 0
    var checksum: UInt64 = 0
    try LMDBPeer.check(lmdb_peer_scan(peer, &count, &checksum))
    return count
  }

  func replay() throws -> Int? {
    var count = 0
    var checksum: UInt64 = 0
    if Self.keepsRecords {
      try LMDBPeer.check(lmdb_peer_rebuild(peer, &count))
    } else {
      try LMDBPeer.check(lmdb_peer_replay(peer, &count, &checksum))
    }
    return count
  }

  func touch() throws {
    var sequence: UInt64 = 0
    try LMDBPeer.check(lmdb_peer_last(peer, &sequence))
    guard sequence > 0 else { throw BenchmarkError("the LMDB log is empty") }
  }

  func logBytes() throws -> Int? {
    var bytes: UInt64 = 0
    try LMDBPeer.check(lmdb_peer_log_bytes(peer, &bytes))
    return Int(bytes)
  }

  private static func check(_ status: Int32) throws {
    guard status == 0 else {
      throw BenchmarkError("LMDB: \(String(cString: lmdb_peer_message(status)))")
    }
  }
}

/// The naive store: event and record.
final class NaiveLMDBPeer: LMDBPeer, @unchecked Sendable {
  // Unchecked: as its superclass.
  override class var keepsRecords: Bool { true }
}
