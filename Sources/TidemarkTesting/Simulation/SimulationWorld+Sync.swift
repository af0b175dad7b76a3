internal import Tidemark
internal import TidemarkEvents
internal import TidemarkSync

// A device syncs with the authority in one go, with the credentials that it has at the moment.

extension SimulationWorld {
  func sync(_ node: SimulatedNode) throws {
    guard node.store != nil, authority.store != nil, !node.isDeaf, !node.isMute else { return }
    let credentials = credentials(of: node)
    var withheld: Set<String> = []
    if let credentials {
      guard try refresh(node), try refresh(authority) else { return }
      withheld = self.withheld(node, credentials)
    }
    tell("\(node.name) syncs" + (credentials == nil ? "" : " with its user's credential"))
    let called = try call([node, authority], "sync") {
      try Replication.sync($0[0], $0[1], credentials: credentials)
    }
    guard case .done(let (toAuthority, toDevice)) = called else {
      try refresh(authority)
      return try recheck(node)
    }
    trace.note(toAuthority.takenCount &* 31 &+ toDevice.takenCount)
    let isMoved = !toAuthority.forks.isEmpty || !toDevice.forks.isEmpty
    if isMoved { see(.forkHealed) }
    try absorb(authority)
    if isMoved { try reload(node, .reissued) } else { try absorb(node) }
    try checkCursor(node, authority)
    try checkHeld(toAuthority.held, withheld, node)
    guard
      !toAuthority.held.isEmpty
        || node.log.vector == authority.log.vector && node.log.void == authority.log.void
    else {
      throw fail(.honestAnswers, "\(node.name) has synced, and holds other events than A")
    }
  }

  /// The present user's alone, which may have expired; `nil` for everybody's.
  private func credentials(of node: SimulatedNode) -> [Credential]? {
    guard plan.faults.contains(.userSwitch), choices.below(2) == 1 else { return nil }
    let isExpired = choices.below(4) == 0
    return [Credential(scenario.users[node.user], expiresMilliseconds: isExpired ? 1 : nil)]
  }

  /// The labels of a device's undecided transactions for which none of the credentials stands.
  private func withheld(_ node: SimulatedNode, _ credentials: [Credential]) -> Set<String> {
    let vouched = credentials.filter { $0.expiresMilliseconds == nil }.map(\.principal)
    var labels: Set<String> = []
    for label in node.log.payloads.keys
    where authority.log.payloads[label] == nil && authority.log.voided[label] == nil {
      let events = truths[label] ?? []
      if events.contains(where: { $0.principal.subject != nil && !vouched.contains($0.principal) })
      {
        labels.insert(label)
      }
    }
    return labels
  }

  /// Nobody sends what its author does not vouch for.
  private func checkHeld(
    _ held: [HeldWork], _ withheld: Set<String>, _ node: SimulatedNode
  ) throws {
    for work in held {
      switch work.reason {
      case .notSignedIn: see(.heldForAnother)
      case .expired: see(.heldExpired)
      case .behind: break
      }
    }
    for label in withheld
    where authority.log.payloads[label] != nil || authority.log.voided[label] != nil {
      throw fail(.isolation, "\(node.name) sent \(label), for which nobody vouches")
    }
  }
}
