import CPeers
import Foundation
import GRDB

/// The same tables and statements as the peer in C, through GRDB with cached statements.
final class GRDBPeer: Peer, @unchecked Sendable {
  // Unchecked: `load` comes before any other thread, and the pool takes calls from any.
  private let pool: DatabasePool
  /// By operation: what its event's row takes.
  private var events: [StatementArguments] = []
  /// By operation: what its record's row takes.
  private var rows: [StatementArguments] = []
  private var kinds: [Int] = []
  private var keys: [Data] = []

  init(directory: String, durability: Durability) throws {
    try Directory.make(directory)
    var configuration = Configuration()
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA wal_autocheckpoint = 16384")
    }
    pool = try DatabasePool(path: directory + "/posts.sqlite", configuration: configuration)
    try pool.writeWithoutTransaction { database in
      // After opening: the pool itself sets NORMAL when it has made its connection.
      let level = durability == .full ? "FULL" : "NORMAL"
      try database.execute(sql: "PRAGMA synchronous = \(level)")
      try SQLitePeer.check(
        synchronous: Int32.fetchOne(database, sql: "PRAGMA synchronous") ?? -1, for: durability)
      try database.execute(sql: String(cString: sqlite_peer_schema))
    }
  }

  func load(_ workload: Workload) throws {
    let posts = workload.stringPosts()
    keys = posts.indices.map { Data(workload.keys[($0 * 16)..<($0 * 16 + 16)]) }
    kinds = workload.operations.map { Int($0.kind) }
    events = workload.operations.indices.map { [workload.event($0)] }
    rows = workload.operations.map { operation in
      let key = keys[Int(operation.post)]
      guard Int(operation.kind) == PEER_CREATE else { return [key] }
      let post = posts[Int(operation.post)]
      return [key, post.title, post.text, post.owner, post.date]
    }
  }

  func commit(_ operations: Range<Int>) throws {
    try pool.write { database in
      let append = try database.cachedStatement(sql: "INSERT INTO events (body) VALUES (?)")
      let statements = try [
        "INSERT INTO posts (id, title, text, owner, date, likes) VALUES (?, ?, ?, ?, ?, 1)",
        "UPDATE posts SET likes = likes + 1 WHERE id = ?",
        "DELETE FROM posts WHERE id = ?",
      ].map { try database.cachedStatement(sql: $0) }
      for index in operations {
        append.setUncheckedArguments(events[index])
        try append.execute()
        let statement = statements[kinds[index]]
        statement.setUncheckedArguments(rows[index])
        try statement.execute()
      }
    }
  }

  func close() throws { try pool.close() }

  /// All in one read of the pool: an application that asks for one post at a time pays more.
  func get(_ posts: [UInt32]) throws -> Int? {
    try pool.read { database in
      let statement = try database.cachedStatement(
        sql: "SELECT id, title, text, owner, date, likes FROM posts WHERE id = ?")
      var found = 0
      for post in posts {
        statement.setUncheckedArguments([keys[Int(post)]])
        if let post = try StoredPost.fetchOne(statement), post.likes > 0 { found += 1 }
      }
      return found
    }
  }

  func scan() throws -> Int? {
    try pool.read { database in
      let statement = try database.cachedStatement(
        sql: "SELECT id, title, text, owner, date, likes FROM posts")
      let cursor = try StoredPost.fetchCursor(statement)
      var count = 0
      while let post = try cursor.next() { count += post.likes > 0 ? 1 : 0 }
      return count
    }
  }

  func touch() throws {
    let last = try pool.read { try Int.fetchOne($0, sql: "SELECT max(sequence) FROM events") }
    guard last != nil else { throw BenchmarkError("the GRDB log is empty") }
  }
}

/// A row as a struct: columns by their place, which is GRDB's fastest way.
private struct StoredPost: FetchableRecord {
  let id: Data
  let title: String
  let text: String
  let owner: String
  let date: String
  let likes: Int64

  init(row: GRDB.Row) {
    id = row[0]
    title = row[1]
    text = row[2]
    owner = row[3]
    date = row[4]
    likes = row[5]
  }
}

extension Workload {
  /// The bytes of an operation's event.
  fileprivate func event(_ index: Int) -> Data {
    withPeerWorkload { workload in
      var event = Data(count: peer_event_length(operations[index].kind))
      event.withUnsafeMutableBytes { bytes in
        peer_event_encode(
          bytes.bindMemory(to: UInt8.self).baseAddress, UInt64(index), workload, operations[index])
      }
      return event
    }
  }
}
