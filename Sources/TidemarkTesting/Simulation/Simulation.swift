internal import Tidemark
internal import TidemarkEvents
public import TidemarkSchema

/// Simulated worlds of one scenario: an authority and its devices, whose stores are the real ones, in a
/// world of which every choice comes from a seed.
///
/// ```swift
/// let simulation = try Simulation(.feed)
/// let report = simulation.run(seed: 7)
/// if let failure = report.failure {
///   Issue.record("\(failure); replay with seed 7, or \(simulation.shrink(report).tape)")
/// }
/// ```
///
/// In a run, devices write, push, pull, and go offline; processes die, the power fails, disks fill up and
/// messages are lost, as `SimulationFault` says. After each step what the stores hold is compared with
/// a naive model; after the last, the faults end, everybody syncs, and all must agree.
///
/// A run takes some milliseconds, and is the same run wherever its seed is run.
public struct Simulation: Sendable {
  public let scenario: SimulationScenario
  public var options = SimulationOptions()
  private let models: SimulationModels

  /// - Throws: `SchemaError` where a schema of the scenario does not parse.
  public init(
    _ scenario: SimulationScenario, options: SimulationOptions = SimulationOptions()
  ) throws(SchemaError) {
    self.scenario = scenario
    self.options = options
    models = try SimulationModels([scenario.schema] + [scenario.nextSchema].compactMap(\.self))
  }

  /// One run, of a seed.
  public func run(seed: UInt64) -> SimulationReport {
    run(Choices(seed: seed), seed: seed)
  }

  /// One run, of the choices of another, or of a fixture.
  public func run(_ tape: ChoiceTape) -> SimulationReport {
    run(Choices(replaying: tape), seed: nil)
  }

  private func run(_ choices: Choices, seed: UInt64?) -> SimulationReport {
    let directory: TemporaryDirectory?
    do {
      directory = try options.directory.map { try TemporaryDirectory(in: $0) }
    } catch {
      return SimulationReport(
        seed: seed, tape: choices.tape, trace: 0,
        failure: SimulationFailure(
          invariant: .unexpectedError, message: "\(error)", step: 0, picture: ""),
        stepCount: 0, story: [], counts: SimulationCounts())
    }
    let world = SimulationWorld(
      scenario, models, options, choices, directory: directory?.path, tellsStory: seed == nil)
    var failure: SimulationFailure?
    do {
      try world.run()
    } catch let violation as SimulationViolation {
      failure = SimulationFailure(
        invariant: violation.invariant, message: violation.message, step: world.stepIndex,
        picture: SimulationPicture(world).text)
    } catch {
      failure = SimulationFailure(
        invariant: .unexpectedError, message: "\(error)", step: world.stepIndex,
        picture: SimulationPicture(world).text)
    }
    for node in world.nodes {
      node.store?.abandon()
      node.store = nil
    }
    return SimulationReport(
      seed: seed, tape: world.choices.tape, trace: world.trace.value, failure: failure,
      stepCount: world.stepIndex, story: world.story, counts: world.counts)
  }
}
