import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Check a schema's rules, decide hypothetical operations, list authorization modes.",
    subcommands: [
      PolicyCheckCommand.self, PolicyDecideCommand.self, PolicyModesCommand.self,
    ])
}
