import Foundation

/// The command: a run with its table, or one child's part of one.
@main
enum BenchmarksCommand {
  static func main() {
    do {
      let arguments = Array(CommandLine.arguments.dropFirst())
      if arguments.contains("--help") || arguments.contains("-h") {
        return print(Options.usage, terminator: "")
      }
      let options = try Options(arguments)
      if let child = options.child { try child.run() } else { try run(options) }
    } catch {
      Progress.say("tidemark-benchmarks: \(error)")
      exit(1)
    }
  }

  private static func run(_ options: Options) throws {
    let started = Date()
    let parent = options.directory ?? PackageDirectory.path + "/.build/stores"
    let directory = "\(parent)/run-\(ProcessInfo.processInfo.processIdentifier)"
    Directory.removeStaleRuns(in: parent)
    try Directory.make(directory)
    defer { Directory.remove(directory) }
    let machine = try Machine.look(at: directory)
    guard !machine.fileSystem.isInMemory else {
      throw BenchmarkError(
        "\(parent) is in memory, where a sync costs nothing; name a directory on a disk")
    }
    print(MachineText.text(machine, options))
    var run = try BenchmarkRun(options, directory: directory)
    run.runAll()
    let report = Report(
      machine: machine, options: options, measurements: run.measurements, remarks: run.remarks,
      seconds: Date().timeIntervalSince(started))
    print(report.text)
    if let path = options.json { try report.json().write(to: URL(fileURLWithPath: path)) }
  }
}
