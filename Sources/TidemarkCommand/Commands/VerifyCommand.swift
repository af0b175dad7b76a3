import ArgumentParser
import Tidemark
import TidemarkJSON

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check everything that can be checked: checksums, hashes, order, causality, the view."
  )

  @OptionGroup var store: StoreArgument
  @OptionGroup var common: CommonOptions

  func run() throws {
    let report = try store.open().verify()
    if common.json {
      var builder = JSONLine()
      builder.beginObject()
      builder.append("sound", report.isSound)
      builder.append("events", report.eventCount)
      builder.append("tombstones", report.tombstoneCount)
      builder.append("records", report.recordCount)
      if report.portionCount > 0 { builder.append("portions", report.portionCount) }
      builder.append(
        "problems",
        Value.list(
          report.problems.map {
            .object([.init("code", .string($0.code)), .init("message", .string($0.message))])
          }))
      builder.endObject()
      try Output.line(builder.bytes)
    } else {
      Output.text(
        "\(report.eventCount) events, \(report.tombstoneCount) tombstones, "
          + "\(report.recordCount) records"
          + (report.portionCount > 0
            ? "; \(report.portionCount) transactions in portions, by the hashes that came with them"
            : "")
      )
      for problem in report.problems {
        Output.text("  \(Text.red(problem.code)): \(Text.visible(problem.message))")
      }
      Output.text(
        report.isSound ? Text.green("sound") : Text.red("\(report.problemCount) problems"))
    }
    if !report.isSound { throw ExitCode(ExitStatus.no.rawValue) }
  }
}
