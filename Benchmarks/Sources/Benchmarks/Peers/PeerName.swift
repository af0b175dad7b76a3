/// The peers, in the order of the table.
enum PeerName: String, Codable, CaseIterable, Sendable {
  case lmdbAppend = "lmdb-append"
  case tidemark
  case lmdbNaive = "lmdb-naive"
  case sqlite = "sqlite-c"
  case grdb
  case automerge, loro, pycrdt, objectbox

  /// Run by a script in Python, where the machine has its library.
  var isPython: Bool {
    switch self {
    case .automerge, .loro, .pycrdt, .objectbox: true
    default: false
    }
  }

  /// The type that speaks for it; `nil` for one in Python.
  var type: (any Peer.Type)? {
    switch self {
    case .lmdbAppend: LMDBPeer.self
    case .lmdbNaive: NaiveLMDBPeer.self
    case .sqlite: SQLitePeer.self
    case .grdb: GRDBPeer.self
    case .tidemark: TidemarkPeer.self
    case .automerge, .loro, .pycrdt, .objectbox: nil
    }
  }

  /// What it does, and what a comparison with it leaves out.
  var note: String {
    switch self {
    case .lmdbAppend:
      """
      C on liblmdb, appends the event's bytes under an integer key: the limit. It keeps no \
      record, checks no rule and cannot merge. Its replay reads the log; relaxed is \
      MDB_NOSYNC, which a power cut can corrupt.
      """
    case .tidemark:
      """
      through its public API: every event authorized by the scenario's rules, stamped, \
      checksummed and mergeable. Its replay folds the log and compares it with the stored \
      view.
      """
    case .lmdbNaive:
      """
      C on liblmdb, the event and the current record under its random key in one transaction; \
      no rules, no merge. Relaxed is MDB_NOSYNC. Its get is a bare mdb_get, all in one \
      transaction; its replay makes the records anew.
      """
    case .sqlite:
      """
      C, prepared statements, an events table and the current row; WAL, NORMAL or FULL, a \
      checkpoint every 16384 pages, ids of 16 bytes. No rules, no merge. Its 64 writers share \
      a connection and sync one by one.
      """
    case .grdb:
      """
      the same through GRDB's DatabasePool with cached statements and hand-written SQL, not \
      Codable records, which are slower. Its get is in one read of the pool.
      """
    case .automerge:
      """
      from Python, so with its overhead; one document in memory, the changes of each commit \
      appended to a file and synced in full. No rules, no rejection; the counter is a \
      register. Its merge joins two documents in memory.
      """
    case .loro:
      """
      from Python, so with its overhead; one document in memory, the updates of each commit \
      appended to a file and synced in full. No rules; the counter is a register, so \
      concurrent likes are lost.
      """
    case .pycrdt:
      """
      Yrs from Python, so with its overhead; one document in memory, the update of each commit \
      appended to a file and synced in full. No rules; the counter is a register.
      """
    case .objectbox:
      """
      from Python, so with its overhead; an entity of events and one of posts with an indexed \
      id. No rules, no merge. It has no relaxed setting, so its commits are in the full rows \
      alone.
      """
    }
  }
}
