internal import Tidemark
internal import TidemarkEvents
internal import TidemarkSchema

// Somebody who writes what no store of ours would, and sends it to the authority as a page of a log.

/// What the hostile client keeps between its attacks: a replica of its own, of which some is lawful.
struct SimulatedAttacker {
  var replica = ReplicaID(0x6d61_6c6c_6f72_7900)
  var seq: UInt64 = 0
  var head = TransactionHash.zero
  var stamp = Stamp.zero
  var count = 0
  /// The last one that was taken, to be sent again with another content.
  var last: (header: TransactionHeader, before: TransactionHash)?
}

extension SimulationWorld {
  fileprivate enum Attack: Int, CaseIterable {
    case lawful, forgedOwner, forgedContext, gap, otherContent, wrongChain, future, flippedBit
    case unknownField, anotherReplica
  }

  func attack() throws {
    guard try refresh(authority),
      let attack = Attack(rawValue: choices.below(Attack.allCases.count))
    else { return }
    attacker.count += 1
    let label = "z\(attacker.count)"
    guard let made = try make(attack, label) else { return }
    let page = LogPage(
      schemas: [], items: [.transaction(made.bytes, decision: nil)], end: nil, isLast: true)
    let before = authority.log.lastLSN
    hostile.insert(label)
    truths[label] = [made.event]
    tell("somebody sends A a transaction \(label): \(attack)")
    let result = try call(
      authority, "take", refusals: [.corrupt, .fork, .early, .schema, .newerFormat]
    ) { try $0.take(page, from: 0x6d61_6c69) }
    switch result {
    case .done(let outcome):
      try absorb(authority)
      note(attack, outcome, made, before)
      guard attack.mayBeTaken || authority.log.payloads[label] == nil else {
        throw fail(.acceptance, "A took what a hostile client sent: \(attack)")
      }
      guard outcome.failure == nil || authority.log.lastLSN == before else {
        throw fail(.refusalChangesNothing, "A refused \(attack), and its log grew")
      }
    case .refused:
      see(.hostileRefused)
      try absorb(authority)
      guard authority.log.lastLSN == before else {
        throw fail(.refusalChangesNothing, "A refused \(attack), and its log grew")
      }
    default: try refresh(authority)
    }
    // Whether it was taken is seen in the log, also where the call was cut off.
    if attack != .anotherReplica, authority.log.vector[attacker.replica] > attacker.seq {
      attacker.last = (made.header, attacker.head)
      attacker.seq += 1
      attacker.head = made.hash
    }
  }

  private func note(
    _ attack: Attack, _ outcome: PageOutcome, _ made: Forgery, _ before: UInt64
  ) {
    trace.note(outcome.takenCount)
    if outcome.failure != nil { see(.hostileRefused) }
    if outcome.rejectedCount > 0 { see(.hostileRejected) }
    if outcome.takenCount > 0 { see(.hostileAccepted) }
  }

  private struct Forgery {
    var bytes: [UInt8]
    let hash: TransactionHash
    let header: TransactionHeader
    let event: Event
  }

  /// The bytes of an attack; `nil` where the moment has nothing to attack.
  private func make(_ attack: Attack, _ label: String) throws -> Forgery? {
    guard let model = models.schema.models.firstIndex(where: { !$0.ownerFields.isEmpty }),
      let mallory = scenario.users.last(where: { $0.subject != nil }), let name = mallory.subject
    else { return nil }
    var replica = attacker.replica
    var seq = attacker.seq + 1
    var head = attacker.head
    var context = VersionVector()
    var owner = name
    attacker.stamp = max(
      Stamp(rawValue: attacker.stamp.rawValue + 1), Stamp(milliseconds: now))
    switch attack {
    case .forgedOwner: owner = scenario.users.first?.subject ?? "victim"
    case .forgedContext:
      let entry = authority.log.vector.entries.first { $0.replica != attacker.replica }
      guard let entry else { return nil }
      context.set(entry.replica, to: entry.seq + 3)
    case .gap: seq += 2
    case .otherContent:
      guard let last = attacker.last else { return nil }
      seq = last.header.firstSeq
      head = last.before
    case .wrongChain: head = TransactionHash(of: [1, 2, 3].rawBytes)
    case .future: attacker.stamp = Stamp(milliseconds: now + 100_000_000_000)
    case .anotherReplica:
      // One that the authority has heard of, at its next place, without its chain.
      let entry = choices.pick(authority.log.vector.entries)
      guard let entry, entry.replica != attacker.replica else { return nil }
      replica = entry.replica
      seq = entry.seq + 1
      head = .zero
    case .lawful, .flippedBit, .unknownField: break
    }
    let event = forged(model, label, owner, mallory, attack)
    let header = TransactionHeader(
      replica: replica, firstSeq: seq, eventCount: 1,
      schema: SchemaVersion(source: scenario.schema),
      firstStamp: event.stamp, contextChange: context, label: label, principals: [mallory])
    var writer = ByteWriter()
    let hash = try encodeTransaction(header, [event], after: head, into: &writer)
    var forgery = Forgery(bytes: writer.toArray(), hash: hash, header: header, event: event)
    if attack == .flippedBit {
      let place = choices.below(forgery.bytes.count)
      forgery.bytes[place] ^= 1 << UInt8(choices.below(8))
    }
    return forgery
  }

  private func forged(
    _ place: Int, _ label: String, _ owner: String, _ principal: Principal, _ attack: Attack
  ) -> Event {
    let model = models.schema.models[place]
    var changes: [FieldChange] = []
    for (index, field) in model.fields.enumerated() {
      if field.name == model.ownerFields.first {
        let value = Value.string(owner)
        changes.append(
          FieldChange(
            field: index, operation: .set(field.type.element == nil ? value : .list([value]))))
      } else if field.isGivenOnCreate {
        changes.append(FieldChange(field: index, operation: .set(.string(label))))
      }
    }
    if attack == .unknownField {
      changes.append(FieldChange(field: model.fields.count + 3, operation: .add(1)))
    }
    return Event(
      stamp: attacker.stamp, kind: .create, model: place, id: RecordID("\(label)-\(attack)"),
      principal: principal, changes: changes)
  }
}

extension SimulationWorld.Attack {
  /// Whether the log may hold what it sends.
  fileprivate var mayBeTaken: Bool {
    switch self {
    case .lawful, .future: true
    default: false
    }
  }
}
