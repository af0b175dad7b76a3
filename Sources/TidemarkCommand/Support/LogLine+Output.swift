import Tidemark
import TidemarkJSON

extension LogLine {
  /// The contract's keys, inside an object that is open already.
  func appendKeys(to builder: inout JSONBuilder) {
    builder.append("lsn", lsn)
    builder.append("dot", dot.description)
    builder.append("kind", kindName)
    if let event {
      if let model { builder.append("model", model.name) }
      builder.append("id", event.id.string)
      if let model { Operation.appendFields(event.changes, of: model, to: &builder) }
    }
    builder.beginObject("stamp")
    builder.append("ms", stamp.milliseconds)
    builder.append("n", Int(stamp.counter))
    if let effective { effective.appendJSON("effective", to: &builder) }
    builder.endObject()
    builder.append("context", context)
    builder.append("tx", transaction)
    builder.append("cites", ifGiven: cites?.description)
    if let event { event.principal.appendJSON("actor", to: &builder) }
    builder.append("status", status.rawValue)
    if let reason {
      builder.append("reason", reason.code)
      builder.append("rule", ifGiven: reason.rule)
    }
    if let policy { builder.append("policy", policy.description) }
    if !hidden.isEmpty { builder.append("hidden", Value.list(hidden.map(Value.string))) }
  }

  func appendJSON(to builder: inout JSONBuilder) {
    builder.beginObject()
    appendKeys(to: &builder)
    builder.endObject()
  }

  static let header = ["lsn", "when", "event", "kind", "record", "by", "what"]

  func row() -> [String] {
    [
      String(lsn), (effective ?? stamp).time, mark, kindName, recordName,
      event?.principal.name ?? "", summary,
    ]
  }

  /// The dot in the project's notation: `a3`, pending `a3'`, void `a3~`, with the replica's first
  /// digits.
  var mark: String {
    let short = dot.replica.description.prefix(6)
    switch status {
    case .pending: return "\(short):\(dot.seq)'"
    case .rejected: return "\(short):\(dot.seq)~"
    case .accepted: return "\(short):\(dot.seq)"
    }
  }

  /// What it changed, or why it is void.
  var summary: String {
    if let reason { return "\(reason.code): \(reason.message)" }
    return writtenText
  }

  /// What the event was, also where a tombstone is all that the log shows of it; empty where that
  /// is not known here.
  var eventKindName: String { event?.kind.name ?? "" }

  /// The record, for people; empty where it is not known here.
  var recordName: String { event.map { "\(model?.name ?? "?")/\($0.id)" } ?? "" }

  /// What its author wrote, whatever was decided of it.
  var writtenText: String {
    guard let event, let model else { return "" }
    return event.changes.filter { model.fields.indices.contains($0.field) }.map { change in
      let name = model.fields[change.field].name
      switch change.operation {
      case .set(let value): return "\(name) = \(Text.shortened(value.text, to: 40))"
      case .add(let amount): return "\(name) \(amount < 0 ? "" : "+")\(amount)"
      case .edit(let added, let removed):
        let parts = added.map { "+\($0.text)" } + removed.map { "-\($0.text)" }
        return "\(name) \(parts.joined(separator: " "))"
      case .unknown(let tag, _): return "\(name) by operation \(tag)"
      }
    }.joined(separator: ", ")
  }
}
