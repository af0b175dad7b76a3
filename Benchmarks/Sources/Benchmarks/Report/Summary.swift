/// The medians over the rounds of one peer in one row.
struct Summary: Codable, Sendable {
  let peer: PeerName
  let row: Row
  let roundCount: Int
  let operationCount: Int
  let rate: Double
  /// By peer: this one's rate divided by that one's in the same round.
  var ratios: [String: Double] = [:]
  let processorMicroseconds: Double
  let flushesPerOperation: Double?
  let p50Microseconds: Double?
  let p99Microseconds: Double?
  let closeSeconds: Double?
  let logBytes: Int?
  let directoryBytes: Int?
  let peakMemoryBytes: Int?

  init(_ peer: PeerName, _ row: Row, _ own: [Measurement], beside all: [Measurement]) {
    func median(_ pick: (Measurement) -> Double?) -> Double? {
      let values = own.compactMap(pick)
      return values.isEmpty ? nil : Statistics.median(values)
    }
    func count(_ pick: (Measurement) -> Int?) -> Int? {
      median { pick($0).map(Double.init) }.map { Int($0) }
    }
    self.peer = peer
    self.row = row
    roundCount = Set(own.map(\.round)).count
    operationCount = own.first?.operationCount ?? 0
    rate = median(\.rate) ?? 0
    processorMicroseconds = median(\.processorMicroseconds) ?? 0
    flushesPerOperation = median { measurement in
      measurement.flushCount.map { Double($0) / Double(max(1, measurement.operationCount)) }
    }
    p50Microseconds = median(\.p50Microseconds)
    p99Microseconds = median(\.p99Microseconds)
    closeSeconds = median(\.closeSeconds)
    logBytes = count(\.logBytes)
    directoryBytes = count(\.directoryBytes)
    peakMemoryBytes = count(\.peakMemoryBytes)
    for reference in row.references where reference != peer {
      let others = all.filter { $0.peer == reference }
      ratios[reference.rawValue] = Measurement.rateRatio(of: own, to: others)
    }
  }
}
