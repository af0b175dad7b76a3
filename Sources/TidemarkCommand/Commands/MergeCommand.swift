import ArgumentParser
import Tidemark
import TidemarkJSON
import TidemarkSync

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Bring INTO all that FROM has and it lacks, through INTO's acceptance.",
    discussion: """
      An authority judges what it is given; a device takes what an authority has decided. Only \
      INTO changes.
      """)

  @Argument(help: "The store to read.")
  var from: String

  @Argument(help: "The store to change.")
  var into: String

  @Option(
    name: .customLong("as"),
    help: """
      For whom a device asks; may be repeated. It submits their pending work and is given what they may \
      read. Left out: everybody's, and all.
      """)
  var principals: [PrincipalArgument] = []

  @OptionGroup var custom: CustomOption
  @OptionGroup var common: CommonOptions

  func run() throws {
    let (source, target) = try StorePair.open(from, into, authorizer: try custom.authorizer())
    defer { Progress.clear() }
    let summary = try Replication.merge(
      from: source, into: target, credentials: principals.credentials,
      readers: principals.credentials,
      progress: Progress.show)
    if common.json {
      var builder = JSONLine()
      builder.append(summary)
      return try Output.line(builder.bytes)
    }
    Output.text("\(from) → \(into): \(summary.text)")
    summary.showForks()
    summary.showHeld()
  }
}
