import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Check a schema's rules, or decide one hypothetical operation.",
    subcommands: [PolicyCheckCommand.self, PolicyDecideCommand.self])
}
