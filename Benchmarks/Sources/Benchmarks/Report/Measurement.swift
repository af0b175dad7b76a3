/// What a child measured for one row.
struct Measurement: Codable, Sendable {
  var peer: PeerName
  var row: Row
  var round = 0
  /// Operations, posts, events or edits, as the row counts.
  var operationCount: Int
  var seconds: Double
  var processorSeconds: Double
  /// Of the whole device, in that time.
  var flushCount: Int?
  /// Of one commit, or one open.
  var p50Microseconds: Double?
  var p99Microseconds: Double?
  /// What closing took, with all that trailed behind.
  var closeSeconds: Double?
  var logBytes: Int?
  var directoryBytes: Int?
  /// Beyond the workload.
  var peakMemoryBytes: Int?

  var rate: Double { seconds > 0 ? Double(operationCount) / seconds : 0 }
  var processorMicroseconds: Double {
    operationCount > 0 ? processorSeconds * 1e6 / Double(operationCount) : 0
  }

  init(_ peer: PeerName, _ row: Row, _ operationCount: Int, _ reading: Stopwatch.Reading) {
    self.peer = peer
    self.row = row
    self.operationCount = operationCount
    seconds = reading.seconds
    processorSeconds = reading.processorSeconds
    flushCount = reading.flushCount
  }
}

extension Measurement {
  /// The median, over the rounds that both have, of the one's rate divided by the other's; `nil` where
  /// there is no such round.
  static func rateRatio(of own: [Measurement], to others: [Measurement]) -> Double? {
    let ratios = Set(own.map(\.round)).compactMap { round -> Double? in
      let mine = own.filter { $0.round == round }.map(\.rate)
      let theirs = others.filter { $0.round == round }.map(\.rate)
      guard !mine.isEmpty, !theirs.isEmpty else { return nil }
      return Statistics.median(mine) / Statistics.median(theirs)
    }
    return ratios.isEmpty ? nil : Statistics.median(ratios)
  }
}
