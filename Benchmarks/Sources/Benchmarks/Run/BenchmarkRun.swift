import Foundation

/// A whole run: rounds of children, each with every peer once.
struct BenchmarkRun {
  private let options: Options
  private let directory: String
  private let python: PythonPeers
  private(set) var measurements: [Measurement] = []
  /// What failed or was left out, each told in a line.
  private(set) var remarks: [String] = []

  static let openCount = 5

  init(_ options: Options, directory: String) throws {
    self.options = options
    self.directory = directory
    let wanted = options.peers.filter { peer in
      peer.isPython && Scenario.allCases.contains { BenchmarkRun.takes($0, peer, options) }
    }
    python = PythonPeers(wanted)
    for peer in wanted where !python.available.contains(peer) {
      remarks.append("\(peer.rawValue): skipped, its Python package is not to be had here")
    }
    if !python.available.isEmpty {
      _ = run("workloads", .lmdbAppend, directory + "/workloads")
    }
  }

  private static func takes(_ scenario: Scenario, _ peer: PeerName, _ options: Options) -> Bool {
    scenario.includes(peer) && scenario.rows.contains(where: options.selects)
  }

  mutating func runAll() {
    for round in 1...options.rounds {
      for scenario in Scenario.allCases { run(scenario, round) }
    }
  }

  private mutating func run(_ scenario: Scenario, _ round: Int) {
    // Each round begins with another peer, so that none always follows the same one.
    let peers = options.peers
    let start = peers.isEmpty ? 0 : (round - 1) % peers.count
    for peer in peers[start...] + peers[..<start] {
      guard BenchmarkRun.takes(scenario, peer, options) else { continue }
      if peer.isPython, !python.available.contains(peer) { continue }
      if round > 1, scenario.isOnlyFirst(for: peer) { continue }
      Progress.say("round \(round) of \(options.rounds): \(scenario.rawValue) \(peer.rawValue)")
      runOne(scenario, peer, round)
    }
  }

  private mutating func runOne(_ scenario: Scenario, _ peer: PeerName, _ round: Int) {
    let place = directory + "/child"
    Directory.remove(place)
    do { try Directory.make(place) } catch { return remarks.append("\(place): \(error)") }
    defer { Directory.remove(place) }
    Directory.settle(directory)
    if peer.isPython {
      take(
        python.run(
          scenario, peer, directory: place,
          workloads: "\(directory)/workloads/\(scenario.rawValue)", scale: options.scale),
        scenario, peer, round)
    } else {
      take(run(scenario.rawValue, peer, place), scenario, peer, round)
    }
    guard scenario == .open else { return }
    for _ in 0..<BenchmarkRun.openCount {
      Directory.settle(directory)
      take(run("opening", peer, place), scenario, peer, round)
    }
  }

  private func run(
    _ work: String, _ peer: PeerName, _ directory: String
  ) -> (measurements: [Measurement], failure: String?) {
    ChildProcess.run(
      PackageDirectory.executable,
      ["--child", work, peer.rawValue, directory, String(options.scale.divisor)])
  }

  private mutating func take(
    _ result: (measurements: [Measurement], failure: String?), _ scenario: Scenario,
    _ peer: PeerName, _ round: Int
  ) {
    for var measurement in result.measurements where options.selects(measurement.row) {
      measurement.round = round
      measurements.append(measurement)
    }
    guard let failure = result.failure else { return }
    let remark = "\(peer.rawValue) failed at \(scenario.rawValue): \(failure)"
    Progress.say(remark)
    if !remarks.contains(remark) { remarks.append(remark) }
  }
}
