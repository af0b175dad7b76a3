internal import Tidemark
internal import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

// The oracle of acceptance: what an authority must decide, from the naive model and the rules as the
// scenario tells them.

extension SimulationWorld {
  /// Checks the decision that an authority made on one transaction.
  func judge(_ lines: ArraySlice<LogLine>, _ node: SimulatedNode) throws {
    guard let first = lines.first else { return }
    var earlier: [NaiveKey: [NaiveEvent]] = [:]
    var denial: String?
    let version = try deciding(first, node)
    for line in lines {
      guard let event = line.event else { return }  // Past what the quarantine keeps.
      let key = NaiveKey(model: event.model, id: event.id)
      guard event.model < models.schema.models.count else { return }
      let known = node.log.live(key) + earlier[key, default: []]
      denial = denial ?? refusal(event, line.context, known.map(\.fold), key, version)
      earlier[key, default: []].append(
        NaiveEvent(
          dot: line.dot, stamp: event.stamp, effective: line.effective ?? event.stamp,
          context: line.context, event: event, label: line.transaction))
      try checkClamp(line, event, node)
    }
    let isRejected = first.isTombstone
    counts.reasons[first.reason?.code ?? "accepted", default: 0] += isRejected ? lines.count : 0
    see(isRejected ? .rejection : .acceptance)
    // What does not fit the schema comes from the hostile alone, and only the store checks that.
    let isStores = lines.contains { $0.reason?.code == "invalidValue" }
    guard scenario.allows != nil, !isStores, isRejected != (denial != nil) else { return }
    throw fail(
      .acceptance,
      "\(node.name) \(isRejected ? "rejects" : "accepts") \(first.dot) of \(first.transaction): "
        + (denial ?? "the rules allow it")
        + (lines.compactMap(\.reason).first.map { " (\($0.code))" } ?? ""))
  }

  /// Why an event must be refused; `nil` where it must not.
  private func refusal(
    _ event: Event, _ context: VersionVector, _ known: [FoldEvent], _ key: NaiveKey,
    _ version: Int
  ) -> String? {
    let rules = models.rules[key.model]
    let before = known.filter { context.contains($0.rank.dot) }
    let seen = NaiveRecord(before, rules)
    let now = before.count == known.count ? seen : NaiveRecord(known, rules)
    let fieldCount = models.all[version].models[event.model].fields.count
    if event.changes.contains(where: { $0.field >= fieldCount }) {
      see(.newerThanAuthority)
      return "it gives a field that the schema has not"
    }
    switch event.kind {
    case .create where seen.created != nil: return "its author had seen the record"
    case .update where seen.created == nil, .delete where seen.created == nil:
      return "its author had seen no record"
    default: break
    }
    let facts = now.created != nil ? now : seen
    if now.created != nil, seen.created == nil, event.kind != .create { return "no record" }
    let isAllowed = isAllowed(
      event, event.kind, event.changes, event.kind == .create ? nil : facts, version)
    guard isAllowed else {
      if event.kind != .create, now != seen { see(.lateWriteRevoked) }
      return "the rules do not allow it"
    }
    guard event.kind == .create, now.created != nil else { return nil }
    let owners = rules.ownerFields
    let changes = event.changes.filter { change in
      guard owners.contains(change.field), case .set(let value) = change.operation else {
        return true
      }
      return (now.owners[change.field] ?? .null) != value
    }
    return self.isAllowed(event, .update, changes, now, version) ? nil : "another create came first"
  }

  private func isAllowed(
    _ event: Event, _ kind: EventKind, _ changes: [FieldChange], _ stored: NaiveRecord?,
    _ version: Int
  ) -> Bool {
    guard let allows = scenario.allows else { return true }
    let model = models.schema.models[event.model]
    let owners = models.rules[event.model].ownerFields
    var given: [String: FieldOperation] = [:]
    for change in changes where change.field < model.fields.count {
      given[model.fields[change.field].name] = change.operation
    }
    var values: [String: Value] = [:]
    if let stored {
      for (place, field) in model.fields.enumerated() {
        values[field.name] = owners.contains(place) ? stored.owners[place] : stored.values[place]
      }
    }
    return allows(
      SimulationQuestion(
        kind: kind, model: model.name, principal: event.principal, given: given, stored: values,
        isNextSchema: version == 1))
  }

  /// A stamp past the drift limit is held to the authority's clock, and no other is.
  private func checkClamp(_ line: LogLine, _ event: Event, _ node: SimulatedNode) throws {
    guard !line.isTombstone else { return }
    guard let effective = line.effective else {
      let limit = Stamp(
        milliseconds: node.clock.milliseconds + StoreLimits().driftMilliseconds, counter: .max)
      if !isReading, !node.isClockMoved, line.authority != line.dot.replica,
        event.stamp > limit, event.stamp.rawValue > node.log.latest.rawValue + 4096
      {
        throw fail(
          .clock,
          "\(line.dot) of \(line.transaction) is from the future, \(event.stamp.milliseconds) at \(node.clock.milliseconds), and not clamped"
        )
      }
      return
    }
    see(.clamp)
    guard effective < event.stamp else {
      throw fail(.clock, "\(line.dot) is clamped to a later stamp")
    }
    clamps[line.dot] = effective
  }

  /// Whether a store that enforces must refuse these operations; `nil` where nobody can tell.
  func mustRefuse(_ operations: [Operation], _ node: SimulatedNode) -> Bool? {
    guard scenario.allows != nil else { return nil }
    var context = node.log.vector
    var earlier: [NaiveKey: [NaiveEvent]] = [:]
    let replica = ReplicaID(1)
    for (index, operation) in operations.enumerated() {
      guard let place = models.schema.modelIndex(operation.model) else { return nil }
      let model = models.schema.models[place]
      let key = NaiveKey(model: place, id: operation.id)
      var changes: [FieldChange] = []
      for change in operation.changes {
        guard let field = model.fieldIndex(change.name) else { return nil }
        changes.append(FieldChange(field: field, operation: change.operation))
      }
      if operation.kind == .create, let subject = operation.principal.subject {
        for name in model.ownerFields {
          guard let field = model.fieldIndex(name), !changes.contains(where: { $0.field == field })
          else { continue }
          let isList = model.fields[field].type.element != nil
          let value: Value = isList ? .list([.string(subject)]) : .string(subject)
          changes.append(FieldChange(field: field, operation: .set(value)))
        }
      }
      // Past all that the log holds, for the author has seen it.
      let stamp = Stamp(milliseconds: Stamp.millisecondsMax, counter: UInt16(index + 1))
      let dot = Dot(replica, UInt64(index + 1))
      let event = Event(
        stamp: stamp, kind: operation.kind, model: place, id: operation.id,
        principal: operation.principal, changes: changes)
      let known = node.log.live(key) + earlier[key, default: []]
      if refusal(event, context, known.map(\.fold), key, node.schema) != nil { return true }
      earlier[key, default: []].append(
        NaiveEvent(
          dot: dot, stamp: stamp, effective: stamp, context: context, event: event, label: ""))
      context.raise(replica, to: dot.seq)
    }
    return false
  }
}
