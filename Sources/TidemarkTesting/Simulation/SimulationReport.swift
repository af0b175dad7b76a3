/// What became of a simulated run.
public struct SimulationReport: Sendable {
  /// `nil` for a run of a tape.
  public let seed: UInt64?
  /// Every choice of the run.
  public let tape: ChoiceTape
  /// A hash of everything that happened: equal wherever the run is run.
  public let trace: UInt64
  /// `nil` where everything held.
  public let failure: SimulationFailure?
  public let stepCount: Int
  /// Of a tape's run, what happened, a line for each thing, with the number of its step.
  public let story: [String]
  let counts: SimulationCounts

  /// How often a sight was seen.
  public func count(of sight: Sight) -> Int { counts.sights[sight.place] }
  /// Events written and seen in a log.
  public var eventCount: Int { counts.eventCount }
}

/// What did not hold.
public struct SimulationFailure: Sendable, CustomStringConvertible {
  public let invariant: Invariant
  public let message: String
  /// The step, counted from 1, after which it was seen.
  public let step: Int
  /// The history of the records, in the notation of the documentation.
  public let picture: String

  public var description: String { "\(invariant.rawValue) at step \(step): \(message)" }
}

/// What many runs did, added up.
public struct SimulationSummary: Sendable {
  public private(set) var runCount = 0
  public private(set) var stepCount = 0
  public private(set) var eventCount = 0
  public private(set) var failureCount = 0
  /// Of the first run that failed.
  public private(set) var firstFailure: SimulationReport?
  /// A hash of all the runs' traces, in their order.
  public var trace: UInt64 { combined.value }
  private var combined = SimulationTrace()
  private var sights = [Int](repeating: 0, count: Sight.allCases.count)
  private var reasons: [String: Int] = [:]

  public init() {}

  public mutating func add(_ report: SimulationReport) {
    runCount += 1
    stepCount += report.stepCount
    eventCount += report.eventCount
    combined.note(report.trace)
    for (index, count) in report.counts.sights.enumerated() { sights[index] += count }
    reasons.merge(report.counts.reasons, uniquingKeysWith: +)
    if report.failure != nil {
      failureCount += 1
      firstFailure = firstFailure ?? report
    }
  }

  public func count(of sight: Sight) -> Int { sights[sight.place] }

  /// Events refused, by reason code, the commonest first.
  public var refusals: [(code: String, count: Int)] {
    reasons.filter { $0.value > 0 && $0.key != "accepted" }
      .map { (code: $0.key, count: $0.value) }
      .sorted { $0.count == $1.count ? $0.code < $1.code : $0.count > $1.count }
  }

  /// What never happened: a campaign should have seen everything.
  public var unseen: [Sight] { Sight.allCases.filter { count(of: $0) == 0 } }
}
