import ArgumentParser
import Tidemark

/// The `tidemark` command: reads, replays, explains, verifies and compares stores.
@main
struct TidemarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tidemark",
    abstract: "Write to, read, replay, explain and compare Tidemark stores.",
    discussion: """
      Every command takes --json: one JSON object a line on standard output, nothing else.
      Exit status: 0 done; 1 it says no: a check failed, an event was rejected; 2 bad usage or \
      input; 3 the store cannot be read or written.
      """,
    version: "0.1.0",
    subcommands: [
      InitCommand.self, ApplyCommand.self, ViewCommand.self, LogCommand.self, HistoryCommand.self,
      ExplainCommand.self, RejectionsCommand.self, ConflictsCommand.self, DanglingCommand.self,
      MergeCommand.self, SyncCommand.self, ReplayCommand.self, DigestCommand.self, DiffCommand.self,
      VerifyCommand.self, StatsCommand.self, BackupCommand.self, ImportCommand.self,
      ExportCommand.self, SignInCommand.self, SignOutCommand.self, PendingCommand.self,
      PolicyCommand.self, CodegenCommand.self, SimulateCommand.self, BenchCommand.self,
      DemoCommand.self,
    ])

  /// Parses, runs, and ends with the exit status that the contract gives each kind of failure.
  static func main() {
    CrashHandler.install()
    do {
      var command = try parseAsRoot()
      try command.run()
      try Output.flush()
    } catch {
      ExitStatus.end(with: error, of: self)
    }
  }
}
