internal import Tidemark
internal import TidemarkEvents

// An exchange as messages: each may be lost, come twice, late, or after those that were sent later.

extension SimulationWorld {
  private static let messageCountMax = 40

  private func send(_ content: SimulatedMessage.Content, from: SimulatedNode, to: Int) {
    guard !from.isMute else { return see(.messageToNobody) }
    if messages.count >= SimulationWorld.messageCountMax { messages.removeFirst() }
    messages.append(
      SimulatedMessage(from: from.place, to: to, content: content, number: stepIndex))
  }

  /// A device begins to bring an authority what it has.
  func push(_ node: SimulatedNode) throws {
    if case .done(let identity) = try call(node, "identity", { try $0.identity }) {
      send(.hello(logID: identity.logID, isContinued: false), from: node, to: 0)
    }
  }

  /// A device asks an authority for what it lacks.
  func pull(_ node: SimulatedNode, isContinued: Bool = false) throws {
    guard let other = try logID(of: authority) else { return }
    if case .done(let (knowledge, cursor)) = try call(
      node, "ask", { (try $0.knowledge(), try $0.cursor(for: other)) })
    {
      send(.request(knowledge, cursor, isContinued: isContinued), from: node, to: 0)
    }
  }

  private func logID(of node: SimulatedNode) throws -> UInt64? {
    if let known = node.knownLogID { return known }
    guard case .done(let identity) = try call(node, "identity", { try $0.identity }) else {
      return nil
    }
    node.knownLogID = identity.logID
    return identity.logID
  }

  func lose() {
    see(.messageLost)
    let lost = messages.remove(at: choices.below(messages.count))
    if case .outcome = lost.content { see(.responseLost) }
  }

  func duplicate() {
    see(.messageDuplicated)
    messages.append(messages[choices.below(messages.count)])
  }

  /// A message arrives.
  func deliver() throws {
    var index = 0
    if plan.faults.contains(.reordering) { index = choices.below(messages.count) }
    if index > 0 { see(.messageOvertaken) }
    let message = messages.remove(at: index)
    let node = nodes[message.to]
    tell(
      "\(SimulatedNode.name(message.from))'s \(message.kind) of step \(message.number) comes to \(node.name)"
    )
    guard !node.isDeaf, node.store != nil else { return see(.messageToNobody) }
    switch message.content {
    case .hello(let logID, let isContinued):
      if case .done(let (knowledge, cursor)) = try call(
        node, "answer", { (try $0.knowledge(), try $0.cursor(for: logID)) })
      {
        send(
          .knowledge(knowledge, cursor, isContinued: isContinued), from: node, to: message.from)
      }
    case .knowledge(let knowledge, let cursor, let isContinued),
      .request(let knowledge, let cursor, let isContinued):
      let made = try call(node, "page") {
        (
          try $0.page(after: cursor, for: knowledge, isContinued: isContinued),
          try $0.identity.logID
        )
      }
      if case .done(let (page, logID)) = made {
        send(.page(page, logID: logID), from: node, to: message.from)
      }
      try refresh(node)
    case .page(let page, let logID): try take(page, logID, node, message)
    case .outcome(let outcome, let isLast):
      if outcome.failure?.code == .fork, let dot = outcome.failedDot {
        try heal(node, dot)
      } else if !isLast, outcome.failure == nil,
        case .done(let identity) = try call(node, "identity", { try $0.identity })
      {
        send(.hello(logID: identity.logID, isContinued: true), from: node, to: message.from)
      }
    }
  }

  private func take(
    _ page: LogPage, _ logID: UInt64, _ node: SimulatedNode, _ message: SimulatedMessage
  ) throws {
    guard try refresh(node) else { return }
    let before = node.log.lastLSN
    let taken = try call(node, "take", refusals: [.corrupt]) { try $0.take(page, from: logID) }
    guard case .done(let outcome) = taken else {
      try refresh(node)
      return
    }
    see(.takenPage)
    tell(
      "  takes \(outcome.takenCount), decides \(outcome.decidedCount), voids \(outcome.voidedCount)"
        + ", rejects \(outcome.rejectedCount), knows \(outcome.knownCount)"
        + (outcome.failure.map { ", refuses \($0.message)" } ?? ""))
    if page.items.count > 1 { see(.pageOfSeveral) }
    note(outcome)
    try absorb(node)
    if choices.happens(perThousand: 100) { try takeAgain(page, logID, node) }
    if outcome.failure != nil, page.items.count == 1, node.log.lastLSN != before {
      throw fail(.refusalChangesNothing, "\(node.name) refused a page, and its log grew")
    }
    if node.role == .device, message.from == 0 {
      try checkCursor(node, authority)
      if outcome.failure?.code == .fork, let dot = outcome.failedDot { try heal(node, dot) }
      if !page.isLast, outcome.failure == nil { try pull(node, isContinued: true) }
    } else {
      send(.outcome(outcome, isLast: page.isLast), from: node, to: message.from)
    }
  }

  private func note(_ outcome: PageOutcome) {
    trace.note(outcome.takenCount)
    trace.note(outcome.rejectedCount &* 7 &+ outcome.voidedCount)
    switch outcome.failure?.code {
    case .early: see(.earlyRefused)
    case .fork: see(.forkRefused)
    default: break
    }
  }

  /// Taking a page twice is taking it once.
  private func takeAgain(_ page: LogPage, _ logID: UInt64, _ node: SimulatedNode) throws {
    let before = node.log.lastLSN
    guard case .done = try call(node, "take", { try $0.take(page, from: logID) }) else { return }
    try absorb(node)
    guard node.log.lastLSN == before else {
      throw fail(.idempotence, "\(node.name) took a page twice, and its log grew")
    }
  }

  /// A device's events have dots that are others' elsewhere: it goes on under a new id.
  private func heal(_ node: SimulatedNode, _ dot: Dot) throws {
    guard node.role == .device else { return }
    tell("\(node.name) goes on under a new id from \(dot)")
    let result = try call(node, "reissue", refusals: [.fork]) { try $0.reissue(from: dot) }
    switch result {
    case .done:
      see(.forkHealed)
      try reload(node, .reissued)
    default: try recheck(node)
    }
  }

  /// All that stands before a cursor has been delivered.
  func checkCursor(_ node: SimulatedNode, _ source: SimulatedNode) throws {
    guard let other = try logID(of: source),
      case .done(let cursor?) = try call(node, "cursor", { try $0.cursor(for: other) })
    else { return }
    let places = source.log.places
    var index = node.checkedPlaces
    while index < places.count, places[index].lsn <= cursor.lsn {
      guard node.log.vector.contains(places[index].dot),
        node.log.void.contains(places[index].dot) || !source.log.void.contains(places[index].dot)
      else {
        throw fail(
          .cursor,
          "\(node.name) has taken A's log up to \(cursor.lsn), and lacks \(places[index].dot)")
      }
      index += 1
    }
    node.checkedPlaces = index
  }
}
