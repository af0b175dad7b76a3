internal import Tidemark
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

/// One run: an authority and its devices, what is on the way between them, and everything that the
/// choices make of it. One thread, and no time but its own.
final class SimulationWorld {
  let scenario: SimulationScenario
  let options: SimulationOptions
  let models: SimulationModels
  var choices: Choices
  var now: UInt64 = 1_700_000_000_000
  /// When the clocks were last moved.
  var movedTo: UInt64 = 1_700_000_000_000
  var nodes: [SimulatedNode] = []
  var messages: [SimulatedMessage] = []
  var plan = SimulationPlan()
  var counts = SimulationCounts()
  var trace = SimulationTrace()
  var stepIndex = 0
  private let tellsStory: Bool
  private(set) var story: [String] = []
  /// A log is being read from its beginning, so that its decisions are not of now.
  var isReading = false

  /// What every label's transaction holds, as its author meant it.
  var truths: [String: [Event]] = [:]
  /// What was asked for, by label, until its truth is seen.
  var asked: [String: [Operation]] = [:]
  /// Labels that were refused, or whose write failed: nobody may ever hold one.
  var forbidden: Set<String> = []
  /// Labels that a power cut or a restored copy may have taken away.
  var mayVanish: Set<String> = []
  /// Labels of hostile transactions.
  var hostile: Set<String> = []
  var contexts: [ContextName: VersionVector] = [:]
  /// By label, as what it was seen first.
  var origins: [String: TransactionOrigin] = [:]
  /// Replicas of which something was issued again under another id.
  var movedReplicas: Set<ReplicaID> = []
  var clamps: [Dot: Stamp] = [:]
  var nextLabel = 0
  var attacker = SimulatedAttacker()
  private var entropy: SeededEntropy
  private let place: String?

  init(
    _ scenario: SimulationScenario, _ models: SimulationModels, _ options: SimulationOptions,
    _ choices: Choices, directory: String?, tellsStory: Bool
  ) {
    self.tellsStory = tellsStory
    self.scenario = scenario
    self.models = models
    self.options = options
    self.choices = choices
    place = directory
    entropy = SeededEntropy(seed: 0)
  }

  var authority: SimulatedNode { nodes[0] }

  /// Makes the world that the first block says.
  func populate() throws {
    _ = choices.beginBlock()
    plan = SimulationPlan(&choices, options)
    entropy = SeededEntropy(seed: UInt64(choices.below(1 << 20)))
    for place in 0...plan.deviceCount {
      let isAuthority = place == 0
      let isOptimistic = isAuthority ? false : !choices.happens(perThousand: 250)
      let isRelaxed = choices.happens(perThousand: 300)
      let node = SimulatedNode(
        place, isAuthority ? .authority : .device, isOptimistic ? .optimistic : .enforce,
        isRelaxed ? .relaxed : .full, newDisk(place), ManualClock(milliseconds: now),
        user: choices.below(scenario.users.count))
      nodes.append(node)
      watch(node)
      node.store = try Store.create(
        at: node.disk.directory, schema: scenario.schema, role: node.role,
        acceptance: node.acceptance, options: storeOptions(node))
    }
  }

  private func newDisk(_ number: Int) -> SimulatedDisk {
    place.map { .directory("\($0)/\(number)") } ?? .memory(MemoryDisk())
  }

  func copyPath() -> String { "\(place ?? "")/\(nodes.count)" }

  func storeOptions(_ node: SimulatedNode) -> StoreOptions {
    var options = StoreOptions()
    options.durability = node.durability
    let clock = node.clock
    options.wallMilliseconds = { clock.milliseconds }
    let entropy = entropy
    options.entropy = { entropy.next() }
    options.isInline = true
    options.tuning = plan.tuning
    options.mapByteCountInitial = 16 << 20
    options.limits.quarantineByteCountMax = 1 << 30
    options.memory = node.disk.memory.map { StoreMemory($0) }
    return options
  }

  // MARK: Running

  func run() throws {
    try populate()
    while stepIndex < options.stepCount, choices.beginBlock() {
      stepIndex += 1
      try step()
      trace.note(stepIndex)
    }
    try heal()
    try checkEnd()
  }

  /// Notes what happens, in a run of a tape, for people.
  func tell(_ text: @autoclosure () -> String) {
    if tellsStory { story.append("\(stepIndex)  \(text())") }
  }

  func see(_ sight: Sight) { counts.sights[sight.place] += 1 }

  func fail(_ invariant: Invariant, _ message: String) -> SimulationViolation {
    SimulationViolation(invariant: invariant, message: message)
  }
}

extension Sight {
  /// The place among all.
  var place: Int { Sight.places[self] ?? 0 }
  private static let places = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}

/// Random numbers for ids and tokens, from the run's seed, in the order in which they are asked for.
final class SeededEntropy: @unchecked Sendable {  // Of one thread only.
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  func next() -> UInt64 { generator.next() }
}

/// What a context belongs to: a dot may be of several transactions, where copies fork.
struct ContextName: Hashable {
  let dot: Dot
  let label: String
}

/// A transaction's replica, and what its author had seen.
struct TransactionOrigin {
  let replica: ReplicaID
  let contexts: [VersionVector]
}

/// The schemas as the naive model reads them.
struct SimulationModels: Sendable {
  /// The last: it names all that any store may hold.
  let schema: Schema
  let rules: [MergeRules]
  /// In the order in which stores take them.
  let all: [Schema]
  let versions: [SchemaVersion]

  init(_ sources: [String]) throws(SchemaError) {
    var all: [Schema] = []
    for source in sources { all.append(try Schema.parse(source)) }
    self.all = all
    versions = sources.map { SchemaVersion(source: $0) }
    schema = all[all.count - 1]
    rules = schema.models.map { MergeRules($0) }
  }

  func naive(_ log: NaiveLog, _ key: NaiveKey) -> NaiveRecord {
    NaiveRecord(log.live(key).map(\.fold), rules[key.model])
  }
}
