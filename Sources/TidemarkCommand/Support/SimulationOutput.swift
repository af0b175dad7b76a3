import ArgumentParser
import Tidemark
import TidemarkJSON
import TidemarkTesting

/// What `simulate` tells.
struct SimulationOutput {
  let isJSON: Bool
  let outputDirectory: String
  let isShrinking: Bool
  private var shownAt = ContinuousClock.now
  private var isProgressShown = false

  init(isJSON: Bool, outputDirectory: String, isShrinking: Bool) {
    self.isShrinking = isShrinking
    self.isJSON = isJSON
    self.outputDirectory = outputDirectory
  }

  // MARK: Progress

  /// A line that is written over, on a terminal, a few times a second.
  mutating func showProgress(_ summary: SimulationSummary, _ seconds: Double) {
    guard StandardError.isTerminal, !isJSON else { return }
    let now = ContinuousClock.now
    guard (now - shownAt).seconds > 0.2 else { return }
    shownAt = now
    isProgressShown = true
    let rate = seconds > 0 ? Int(Double(summary.runCount) / seconds) : 0
    StandardError.write(
      "\r\(summary.runCount) runs, \(summary.eventCount) events, \(rate) runs a second ")
  }

  private mutating func endProgress() {
    if isProgressShown { StandardError.write("\r\u{1b}[K") }
    isProgressShown = false
  }

  // MARK: Summary

  mutating func showSummary(_ summary: SimulationSummary, _ seconds: Double) throws {
    endProgress()
    if isJSON { return try Output.line(json(summary, seconds)) }
    let rate = seconds > 0 ? Double(summary.runCount) / seconds : 0
    Output.text(
      "\(summary.runCount) runs, \(summary.stepCount) steps, \(summary.eventCount) events in "
        + "\(decimal(seconds)) s, \(decimal(rate)) runs a second: "
        + Text.green("everything held") + ", trace \(summary.trace)")
    var table = TextTable(["what happened", "times"])
    for sight in Sight.allCases where summary.count(of: sight) > 0 {
      table.add([sight.rawValue, "\(summary.count(of: sight))"])
    }
    try table.show()
    if !summary.refusals.isEmpty {
      var table = TextTable(["refused because", "events"])
      for refusal in summary.refusals { table.add([refusal.code, "\(refusal.count)"]) }
      try table.show()
    }
    if !summary.unseen.isEmpty {
      Output.text(
        "never happened: " + summary.unseen.map(\.rawValue).joined(separator: ", "))
    }
  }

  private func json(_ summary: SimulationSummary, _ seconds: Double) -> [UInt8] {
    var builder = JSONLine()
    builder.beginObject()
    builder.append("runs", summary.runCount)
    builder.append("steps", summary.stepCount)
    builder.append("events", summary.eventCount)
    builder.append("failures", summary.failureCount)
    builder.append("seconds", seconds)
    builder.append("trace", summary.trace)
    builder.append(
      "sights",
      Value.object(
        Sight.allCases.map { .init($0.rawValue, .int(Int64(summary.count(of: $0)))) }))
    builder.append(
      "refusals",
      Value.object(summary.refusals.map { .init($0.code, .int(Int64($0.count))) }))
    builder.endObject()
    return builder.bytes
  }

  // MARK: Failures

  mutating func showFailure(
    _ report: SimulationReport, _ simulation: Simulation, _ command: String
  ) throws {
    endProgress()
    guard let failure = report.failure, let seed = report.seed else { return }
    if !isJSON {
      Output.text(Text.red("seed \(seed) fails") + ": \(Text.visible(failure.description))")
      Output.text("replay it with: \(command) --seed \(seed) --runs 1")
      if isShrinking { Output.text("making it short …") }
      try Output.flush()
    }
    let short = isShrinking ? simulation.shrink(report) : simulation.run(report.tape)
    let path = "\(outputDirectory)/simulation-\(seed).tape"
    let note = "# \(command) --seed \(seed): \(failure.invariant.rawValue)\n"
    try FileWriter.write(Array((note + short.tape.description + "\n").utf8), to: path)
    try show(short, seed: seed, path: path)
  }

  func showReplay(_ report: SimulationReport) throws {
    try show(report, seed: nil, path: nil)
    if report.failure != nil { throw ExitCode(ExitStatus.no.rawValue) }
  }

  private func show(_ report: SimulationReport, seed: UInt64?, path: String?) throws {
    if isJSON {
      var builder = JSONLine()
      builder.beginObject()
      if let seed { builder.append("seed", seed.description) }
      builder.append("holds", report.failure == nil)
      builder.append("steps", report.tape.stepCount)
      builder.append("trace", report.trace)
      if let failure = report.failure {
        builder.append("invariant", failure.invariant.rawValue)
        builder.append("message", failure.message)
        builder.append("picture", failure.picture)
      }
      if let path { builder.append("tape", path) }
      builder.endObject()
      return try Output.line(builder.bytes)
    }
    for line in report.story { Output.text(Text.visible(line)) }
    guard let failure = report.failure else {
      return Output.text(
        Text.green("everything held") + " in \(report.stepCount) steps, trace \(report.trace)")
    }
    Output.text(
      "\(failure.invariant.rawValue) does not hold after \(failure.step) of "
        + "\(report.tape.stepCount) steps: \(Text.visible(failure.message))")
    for line in failure.picture.split(separator: "\n") { Output.text(Text.visible(String(line))) }
    if let path { Output.text("the short one: tidemark simulate --replay \(path)") }
  }
}

/// Tenths.
private func decimal(_ number: Double) -> String {
  let tenths = Int((number * 10).rounded())
  return "\(tenths / 10).\(tenths % 10)"
}
