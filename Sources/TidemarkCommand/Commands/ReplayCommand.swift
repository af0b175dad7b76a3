import ArgumentParser
import Tidemark
import TidemarkJSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Rebuild the view from the first event and compare it with the stored one.",
    discussion: """
      With --until, the view of that moment is rebuilt and counted: no view of the past is stored \
      to compare it with. With --step, every event is shown as it is folded.
      """)

  @OptionGroup var store: StoreArgument

  @Option(help: "Only to this moment: a time, an event's dot, or a version vector.")
  var until: Moment?

  @Flag(help: "Show it event by event.")
  var step = false

  @Option(help: "With --step: so many times as fast as it happened, at most 2 s a step.")
  var speed: Double?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if let speed, !(speed > 0) { throw ValidationError("--speed is more than 0") }
  }

  func run() throws {
    let store = try store.open()
    if step { return try showSteps(store) }
    let started = ContinuousClock.now
    if let until { return try showPast(store, until) }
    let comparison = try store.replay()
    let seconds = (ContinuousClock.now - started).seconds
    if common.json {
      try Output.line(json(comparison, seconds))
    } else {
      show(comparison, seconds)
    }
    if !comparison.agrees { throw ExitCode(ExitStatus.no.rawValue) }
  }

  /// No view of the past is stored that this could be compared with.
  private func showPast(_ store: Store, _ moment: Moment) throws {
    let started = ContinuousClock.now
    var eventCount = 0
    var recordCount = 0
    try store.forEachStep(until: moment) { _, effect in
      if effect != .void { eventCount += 1 }
      return true
    }
    try store.forEachRecord(at: moment) { _ in
      recordCount += 1
      return true
    }
    guard common.json else {
      return Output.text(
        "\(eventCount) events folded to \(recordCount) records; `view --at` shows them")
    }
    var builder = JSONLine()
    builder.beginObject()
    builder.append("events", eventCount)
    builder.append("records", recordCount)
    builder.append("seconds", (ContinuousClock.now - started).seconds)
    builder.endObject()
    try Output.line(builder.bytes)
  }

  private func json(_ comparison: ViewComparison, _ seconds: Double) -> [UInt8] {
    var builder = JSONLine()
    builder.beginObject()
    builder.append("events", comparison.eventCount)
    builder.append("records", comparison.recordCount)
    builder.append("agrees", comparison.agrees)
    builder.append("view", comparison.view)
    builder.append(
      "differences",
      Value.list(
        comparison.differences.map {
          .object([.init("model", .string($0.model)), .init("id", .string($0.id.string))])
        }))
    builder.append("seconds", seconds)
    builder.endObject()
    return builder.bytes
  }

  private func show(_ comparison: ViewComparison, _ seconds: Double) {
    let rate = seconds > 0 ? Int(Double(comparison.eventCount) / seconds) : 0
    Output.text(
      "\(comparison.eventCount) events folded to \(comparison.recordCount) records, "
        + "\(rate) a second"
    )
    if comparison.agrees {
      Output.text(Text.green("agrees") + " with the stored view, \(comparison.view.prefix(16))…")
    } else {
      Output.text(
        Text.red("differs") + " from the stored view in \(comparison.differenceCount) records:")
      for difference in comparison.differences {
        Output.text("  \(difference.model) \(Text.visible(difference.id.string))")
      }
    }
  }

  private func showSteps(_ store: Store) throws {
    var last: UInt64?
    try store.forEachStep(until: until) { line, effect in
      let now = (line.effective ?? line.stamp).milliseconds
      if let speed, let last, now > last {
        usleep(UInt32(min(Double(now - last) / speed, 2000) * 1000))
      }
      last = now
      if common.json {
        var builder = JSONLine()
        builder.beginObject()
        line.appendKeys(to: &builder)
        builder.append("effect", effect.rawValue)
        builder.endObject()
        try Output.line(builder.bytes)
      } else {
        Output.text(stepText(line, effect))
      }
      if speed != nil { try Output.flush() }
      return true
    }
  }

  private func stepText(_ line: LogLine, _ effect: HistoryLine.Effect) -> String {
    let cells = [
      (line.effective ?? line.stamp).time, Text.padded(line.mark, to: 10),
      Text.padded(line.kindName, to: 9), Text.padded(Text.visible(line.recordName), to: 16),
      effect == .live ? "" : Text.dim(effect.rawValue),
      Text.visible(Text.shortened(line.summary, to: 60)),
    ]
    return cells.filter { !$0.isEmpty }.joined(separator: "  ")
  }
}
