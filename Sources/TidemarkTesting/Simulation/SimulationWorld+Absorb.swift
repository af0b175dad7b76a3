internal import Tidemark
internal import TidemarkEvents
internal import TidemarkMerge

// What a store's log says, compared with what it must say, line by line.

extension SimulationWorld {
  /// Why a log is read from its beginning.
  enum Reload {
    case reopened, reissued, restored
  }

  /// Reads what a store's log has taken since, and checks each line of it and each record that it
  /// touched.
  func absorb(_ node: SimulatedNode) throws {
    guard let store = node.store else { return }
    let touched = try readLines(node, store)
    node.isClockMoved = false
    for key in touched { try checkRecord(key, node, store) }
  }

  /// Reads a store's log, and compares it with what it was: from its beginning, or, where the store was
  /// opened again and still ends with the line with which it ended, from there. The end of the run
  /// reads every log from its beginning.
  func reload(_ node: SimulatedNode, _ reason: Reload, isWhole: Bool = false) throws {
    guard let store = node.store else { return }
    let old = node.log
    let isWhole = try isWhole || !goesOn(node, store, reason)
    if isWhole { node.log = NaiveLog() }
    let touched: Set<NaiveKey>
    isReading = true
    defer { isReading = false }
    do {
      try readSchema(node, store, reason)
      touched = try readLines(node, store)
    } catch let error as StoreError {
      // The disk is full, or fails: what could not be read is read next time.
      guard node.fault.hasStruckSinceOpen else {
        throw fail(.unexpectedError, "\(node.name) cannot be read: \(error.message)")
      }
      node.log = old
      node.disk.crash()
      die(node)
      return
    }
    try compare(node, old, reason)
    for key in touched.union(old.records.keys) { try checkRecord(key, node, store) }
  }

  /// Whether a store that was opened again still ends with, or goes on from, what it ended with.
  private func goesOn(
    _ node: SimulatedNode, _ store: Store, _ reason: Reload
  ) throws -> Bool {
    guard reason == .reopened, !node.isCutShort, !node.mayHaveMoved, let last = node.log.places.last
    else { return false }
    var query = LogQuery()
    query.afterLSN = last.lsn - 1
    var isSame = false
    do {
      try store.forEachLogLine(query) { line in
        isSame =
          line.lsn == last.lsn && line.dot == last.dot && line.isTombstone == last.isTombstone
        return false
      }
    } catch {
      return false  // The whole reading says why.
    }
    return isSame
  }

  private func readLines(
    _ node: SimulatedNode, _ store: Store
  ) throws -> Set<NaiveKey> {
    var query = LogQuery()
    query.afterLSN = node.log.lastLSN
    var lines: [LogLine] = []
    try store.forEachLogLine(query) {
      lines.append($0)
      return true
    }
    var touched: Set<NaiveKey> = []
    var index = 0
    while index < lines.count {
      var end = index + 1
      while end < lines.count, lines[end].transactionDot == lines[index].transactionDot,
        lines[end].isTombstone == lines[index].isTombstone
      {
        end += 1
      }
      try take(lines[index..<end], node, &touched)
      index = end
    }
    try refreshClamps(node, store, &touched)
    return touched
  }

  /// Takes one transaction's lines into the model.
  private func take(
    _ lines: ArraySlice<LogLine>, _ node: SimulatedNode, _ touched: inout Set<NaiveKey>
  ) throws {
    guard let first = lines.first else { return }
    let label = first.transaction
    if node.role == .authority { try judge(lines, node) }
    if forbidden.contains(label) {
      throw fail(.atomicity, "\(node.name) holds \(first.dot) of \(label), which was refused")
    }
    for line in lines {
      try checkPlace(line, node)
      trace.note(line.dot.replica.rawValue ^ line.dot.seq << 20 ^ line.stamp.rawValue)
      node.log.places.append(
        NaiveLog.Place(lsn: line.lsn, dot: line.dot, isTombstone: line.isTombstone))
      node.log.lastLSN = line.lsn
      // Its clock is past what it takes, or what it made of that.
      let known = line.isTombstone ? line.stamp : line.effective ?? line.stamp
      node.log.latest = max(node.log.latest, known, line.decided ?? .zero)
      if line.isTombstone {
        node.log.void.insert(line.dot)
        if let key = node.log.keys[line.dot] { touched.insert(key) }
        continue
      }
      guard let event = line.event else {
        throw fail(.chain, "\(node.name) has no payload of \(line.dot)")
      }
      let key = NaiveKey(model: event.model, id: event.id)
      node.log.records[key, default: []].append(
        NaiveEvent(
          dot: line.dot, stamp: line.stamp, effective: line.effective ?? line.stamp,
          context: line.context, event: event, label: label))
      node.log.keys[line.dot] = key
      touched.insert(key)
    }
    if first.isTombstone {
      node.log.voided[label] = lines.count
    } else {
      try checkContent(lines, label, node)
      // Two copies of one store may each issue again what both held when a third used its dots.
      if let held = node.log.payloads[label], held.first != first.dot, node.role == .authority,
        counts.sights[Sight.copied.place] == 0
      {
        throw fail(.totality, "A accepts \(label) as \(held.first) and as \(first.dot)")
      }
      node.log.payloads[label] = (lines.count, first.dot)
    }
  }

  /// Gapless, causal, and with a stamp past all that its author had seen.
  private func checkPlace(_ line: LogLine, _ node: SimulatedNode) throws {
    let known = node.log.vector[line.dot.replica]
    if line.isTombstone, known >= line.dot.seq { return }
    guard line.dot.seq == known + 1 else {
      throw fail(.gapless, "\(node.name) takes \(line.dot) after \(known)")
    }
    for entry in line.context.entries where entry.seq > node.log.vector[entry.replica] {
      throw fail(
        .causality, "\(node.name) takes \(line.dot), which had seen \(entry.replica):\(entry.seq)")
    }
    node.log.vector.raise(line.dot.replica, to: line.dot.seq)
    guard !line.isTombstone else { return }
    if let last = node.log.lastStamps[line.dot.replica], last >= line.stamp {
      throw fail(.clock, "\(line.dot) has a stamp no greater than the one before it")
    }
    node.log.lastStamps[line.dot.replica] = line.stamp
    guard line.context[line.dot.replica] == line.dot.seq - 1 else {
      throw fail(.vector, "the context of \(line.dot) lacks its own replica")
    }
  }

  /// What a transaction holds is what its author meant, on every log.
  private func checkContent(
    _ lines: ArraySlice<LogLine>, _ label: String, _ node: SimulatedNode
  ) throws {
    let events = lines.compactMap(\.event)
    if let truth = truths[label] {
      guard truth == events else {
        throw fail(.appendOnly, "\(node.name) holds \(label) with another content")
      }
    } else {
      guard let operations = asked[label] else {
        throw fail(.noFork, "\(node.name) holds \(label), which nobody wrote")
      }
      guard operations.count == events.count,
        zip(operations, events).allSatisfy({ isWritten($0, as: $1) })
      else { throw fail(.atomicity, "\(node.name) wrote \(label) otherwise than it was told") }
      truths[label] = events
      counts.eventCount += events.count
    }
    for line in lines {
      let name = ContextName(dot: line.dot, label: label)
      if let context = contexts[name], context != line.context {
        throw fail(.vector, "\(node.name) has another context of \(line.dot)")
      }
      contexts[name] = line.context
    }
    if !hostile.contains(label) { try checkOrigin(lines, label, node) }
    // A device has others' events only from an authority that accepted them.
    if node.role == .device, lines.first?.status == .pending, !node.attempted.contains(label) {
      throw fail(.isolation, "\(node.name) holds \(label) of another device, which is pending")
    }
  }

  /// What is issued again under another id has seen what it had seen, but of replicas that moved.
  private func checkOrigin(
    _ lines: ArraySlice<LogLine>, _ label: String, _ node: SimulatedNode
  ) throws {
    guard let replica = lines.first?.dot.replica else { return }
    guard let origin = origins[label] else {
      origins[label] = TransactionOrigin(replica: replica, contexts: lines.map(\.context))
      return
    }
    guard origin.replica != replica else { return }
    see(.issuedAgain)
    movedReplicas.formUnion([origin.replica, replica])
    for (line, seen) in zip(lines, origin.contexts) {
      for entry in seen.entries where !movedReplicas.contains(entry.replica) {
        see(.issuedAgainSeeing)
        guard line.context[entry.replica] == entry.seq else {
          throw fail(
            .vector, "\(line.dot) is \(label) again, and has not seen \(entry.replica):\(entry.seq)"
          )
        }
      }
    }
  }

  /// An event is what an operation asked for; a create may have got an owner.
  private func isWritten(_ operation: Operation, as event: Event) -> Bool {
    guard let place = models.schema.modelIndex(operation.model) else { return false }
    let model = models.schema.models[place]
    var rest = event.changes
    for change in operation.changes {
      guard let field = model.fieldIndex(change.name),
        let index = rest.firstIndex(where: { $0.field == field && $0.operation == change.operation }
        )
      else { return false }
      rest.remove(at: index)
    }
    return event.kind == operation.kind && event.model == place && event.id == operation.id
      && event.principal == operation.principal
      && rest.allSatisfy { model.ownerFields.contains(model.fields[$0.field].name) }
  }

  /// Clamps come with decisions, also of events that a log has long had.
  private func refreshClamps(
    _ node: SimulatedNode, _ store: Store, _ touched: inout Set<NaiveKey>
  ) throws {
    guard node.role == .device else { return }
    for (dot, clamp) in clamps
    where !node.log.clamped.contains(dot) && node.log.vector.contains(dot)
      && !node.log.void.contains(dot)
    {
      let line = try store.logLine(dot)
      guard let effective = line.effective else { continue }
      guard effective == clamp else {
        throw fail(.clock, "\(node.name) clamps \(dot) otherwise than the authority")
      }
      node.log.clamped.insert(dot)
      if let key = node.log.setEffective(dot, effective) { touched.insert(key) }
    }
  }

  /// The stored view of a record is the naive fold of its events.
  func checkRecord(_ key: NaiveKey, _ node: SimulatedNode, _ store: Store) throws {
    try checkRecord(key, models.naive(node.log, key), node, store)
  }

  func checkRecord(
    _ key: NaiveKey, _ expected: NaiveRecord, _ node: SimulatedNode, _ store: Store
  ) throws {
    let model = models.schema.models[key.model]
    let shown = try store.record(model.name, key.id)
    let problem: String?
    if let shown, let created = expected.created {
      // A store shows what its schema names, and keeps the rest.
      let fieldCount = models.all[node.schema].models[key.model].fields.count
      let values = expected.values.filter { $0.key < fieldCount }.sorted { $0.key < $1.key }
        .map { Value.Member(model.fields[$0.key].name, $0.value) }
      let conflicts = expected.conflicts.filter { $0 < fieldCount }.sorted()
        .map { model.fields[$0].name }
      if !conflicts.isEmpty { see(.conflict) }
      let owner = models.rules[key.model].ownerFields.first.flatMap { expected.owners[$0] }
      problem =
        shown.fields != values
        ? "shows \(shown.fields), and its events give \(values)"
        : shown.created != created || shown.updated != expected.updated
          ? "has another created or updated"
          : shown.conflicts != conflicts
            ? "shows conflicts \(shown.conflicts), not \(conflicts)"
            : (shown.owner ?? .null) != (owner ?? .null) ? "shows another owner" : nil
    } else if (shown == nil) == (expected.created == nil) {
      problem = nil
    } else {
      problem = shown == nil ? "is missing" : "should not exist"
    }
    if let problem {
      throw fail(.viewIsFold, "\(model.name) \(key.id) at \(node.name) \(problem)")
    }
  }
}
