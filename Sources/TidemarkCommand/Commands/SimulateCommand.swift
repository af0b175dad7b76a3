import ArgumentParser
import Tidemark
import TidemarkJSON
import TidemarkTesting

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Run stores in simulated worlds, with faults, and check that they agree.",
    discussion: """
      Each run makes a world from its seed: an authority, two to five devices, their users and copies, \
      and of the faults some. The stores are real; the network, the clocks and the disk are not. After \
      each step what they hold is compared with a naive model; in the end all must agree.

      A run that fails is made as short as can be, drawn, and written to a file that --replay takes. The \
      words are those of Documentation/Simulation.md. Exit status 1 where a run failed.
      """)

  @Option(help: "The first run's seed; each run takes the next one.")
  var seed: UInt64 = 1

  @Option(help: "How many runs.")
  var runs = 1000

  @Option(help: "Steps in a run, before the faults end.")
  var steps = 500

  @Option(help: "End after so many seconds, whatever --runs says.")
  var seconds: Double?

  @Option(help: "memory: the model store, with every fault. lmdb: real stores in --directory.")
  var store: SimulatedStoreKind = .memory

  @Option(help: "Where the stores of --store lmdb lie; best in memory.")
  var directory = "/dev/shm"

  @Option(
    name: .customLong("fault"), parsing: .upToNextOption,
    help: "Only these faults: \(SimulationFault.allCases.map(\.rawValue).joined(separator: ", ")).",
    transform: SimulateCommand.fault)
  var faults: [SimulationFault] = []

  @Option(help: "A schema of your own in place of the reference scenario's.")
  var schema: String?

  @Option(help: "A run's choices, from a file that a failure left, in place of seeds.")
  var replay: String?

  @Option(help: "Where a failure is written; in the current directory where left out.")
  var output = "."

  @Flag(inversion: .prefixedNo, help: "Make a run that fails short.")
  var shrink = true

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard runs >= 1 else { throw ValidationError("--runs takes 1 or more") }
    guard (1...100_000).contains(steps) else {
      throw ValidationError("--steps takes 1 to 100000")
    }
    if let seconds, !(seconds > 0) { throw ValidationError("--seconds is more than 0") }
  }

  func run() throws {
    var report = SimulationOutput(isJSON: common.json, outputDirectory: output, isShrinking: shrink)
    let simulation = try simulation()
    if let replay {
      let text = String(
        decoding: try LineReader.contents(replay, byteCountMax: 16 << 20), as: UTF8.self)
      guard let tape = ChoiceTape(text) else {
        throw CommandError(.usage, "\(replay) holds no choices of a simulated run")
      }
      return try report.showReplay(simulation.run(tape))
    }
    var summary = SimulationSummary()
    let started = ContinuousClock.now
    for index in 0..<runs {
      let elapsed = (ContinuousClock.now - started).seconds
      if let seconds, elapsed >= seconds { break }
      let run = simulation.run(seed: seed &+ UInt64(index))
      summary.add(run)
      if run.failure != nil {
        try report.showFailure(run, simulation, command)
        throw ExitCode(ExitStatus.no.rawValue)
      }
      report.showProgress(summary, elapsed)
    }
    try report.showSummary(summary, (ContinuousClock.now - started).seconds)
  }

  private func simulation() throws -> Simulation {
    var options = SimulationOptions()
    options.stepCount = steps
    if !faults.isEmpty { options.faults = Set(faults) }
    if store == .lmdb { options.directory = directory }
    guard let schema else { return try Simulation(.feed, options: options) }
    var scenario = SimulationScenario(
      schema: try SchemaFile.source(schema), users: SimulationScenario.feed.users)
    scenario.allows = nil
    return try Simulation(scenario, options: options)
  }

  private static func fault(_ name: String) throws -> SimulationFault {
    guard let fault = SimulationFault(rawValue: name) else {
      throw ValidationError("there is no fault \(name)")
    }
    return fault
  }

  /// What makes the same world: the options that change what a seed means.
  private var command: String {
    var words = ["tidemark simulate"]
    if steps != 500 { words.append("--steps \(steps)") }
    if store != .memory { words.append("--store \(store.rawValue)") }
    if !faults.isEmpty {
      words.append("--fault " + faults.map(\.rawValue).joined(separator: " "))
    }
    if let schema { words.append("--schema \(schema)") }
    return words.joined(separator: " ")
  }
}

/// Where simulated stores lie.
enum SimulatedStoreKind: String, ExpressibleByArgument, CaseIterable {
  case memory, lmdb
}
