/// Looks up the figures that goals are about; `nil` where a run has not all of them.
struct Scoreboard {
  let measurements: [Measurement]

  private func find(_ peer: PeerName, _ row: Row) -> [Measurement] {
    measurements.filter { $0.peer == peer && $0.row == row }
  }

  /// Our rate to a peer's, within the round.
  private func ratio(_ row: Row, _ peer: PeerName) -> Double? {
    Measurement.rateRatio(of: find(.tidemark, row), to: find(peer, row))
  }

  func time(_ row: Row, to peer: PeerName, atMost bound: Double) -> Goal? {
    ratio(row, peer).map { ratio in
      Goal(
        what: "\(row.rawValue): time to \(peer.rawValue)'s", bound: "≤ \(bound)x",
        measured: NumberText.ratio(1 / ratio), isMet: 1 / ratio <= bound)
    }
  }

  func speed(_ row: Row, to peer: PeerName, atLeast bound: Double) -> Goal? {
    speed("\(row.rawValue): rate to \(peer.rawValue)'s", ratio(row, peer), atLeast: bound)
  }

  func speed(_ row: Row, besideOwn other: Row, atLeast bound: Double) -> Goal? {
    let ratio = Measurement.rateRatio(of: find(.tidemark, row), to: find(.tidemark, other))
    return speed("\(row.rawValue): rate to its own \(other.rawValue)", ratio, atLeast: bound)
  }

  /// Against the fastest of the CRDT libraries.
  func bestLibrary(_ row: Row, atLeast bound: Double) -> Goal? {
    let ratios = PeerName.allCases.filter(\.isPython).compactMap { peer in
      ratio(row, peer).map { (peer, $0) }
    }
    guard let (peer, ratio) = ratios.min(by: { $0.1 < $1.1 }) else { return nil }
    return speed(
      "\(row.rawValue): rate to the best library's, \(peer.rawValue)", ratio, atLeast: bound)
  }

  /// A million events a second where the append in C writes two.
  func replay() -> Goal? {
    let ratio = Measurement.rateRatio(
      of: find(.tidemark, .replay), to: find(.lmdbAppend, .batchRelaxed))
    return speed("replay: rate to lmdb-append's batch.relaxed", ratio, atLeast: 0.5)
  }

  func open(milliseconds bound: Double) -> Goal? {
    let times = find(.tidemark, .open).map { $0.seconds * 1000 }
    guard !times.isEmpty else { return nil }
    let milliseconds = Statistics.median(times)
    return Goal(
      what: "open: cold", bound: "≤ \(bound) ms",
      measured: NumberText.decimal(milliseconds, 1) + " ms", isMet: milliseconds <= bound)
  }

  func logBytes(_ values: ValueBytes, atMost bound: Double) -> Goal? {
    guard let own = find(.tidemark, .batchRelaxed).first, let bytes = own.logBytes else {
      return nil
    }
    let ratio = Double(bytes) / Double(max(1, own.operationCount)) / values.perOperation
    return Goal(
      what: "batch.relaxed: log bytes to the values'", bound: "≤ \(bound)x",
      measured: NumberText.ratio(ratio), isMet: ratio <= bound)
  }

  private func speed(_ what: String, _ ratio: Double?, atLeast bound: Double) -> Goal? {
    ratio.map {
      Goal(
        what: what, bound: "≥ \(bound)x", measured: NumberText.ratio($0), isMet: $0 >= bound)
    }
  }
}
