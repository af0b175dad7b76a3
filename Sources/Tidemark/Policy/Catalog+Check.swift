internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

/// What checking one event came to.
struct EventVerdict {
  /// Why it may not be taken; `nil` where it may.
  var denial: Denial?
  /// The rule that allows it.
  var rule: String?
  /// The owner fields that it left out.
  var filledOwners: [FilledOwner] = []
}

extension Catalog {
  /// Checks one event against the current schema and its rules.
  /// - Parameters:
  ///   - isLocal: a local write: what does not fit its schema is an error and no refusal, and owners
  ///     that are left out are filled in.
  ///   - sight: the record as the event's author had seen it, and as the log has it just before.
  func check(
    _ event: Event, _ resolved: Resolved, _ key: RecordKey, isLocal: Bool,
    _ sight: () throws -> (seen: RecordState, now: RecordState)
  ) throws -> EventVerdict {
    if case .unknown = event.kind {
      return .denied(.unknownKind, "this version knows no such kind of event")
    }
    do {
      try resolved.schema.check(
        kind: event.kind, modelIndex: event.model, changes: event.changes)
    } catch {
      // What does not fit the schema cannot be stored here, whoever decides later.
      guard !isLocal else { throw StoreError(.invalid, error.message) }
      return .denied(.invalidValue, error.message)
    }
    guard let place = currentPlace(key.model) else {
      return .denied(.unknownModel, "the current schema has no such model")
    }
    let (seen, now) = try sight()
    let name = modelNames[key.model]
    switch event.kind {
    case .create where seen.exists:
      return EventVerdict(denial: .alreadyExists(name, key.id))
    case .update where !seen.exists, .delete where !seen.exists:
      return EventVerdict(denial: .noSuchRecord(name, key.id))
    default: break
    }
    guard let changes = currentChanges(event, key, resolved) else {
      return .denied(.unknownField, "the current schema has no such field")
    }
    return decide(event, place, changes, key, seen: seen, now: now, isLocal: isLocal)
  }

  private func decide(
    _ event: Event, _ place: Int, _ changes: [FieldChange], _ key: RecordKey,
    seen: RecordState, now: RecordState, isLocal: Bool
  ) -> EventVerdict {
    let facts = facts(now.exists ? now : seen, key.model, place)
    func ask(_ operation: AccessOperation, _ given: [FieldChange]) -> Decision {
      policy.decide(
        AccessRequest(
          model: place, operation: operation, credentials: event.principal.credentials,
          changes: given, stored: operation == .create ? nil : facts))
    }
    switch event.kind {
    case .update: return EventVerdict(ask(.update, changes))
    case .delete: return EventVerdict(ask(.delete, changes))
    case .unknown: return EventVerdict()
    case .create:
      let decision = ask(.create, changes)
      var verdict = EventVerdict(decision)
      guard case .allowed(let allowance) = decision else { return verdict }
      if !allowance.filledOwners.isEmpty {
        guard isLocal else {
          verdict.denial = Denial(
            code: .ownerForged, rule: allowance.rule,
            message: "a create under an owner rule names its owner; this one leaves it out")
          return verdict
        }
        verdict.filledOwners = allowance.filledOwners
      }
      guard now.exists else { return verdict }
      // Another create came first: this one must be allowed as an update as well. Naming the owner
      // that the record has changes nothing.
      let owners = ownerPlaces(key.model)
      verdict.denial =
        ask(
          .update,
          changes.filter { change in
            guard owners.contains(change.field), case .set(let value) = change.operation else {
              return true
            }
            return facts.storedValue(of: change.field) != value
          }
        ).denial
      return verdict
    }
  }

  /// The changes with fields at their places in the current schema; `nil` where that lacks one.
  func currentChanges(
    _ event: Event, _ key: RecordKey, _ resolved: Resolved
  ) -> [FieldChange]? {
    changes(event, key, resolved, in: current)
  }

  /// The changes of an event under one schema version with fields at their places in another, and values
  /// of its types; `nil` where it lacks a field.
  func changes(
    _ event: Event, _ key: RecordKey, _ resolved: Resolved, in other: Resolved
  ) -> [FieldChange]? {
    if resolved.version == other.version { return event.changes }
    guard let place = other.models.firstIndex(of: key.model) else { return nil }
    let fields = other.fields[place]
    var changes: [FieldChange] = []
    let converted =
      other.version == current.version
      ? converted(event.changes, of: event.model, resolved)
      : Conversions(from: resolved, to: other)?.apply(to: event.changes, of: event.model)
        ?? event.changes
    for change in converted {
      let field = resolved.fields[event.model][change.field]
      guard let there = fields.firstIndex(of: field) else { return nil }
      changes.append(FieldChange(field: there, operation: change.operation))
    }
    return changes.sorted { $0.field < $1.field }
  }

  /// The places in the current schema of the fields that name owners.
  func ownerPlaces(_ model: Int) -> [Int] {
    mergeRules(model).ownerFields.compactMap { currentPlace(model, $0) }
  }

  /// A record's values by their fields' places in the current schema, as the rules read them.
  func facts(_ state: RecordState, _ model: Int, _ place: Int) -> StoredRecord {
    facts(state, model, place, in: current)
  }

  /// The same by their places in another schema version.
  func facts(
    _ state: RecordState, _ model: Int, _ place: Int, in resolved: Resolved
  ) -> StoredRecord {
    let fields = resolved.fields[place]
    let owners = mergeRules(model).ownerFields
    return StoredRecord { fieldPlace in
      guard fields.indices.contains(fieldPlace) else { return .null }
      let field = fields[fieldPlace]
      return (owners.contains(field) ? state.owner(field) : state.value(field)) ?? .null
    }
  }

  /// The rules of a schema version.
  func policy(of resolved: Resolved) -> Policy {
    resolved.version == current.version
      ? policy : Policy(resolved.schema, customAuthorizer: authorizer)
  }
}

extension EventVerdict {
  fileprivate init(_ decision: Decision) {
    denial = decision.denial
    if case .allowed(let allowance) = decision { rule = allowance.rule }
  }

  fileprivate static func denied(_ code: ReasonCode, _ message: String) -> EventVerdict {
    EventVerdict(denial: Denial(code: code, message: message))
  }
}

extension Denial {
  static func alreadyExists(_ model: String, _ id: RecordID) -> Denial {
    Denial(
      code: .alreadyExists,
      message: "\(model) \(id) exists already; update it, or create it under another id")
  }

  static func noSuchRecord(_ model: String, _ id: RecordID) -> Denial {
    Denial(
      code: .noSuchRecord,
      message: "\(model) \(id) does not exist for all that its author had seen; create it first")
  }
}
