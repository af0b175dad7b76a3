/// What one child process does; several rows can come of it.
enum Scenario: String, CaseIterable, Sendable {
  /// The whole workload in batches, then reads of the store that it leaves.
  case batchRelaxed = "batch.relaxed"
  case batchFull = "batch.full"
  case singleRelaxed = "single.relaxed"
  case singleFull = "single.full"
  case writersFull = "writers.full"
  case merge = "merge"
  case mergeConcurrent = "merge.concurrent"
  case rejections = "rejections"
  case open = "open"
  case large = "large"

  var rows: [Row] {
    switch self {
    case .batchRelaxed: [.batchRelaxed, .get, .scan, .replay]
    case .batchFull: [.batchFull]
    case .singleRelaxed: [.singleRelaxed]
    case .singleFull: [.singleFull]
    case .writersFull: [.writersFull]
    case .merge: [.merge]
    case .mergeConcurrent: [.mergeConcurrent]
    case .rejections: [.rejections]
    case .open: [.open]
    case .large: [.largeStart, .largeEnd]
    }
  }

  /// Who takes part.
  func includes(_ peer: PeerName) -> Bool {
    switch self {
    case .batchRelaxed, .singleRelaxed: peer != .objectbox
    case .batchFull, .singleFull: true
    case .writersFull: !peer.isPython
    case .merge, .mergeConcurrent:
      peer == .tidemark || (peer.isPython && peer != .objectbox)
    case .rejections: peer == .tidemark
    // GRDB's file is the one that SQLite opens.
    case .open: !peer.isPython && peer != .grdb
    case .large: peer == .tidemark || peer == .lmdbAppend
    }
  }

  /// Takes so long that the first round is its only one.
  func isOnlyFirst(for peer: PeerName) -> Bool {
    peer.isPython || self == .open || self == .large
  }
}
