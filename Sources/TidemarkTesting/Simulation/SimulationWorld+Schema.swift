internal import Tidemark
internal import TidemarkEvents

// Stores take the scenario's next schema, and its rules, while events are on their way.

extension SimulationWorld {
  func adopt(_ node: SimulatedNode) throws {
    guard let next = scenario.nextSchema, node.schema == 0, try refresh(node) else { return }
    tell("\(node.name) takes the next schema")
    // Where the call is cut off, the store says when it is up again which of the two it has.
    node.isAdopting = true
    guard case .done = try call(node, "adopt", { try $0.adopt(schema: next) }) else { return }
    (node.schema, node.isAdopting) = (1, false)
    see(node.role == .authority ? .policyChanged : .schemaTaken)
    try absorb(node)
    for key in node.log.records.keys {
      guard let store = node.store else { return }
      try checkRecord(key, node, store)
    }
  }

  /// Which schema a store has that was opened again.
  func readSchema(_ node: SimulatedNode, _ store: Store, _ reason: Reload) throws {
    guard reason == .reopened else { return }
    let version = try store.identity.schema
    guard let found = models.versions.firstIndex(of: version) else {
      throw fail(.durability, "\(node.name) has a schema that nobody gave it")
    }
    guard found == node.schema || node.isAdopting else {
      throw fail(.durability, "\(node.name) had schema \(node.schema), and has \(found)")
    }
    (node.schema, node.isAdopting) = (found, false)
  }

  /// By which schema an authority decided: the one that it has; in what is read again, the one that the
  /// line names.
  func deciding(_ line: LogLine, _ node: SimulatedNode) throws -> Int {
    let named = line.policy.flatMap { models.versions.firstIndex(of: $0) }
    guard let named, isReading || named == node.schema else {
      throw fail(.acceptance, "\(node.name) decided \(line.dot) by a policy that it has not")
    }
    if line.schema != line.policy { see(.decidedByOtherRules) }
    return named
  }

  /// The faults have ended: every application is brought up to the authority's version.
  func adoptLast() throws {
    guard let next = scenario.nextSchema, nodes.contains(where: { $0.schema == 1 }) else { return }
    for node in nodes where node.schema == 0 {
      guard case .done = try call(node, "adopt", { try $0.adopt(schema: next) }) else {
        throw fail(.liveness, "\(node.name) cannot take the next schema after the faults")
      }
      node.schema = 1
      try absorb(node)
    }
  }
}
