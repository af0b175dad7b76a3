internal import Tidemark
internal import TidemarkEvents
internal import TidemarkSync

// The faults end; everybody syncs; then all must agree, now, from the first event, and opened anew.

extension SimulationWorld {
  /// Ends the faults, and lets everybody sync until nothing moves.
  func heal() throws {
    tell("the faults end")
    messages.removeAll()
    for node in nodes {
      (node.isDeaf, node.isMute) = (false, false)
      node.fault = ArmedFault()
      node.rate = 1000
      // The application would open a store anew whose disk had failed.
      if node.store != nil {
        node.disk.crash()
        die(node)
      }
      try start(node)
      guard node.store != nil else {
        throw fail(.liveness, "\(node.name) does not come up after the faults have ended")
      }
    }
    try adoptLast()
    let roundCountMax = 4 + nodes.count
    for round in 1... {
      let before = nodes.map { ($0.log.lastLSN, $0.log.vector) }
      for node in nodes.dropFirst() {
        let result = try call([node, authority], "heal") {
          try Replication.sync($0[0], $0[1])
        }
        guard case .done(let (toAuthority, toDevice)) = result else {
          throw fail(.liveness, "\(node.name) cannot sync after the faults have ended")
        }
        try absorb(authority)
        if toAuthority.forks.isEmpty, toDevice.forks.isEmpty {
          try absorb(node)
        } else {
          see(.forkHealed)
          try reload(node, .reissued)
        }
      }
      let after = nodes.map { ($0.log.lastLSN, $0.log.vector) }
      if zip(before, after).allSatisfy({ $0 == $1 }) { break }
      guard round < roundCountMax else {
        throw fail(.liveness, "after \(round) rounds stores still move")
      }
    }
  }

  /// Everybody agrees with everybody, with the model, and with themselves.
  func checkEnd() throws {
    try checkTotality()
    let views = Dictionary(
      uniqueKeysWithValues: authority.log.records.keys.map { ($0, models.naive(authority.log, $0)) }
    )
    for node in nodes {
      try checkDigest(node, views)
      try checkSound(node)
    }
    for node in nodes {
      guard let store = node.store else { continue }
      let digest = try store.digest()
      // Half of them in order, half as the power left them.
      if node.place % 2 == 0 { store.close() }
      die(node)
      node.disk.crash()
      try start(node, readsWhole: true)
      guard try node.store?.digest() == digest else {
        throw fail(.convergence, "\(node.name) opened anew has another digest")
      }
      if let check = scenario.check, let store = node.store, let problem = try check(store).first {
        throw fail(.application, "\(node.name) opened anew: \(problem)")
      }
    }
  }

  /// - Parameter views: the naive view of the authority's log.
  private func checkDigest(
    _ node: SimulatedNode, _ views: [NaiveKey: NaiveRecord]
  ) throws {
    guard let store = node.store, let other = authority.store else { return }
    let mine = try store.digest()
    let theirs = try other.digest()
    trace.note(mine.view)
    trace.note(mine.live)
    guard mine == theirs else {
      let what =
        mine.void != theirs.void ? "void dots" : mine.live != theirs.live ? "events" : "a view"
      throw fail(.convergence, "\(node.name) and A have not the same \(what)")
    }
    guard node.log.vector == authority.log.vector, node.log.void == authority.log.void else {
      throw fail(.convergence, "\(node.name) and A hold other events")
    }
    for key in Set(node.log.records.keys).union(views.keys) {
      let view = models.naive(node.log, key)
      guard view == views[key] ?? models.naive(authority.log, key) else {
        throw fail(.convergence, "\(key.id) is not the same at \(node.name) and A")
      }
      try checkRecord(key, view, node, store)
    }
  }

  private func checkSound(_ node: SimulatedNode) throws {
    guard let store = node.store else { return }
    if let problem = try store.verify().problems.first {
      throw fail(.chain, "\(node.name): \(problem.code), \(problem.message)")
    }
    guard try store.replay(hashesView: false).agrees else {
      throw fail(.viewIsFold, "the view of \(node.name) is not what its log gives")
    }
    if node.role == .device {
      let told = Set(try store.rejections().map(\.line.dot))
      let own = node.log.records.values.joined().filter {
        node.log.void.contains($0.dot) && node.attempted.contains($0.label)
      }
      for event in own where !told.contains(event.dot) {
        throw fail(.totality, "\(node.name) is not told that \(event.dot) was rejected")
      }
    }
    if let check = scenario.check, let problem = try check(store).first {
      throw fail(.application, "\(node.name): \(problem)")
    }
  }

  /// Everything that anybody wrote was decided, once.
  private func checkTotality() throws {
    let log = authority.log
    for node in nodes {
      for label in node.acknowledged where !mayVanish.contains(label) {
        guard log.payloads[label] != nil || log.voided[label] != nil else {
          throw fail(.nothingVanishes, "\(label) of \(node.name) never came to A")
        }
      }
      for (label, _) in node.log.payloads
      where log.payloads[label] == nil && log.voided[label] == nil {
        throw fail(.totality, "\(node.name) holds \(label), which A never decided")
      }
    }
    for (label, _) in log.payloads where log.voided[label] != nil && !hostile.contains(label) {
      throw fail(.totality, "A accepted \(label), and rejected it")
    }
    for label in forbidden where log.payloads[label] != nil || log.voided[label] != nil {
      throw fail(.atomicity, "A holds \(label), which was refused")
    }
  }
}
