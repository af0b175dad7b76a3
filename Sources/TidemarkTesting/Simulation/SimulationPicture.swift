internal import Tidemark
internal import TidemarkEvents

/// The history of a run's records in the notation of the documentation: a line for each replica, `a3`
/// for an event that was accepted, `a3'` for one that is pending, `a3~` for one that is void.
struct SimulationPicture {
  let text: String

  init(_ world: SimulationWorld) {
    var letters: [ReplicaID: String] = [:]
    var events: [Dot: NaiveEvent] = [:]
    var void: Set<Dot> = []
    var accepted = VersionVector()
    if let authority = world.nodes.first { accepted = authority.log.vector }
    for node in world.nodes {
      void.formUnion(node.log.void)
      for event in node.log.records.values.joined() { events[event.dot] = event }
    }
    for (index, replica) in Set(events.keys.map(\.replica)).sorted().enumerated() {
      letters[replica] = SimulationPicture.letter(index)
    }
    func name(_ dot: Dot) -> String {
      let mark = void.contains(dot) ? "~" : accepted.contains(dot) ? "" : "'"
      return "\(letters[dot.replica] ?? "?")\(dot.seq)\(mark)"
    }
    var lines: [String] = []
    for event in events.values.sorted(by: { ($0.stamp, $0.dot) < ($1.stamp, $1.dot) }).suffix(40) {
      let model = world.models.schema.models[event.event.model]
      let seen = event.context.entries
        .filter { $0.replica != event.dot.replica && letters[$0.replica] != nil }
        .map { "\(letters[$0.replica] ?? "")\($0.seq)" }
      let changes = event.event.changes.map { change in
        let field = change.field < model.fields.count ? model.fields[change.field].name : "?"
        return "\(field) \(SimulationPicture.text(change.operation))"
      }
      lines.append(
        "  \(name(event.dot).padded(to: 6)) \(event.event.kind.name) \(model.name) \(event.event.id)"
          + (changes.isEmpty ? "" : ": " + changes.joined(separator: ", "))
          + "  by \(event.event.principal.subject ?? "anonymous"), \(event.label)"
          + (seen.isEmpty ? "" : ", had seen " + seen.joined(separator: " ")))
    }
    for node in world.nodes {
      let holds = node.log.vector.entries
        .map { "\(letters[$0.replica] ?? $0.replica.description)\($0.seq)" }
      lines.append(
        "  \(node.name) \(node.role == .authority ? "authority" : "device   ")"
          + (node.store == nil ? " (down)" : "") + " holds " + holds.joined(separator: " "))
    }
    text = lines.joined(separator: "\n")
  }

  private static func letter(_ index: Int) -> String {
    index < 26 ? String(UnicodeScalar(UInt8(97 + index))) : "r\(index)."
  }

  private static func text(_ operation: FieldOperation) -> String {
    switch operation {
    case .set(let value): "= \(value)"
    case .add(let amount): amount < 0 ? "\(amount)" : "+\(amount)"
    case .edit(let add, let remove):
      (add.map { "+\($0)" } + remove.map { "-\($0)" }).joined(separator: " ")
    case .unknown: "?"
    }
  }
}

extension String {
  fileprivate func padded(to count: Int) -> String {
    utf8.count >= count ? self : self + String(repeating: " ", count: count - utf8.count)
  }
}
