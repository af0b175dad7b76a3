extension Simulation {
  /// A run that fails in the same way and is as short as can be found: steps are taken out, and choices
  /// made smaller, as long as the same invariant does not hold.
  /// - Parameter runCountMax: how many runs may be tried.
  /// - Complexity: so many runs.
  public func shrink(
    _ report: SimulationReport, runCountMax: Int = 2000,
    progress: (_ runCount: Int, _ stepCount: Int) -> Void = { _, _ in }
  ) -> SimulationReport {
    guard let failure = report.failure else { return report }
    var shrinker = Shrinker(self, failure.invariant, report, runCountMax)
    // Nothing after the step at which it was seen counts.
    shrinker.attempt(ChoiceTape(blocks: Array(report.tape.blocks.prefix(failure.step + 1))))
    var last = Int.max
    while shrinker.size < last, shrinker.hasRunsLeft {
      last = shrinker.size
      shrinker.removeSteps { progress($0, $1) }
      shrinker.simplifyWorld()
      shrinker.lowerChoices()
      progress(shrinker.runCount, shrinker.best.tape.stepCount)
    }
    return shrinker.best
  }
}

private struct Shrinker {
  private let simulation: Simulation
  private let invariant: Invariant
  private let runCountMax: Int
  private(set) var best: SimulationReport
  private(set) var runCount = 0

  init(
    _ simulation: Simulation, _ invariant: Invariant, _ report: SimulationReport,
    _ runCountMax: Int
  ) {
    self.simulation = simulation
    self.invariant = invariant
    self.runCountMax = runCountMax
    best = report
  }

  var hasRunsLeft: Bool { runCount < runCountMax }
  var size: Int { best.tape.blocks.reduce(0) { $0 + $1.count + 1 } }

  /// Runs a tape; it is the best now if it fails in the same way.
  @discardableResult
  mutating func attempt(_ tape: ChoiceTape) -> Bool {
    guard hasRunsLeft else { return false }
    runCount += 1
    let report = simulation.run(tape)
    guard report.failure?.invariant == invariant else { return false }
    best = report
    return true
  }

  /// Takes out ever smaller numbers of steps.
  mutating func removeSteps(_ progress: (Int, Int) -> Void) {
    var count = max(best.tape.stepCount / 2, 1)
    while count >= 1 {
      var start = 1
      while start < best.tape.blocks.count, hasRunsLeft {
        var tape = best.tape
        tape.blocks.removeSubrange(start..<min(start + count, tape.blocks.count))
        if !attempt(tape) { start += count }
        progress(runCount, best.tape.stepCount)
      }
      count /= 2
    }
  }

  /// Makes the world as plain as it can be: no fault, few devices.
  mutating func simplifyWorld() {
    guard let first = best.tape.blocks.first else { return }
    for index in first.indices where hasRunsLeft && first[index] != 0 {
      var tape = best.tape
      guard index < tape.blocks[0].count else { return }
      tape.blocks[0][index] = 0
      attempt(tape)
    }
  }

  /// Makes the numbers of every step smaller.
  mutating func lowerChoices() {
    var block = 1
    while block < best.tape.blocks.count, hasRunsLeft {
      var index = 0
      while index < best.tape.blocks[block].count, hasRunsLeft {
        let value = best.tape.blocks[block][index]
        for lower in [0, value / 2, value &- 1] where lower < value {
          var tape = best.tape
          tape.blocks[block][index] = lower
          if attempt(tape) { break }
          guard block < best.tape.blocks.count, index < best.tape.blocks[block].count else { break }
        }
        index += 1
        guard block < best.tape.blocks.count else { return }
      }
      block += 1
    }
  }
}
