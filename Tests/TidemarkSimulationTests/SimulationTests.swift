import Testing
import Tidemark
import TidemarkTesting

/// The simulator on the model store and on real LMDB; a failure names its seed.
@Suite struct SimulationTests {
  static func simulation(_ change: (inout SimulationOptions) -> Void = { _ in }) throws
    -> Simulation
  {
    var options = SimulationOptions()
    options.stepCount = 200
    change(&options)
    return try Simulation(.feed, options: options)
  }

  @Test(arguments: [UInt64](1...40))
  func `everything holds in a simulated world`(seed: UInt64) throws {
    let report = try Self.simulation().run(seed: seed)
    #expect(report.failure == nil, "seed \(seed), 200 steps")
  }

  @Test(arguments: [UInt64](1...8))
  func `everything holds on real LMDB`(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    let simulation = try Self.simulation { $0.directory = directory.path }
    #expect(simulation.run(seed: seed).failure == nil, "seed \(seed), 200 steps")
  }

  @Test func `a directory that cannot be made is told, and no world runs`() throws {
    let simulation = try Self.simulation { $0.directory = "/nowhere/at/all" }
    let report = simulation.run(seed: 1)
    #expect(report.failure?.message.contains("/nowhere/at/all") == true)
    #expect(report.stepCount == 0)
  }

  @Test(arguments: [UInt64](100...105))
  func `a seed gives the same run each time, and its tape the same again`(seed: UInt64) throws {
    let simulation = try Self.simulation()
    let first = simulation.run(seed: seed)
    let second = simulation.run(seed: seed)
    #expect(first.trace == second.trace)
    #expect(first.tape == second.tape)
    let replayed = simulation.run(first.tape)
    #expect(replayed.trace == first.trace)
    #expect(!replayed.story.isEmpty)
  }

  @Test func `a tape's text gives the tape back, and other text nothing`() throws {
    let tape = try Self.simulation().run(seed: 3).tape
    #expect(ChoiceTape("# a note\n" + tape.description) == tape)
    #expect(ChoiceTape("1 2\n3 x") == nil)
    #expect(ChoiceTape("") == nil)
  }

  @Test func `an application's own check fails a run, which is made short`() throws {
    var scenario = SimulationScenario.feed
    // A planted fault: an application that believes that nobody ever likes anything.
    scenario.check = { store in
      var problems: [String] = []
      try store.forEachRecord(of: "Post") { view in
        if view["likes"] != nil { problems.append("\(view.id) is liked") }
        return true
      }
      return problems
    }
    let simulation = try Simulation(scenario, options: Self.simulation().options)
    let failing = (UInt64(1)...20).lazy.map { simulation.run(seed: $0) }.first { $0.failure != nil }
    let report = try #require(failing)
    #expect(report.failure?.invariant == .application)
    let short = simulation.shrink(report, runCountMax: 300)
    #expect(short.failure?.invariant == .application)
    #expect(short.tape.stepCount < report.tape.stepCount)
    #expect(simulation.run(short.tape).failure?.message == short.failure?.message)
    #expect(short.failure?.picture.contains("create Post") == true)
  }

  @Test func `a naive judge that is wrong is found out`() throws {
    var scenario = SimulationScenario.feed
    scenario.allows = { _ in true }
    let simulation = try Simulation(scenario, options: Self.simulation().options)
    let report = simulation.run(seed: 1)
    #expect(report.failure?.invariant == .acceptance)
  }

  @Test func `a scenario of an application's own schema runs without a judge`() throws {
    let schema = """
      type Book @model @auth(rules: [{ allow: private }]) {
        title: String!
        copies: Int @merge(as: counter)
        shelves: [String] @merge(as: set)
      }
      """
    let scenario = SimulationScenario(schema: schema, users: [.user("ann"), .user("bob")])
    let report = try Simulation(scenario, options: Self.simulation().options).run(seed: 11)
    #expect(report.failure == nil)
    #expect(report.eventCount > 0)
  }
}
