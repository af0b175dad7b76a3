import ArgumentParser
import Tidemark
import TidemarkJSON

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run the reference scenario on three stores: a cloud, a phone and a tablet.",
    discussion: """
      The stores stay where they are made, so that every other command can be tried on them. Exit \
      status 1 if anything is not as the story says.
      """)

  @Argument(help: "Where to make the stores; a new temporary directory where left out.")
  var directory: String?

  @OptionGroup var common: CommonOptions

  func run() throws {
    let scenario = try DemoScenario(
      directory ?? TemporaryPath.make(), teller: Teller(isQuiet: common.json))
    try scenario.run()
    if common.json {
      var builder = JSONLine()
      builder.beginObject()
      builder.append("directory", scenario.directory)
      builder.append("checks", scenario.teller.checkCount)
      builder.append("failed", scenario.teller.failureCount)
      builder.append("view", try scenario.cloud.digest().view)
      builder.endObject()
      try Output.line(builder.bytes)
    }
    if scenario.teller.failureCount > 0 { throw ExitCode(ExitStatus.no.rawValue) }
  }
}
