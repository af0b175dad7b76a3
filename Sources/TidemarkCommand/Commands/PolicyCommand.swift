import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Check, try, replay and take a schema's rules.",
    subcommands: [
      PolicyCheckCommand.self, PolicyDecideCommand.self, PolicyModesCommand.self,
      PolicyCanCommand.self, PolicyDryRunCommand.self, PolicyAdoptCommand.self,
      PolicyVersionsCommand.self, PolicyBenchCommand.self,
    ])
}
