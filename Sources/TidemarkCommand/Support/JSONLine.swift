import Tidemark
import TidemarkJSON

typealias JSONLine = JSONBuilder

extension JSONBuilder {
  /// A record under a key, or bare: `{"model","id","fields","owner"?,"created","updated","conflicts"?}`.
  mutating func append(_ view: RecordView, key: String? = nil) {
    if let key { beginObject(key) } else { beginObject() }
    append("model", view.model)
    append("id", view.id.string)
    append("fields", Value.object(view.fields))
    if let owner = view.owner { append("owner", owner) }
    for (key, rank) in [("created", view.created), ("updated", view.updated)] {
      beginObject(key)
      append("ms", rank.stamp.milliseconds)
      append("n", Int(rank.stamp.counter))
      append("dot", rank.dot.description)
      endObject()
    }
    if !view.conflicts.isEmpty {
      append("conflicts", Value.list(view.conflicts.map(Value.string)))
    }
    if !view.hidden.isEmpty { append("hidden", Value.list(view.hidden.map(Value.string))) }
    endObject()
  }

  /// A version vector as `{"REPLICA":seq,…}`.
  mutating func append(_ key: String, _ vector: VersionVector) {
    beginObject(key)
    for entry in vector.entries { append(entry.replica.description, entry.seq) }
    endObject()
  }
}
