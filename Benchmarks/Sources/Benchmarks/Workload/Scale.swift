/// How much each scenario does.
struct Scale: Sendable {
  /// 1, or 10 for a quick look.
  let divisor: Int

  static let batchCount = 1000
  static let writerCount = 64

  var batched: Int { 320_000 / divisor }
  var singleRelaxed: Int { 20_000 / divisor }
  /// Each waits for the disk: a tenth of them would be too few for a 99th percentile.
  var singleFull: Int { divisor == 1 ? 2_000 : 500 }
  /// For a peer that syncs for each of its writers, and for one whose writers share a sync.
  var concurrent: Int { 6_400 / divisor }
  var concurrentShared: Int { 64_000 / divisor }
  var mergeBase: Int { 20_000 / divisor }
  var mergeEdits: Int { 100_000 / divisor }
  var rejections: Int { 10_000 / divisor }
  var opened: Int { 1_000_000 / divisor }
  var large: Int { 10_000_000 / divisor }
  /// The rate of a large store is that of its last so many operations.
  var largeChunk: Int { 100_000 / divisor }
}
