/// A row group of the table: one thing that is measured, for each peer that can do it.
enum Row: String, Codable, CaseIterable, Sendable {
  case batchRelaxed = "batch.relaxed"
  case batchFull = "batch.full"
  case singleRelaxed = "single.relaxed"
  case singleFull = "single.full"
  case writersFull = "writers.full"
  case get
  case scan
  case replay
  case merge
  case mergeConcurrent = "merge.concurrent"
  case rejections
  case open
  case largeStart = "large.start"
  case largeEnd = "large.end"

  var title: String {
    switch self {
    case .batchRelaxed: "Batches of 1000, relaxed"
    case .batchFull: "Batches of 1000, full"
    case .singleRelaxed: "One operation a commit, relaxed"
    case .singleFull: "One operation a commit, full"
    case .writersFull: "64 concurrent writers, one operation a commit, full"
    case .get: "Point reads of random posts"
    case .scan: "Scan of all posts"
    case .replay: "Replay from nothing"
    case .merge: "Merge of foreign edits, durable"
    case .mergeConcurrent:
      "Merge of foreign edits, a tenth of them with concurrent ones here, durable"
    case .rejections: "Rejections, with their tombstones and back at their author"
    case .open: "Cold open"
    case .largeStart: "The first operations of a large store, batches, relaxed"
    case .largeEnd: "The last operations of a large store, batches, relaxed"
    }
  }

  /// What is counted a second.
  var unit: String {
    switch self {
    case .get, .scan: "posts/s"
    case .replay: "events/s"
    case .merge, .mergeConcurrent: "edits/s"
    case .open: "opens/s"
    default: "op/s"
    }
  }

  /// The stores that its rates are set beside.
  var references: [PeerName] {
    switch self {
    case .get, .scan: [.lmdbNaive]
    case .merge, .mergeConcurrent, .rejections: []
    case .largeStart, .largeEnd: [.lmdbAppend]
    default: [.lmdbAppend, .lmdbNaive]
    }
  }
}
