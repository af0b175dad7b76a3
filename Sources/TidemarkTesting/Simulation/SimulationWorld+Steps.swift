internal import Tidemark
internal import TidemarkEvents
internal import TidemarkSync

extension SimulationWorld {
  /// One thing happens.
  func step() throws {
    now += UInt64(1 + choices.below(200))
    moveClocks()
    for node in nodes where node.store == nil && choices.happens(perThousand: 400) {
      try start(node)
    }
    var weights = plan.weights
    if messages.isEmpty {
      weights[SimulatedAction.deliver.place] = 0
      weights[SimulatedAction.lose.place] = 0
      weights[SimulatedAction.duplicate.place] = 0
    }
    guard let action = SimulatedAction(rawValue: choices.place(by: weights)) else { return }
    trace.note(action.rawValue)
    try perform(action)
  }

  private func describe(_ operations: [Operation]) -> String {
    operations.map { "\($0.kind) \($0.model) \($0.id)" }.joined(separator: ", ")
  }

  private func moveClocks() {
    let elapsed = now - movedTo
    movedTo = now
    for node in nodes { node.clock.advance(by: elapsed * UInt64(node.rate) / 1000) }
  }

  private func perform(_ action: SimulatedAction) throws {
    switch action {
    case .write: try write(device())
    case .writeAtAuthority: try write(authority)
    case .push: try push(device())
    case .pull: try pull(device())
    case .deliver: try deliver()
    case .sync: try sync(device())
    case .deviceToDevice: try exchange()
    case .acknowledge: try acknowledge(device())
    case .background: try background(anybody())
    case .time: now += UInt64(choices.below(600_000))
    case .reopen: try reopen(anybody())
    default: try performFault(action)
    }
  }

  func device() -> SimulatedNode { nodes[1 + choices.below(nodes.count - 1)] }
  func anybody() -> SimulatedNode { nodes[choices.below(nodes.count)] }

  // MARK: Writing

  private func write(_ node: SimulatedNode) throws {
    guard node.store != nil else { return }
    let principal = scenario.users[node.user]
    let count = choices.happens(perThousand: 200) ? 2 + choices.below(3) : 1
    nextLabel += 1
    let label = "t\(nextLabel)"
    var operations = (0..<count).map { _ in operation(by: principal, node) }
    operations[0].transactionLabel = label
    if plan.faults.contains(.clockStep), choices.happens(perThousand: 30) {
      operations[0].wallMilliseconds = now + UInt64(choices.below(1_000_000))
    }
    var mustRefuse: Bool?
    if node.acceptance == .enforce {
      // The model has to be at the moment of the write.
      guard try refresh(node) else { return }
      mustRefuse = self.mustRefuse(operations, node)
    }
    asked[label] = operations
    node.attempted.insert(label)
    let written = operations
    tell(
      "\(node.name) writes \(label): \(describe(written)) by \(principal.subject ?? "anonymous")")
    switch try call(node, "write", { try $0.submit(written) }) {
    case .done(let receipt):
      see(.write)
      tell("  as \(receipt.dots.map(\.description).joined(separator: " "))")
      node.acknowledged.append(label)
      try checkMoved(node, receipt)
      trace.note(receipt.dots.count)
      if let first = receipt.dots.first { trace.note(first.seq ^ first.replica.rawValue) }
      if mustRefuse == true {
        throw fail(.acceptance, "\(node.name) takes \(label), which the rules refuse")
      }
      try readBack(written, node, receipt)
      if node.role == .authority || choices.below(4) == 0 { try refresh(node) }
    case .refused(let error):
      see(.refusedWrite)
      forbidden.insert(label)
      guard let error = error as? AuthorizationError else {
        throw fail(.unexpectedError, "\(node.name) refuses \(label): \(error)")
      }
      if mustRefuse == false {
        throw fail(.acceptance, "\(node.name) refuses \(label), which the rules allow: \(error)")
      }
    case .failed: forbidden.insert(label)
    case .unknown, .died: mayVanish.insert(label)
    case .down: break
    }
  }

  /// A store that finds itself on another disk goes on under a new id.
  private func checkMoved(_ node: SimulatedNode, _ receipt: TransactionReceipt) throws {
    guard let original = node.original, let dot = receipt.dots.first else { return }
    node.original = nil
    see(.copyNoticed)
    guard dot.replica != original else {
      throw fail(.noFork, "\(node.name) is a copy, and goes on under the original's id with \(dot)")
    }
  }

  /// The next operation: the scenario's, or any that the schema takes.
  private func operation(by principal: Principal, _ node: SimulatedNode) -> Operation {
    if let make = scenario.operation { return make(&choices, principal, scenario.ids) }
    return models.operation(&choices, principal, scenario, version: node.schema)
  }

  /// Who wrote reads it back at once.
  private func readBack(
    _ operations: [Operation], _ node: SimulatedNode, _ receipt: TransactionReceipt
  ) throws {
    guard let store = node.store, let last = operations.last, let dot = receipt.dots.last else {
      return
    }
    let view = try store.record(last.model, last.id)
    if last.kind == .delete {
      guard view == nil else {
        throw fail(.causality, "\(node.name) shows \(last.id) after it deleted it")
      }
      return
    }
    guard let view else { return }  // It was not there, or nobody may have made it.
    guard view.updated.dot == dot else {
      throw fail(.causality, "\(node.name) does not show its own \(dot)")
    }
    for change in last.changes {
      guard case .set(let value) = change.operation else { continue }
      guard view[change.name] == value else {
        throw fail(.causality, "\(node.name) shows another \(change.name) than it wrote in \(dot)")
      }
    }
  }

  /// Brings the model of a store up to what it holds; false where its disk does not let it.
  @discardableResult
  func refresh(_ node: SimulatedNode) throws -> Bool {
    guard node.store != nil else { return false }
    // The reading may have to write what is in the journal into LMDB.
    switch try call(node, "drain", { _ = try $0.nextLSN }) {
    case .done: break
    default: return false
    }
    try absorb(node)
    return true
  }

  // MARK: Others

  /// After a call that was cut off, a store may hold more than before, or go on under a new id.
  func recheck(_ node: SimulatedNode) throws {
    guard node.store != nil else { return }
    guard case .done = try call(node, "drain", { _ = try $0.nextLSN }) else { return }
    try reload(node, .reissued)
  }

  private func exchange() throws {
    let source = device()
    let target = device()
    guard source !== target, source.store != nil, target.store != nil else { return }
    tell("\(target.name) takes from \(source.name)")
    let result = try call([source, target], "merge", refusals: [.early, .fork]) {
      try Replication.merge(from: $0[0], into: $0[1])
    }
    switch result {
    case .done(let summary):
      see(.deviceToDevice)
      trace.note(summary.takenCount)
      if summary.forks.isEmpty { try absorb(target) } else { try reload(target, .reissued) }
      try refresh(source)
    default:
      try recheck(target)
      try refresh(source)
    }
  }

  private func acknowledge(_ node: SimulatedNode) throws {
    guard case .done(let rejections) = try call(node, "rejections", { try $0.rejections() }),
      let rejection = rejections.first(where: { !$0.isAcknowledged })
    else { return }
    if case .done = try call(node, "acknowledge", { try $0.acknowledge(rejection.line.dot) }) {
      see(.acknowledged)
    }
  }

  private func background(_ node: SimulatedNode) throws {
    guard node.store != nil else { return }
    see(.drainedLater)
    _ = try call(node, "background", { $0.runPosted() })
  }

  /// The application closes its store, and opens it again.
  private func reopen(_ node: SimulatedNode) throws {
    guard case .done = try call(node, "close", { $0.close() }) else { return }
    tell("\(node.name) is closed and opened")
    node.store = nil
    node.disk.crash()
    try start(node)
  }
}
