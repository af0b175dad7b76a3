public import Tidemark
public import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

/// What a store's view must be, worked out from the lines of its log by the naive model.
public struct LogModel {
  public struct Key: Hashable, Sendable {
    public let model: String
    public let id: RecordID
  }

  public private(set) var records: [Key: NaiveRecord] = [:]
  /// Field names by model, in the order of the model's field ids here.
  public private(set) var fieldNames: [String: [String]] = [:]

  /// Reads a store's log and schema.
  public init(_ store: Store) throws(StoreError) {
    let schema = try store.schema
    var void: Set<Dot> = []
    var events: [Key: [FoldEvent]] = [:]
    var seen: Set<Dot> = []
    try store.forEachLogLine { line in
      if line.isTombstone {
        void.insert(line.dot)
      } else if let event = line.event, let model = line.model, seen.insert(line.dot).inserted {
        events[Key(model: model.name, id: event.id), default: []].append(
          FoldEvent(
            rank: Rank(line.effective ?? line.stamp, line.dot), kind: event.kind,
            context: line.context, changes: event.changes))
      }
      return true
    }
    for model in schema.models {
      fieldNames[model.name] = model.fields.map(\.name)
      let rules = MergeRules(model)
      for (key, chain) in events where key.model == model.name {
        records[key] = NaiveRecord(chain.filter { !void.contains($0.rank.dot) }, rules)
      }
    }
  }

  /// What differs from the store's view, in words; empty where they agree.
  public func differences(from store: Store) throws(StoreError) -> [String] {
    var differences: [String] = []
    var shown: Set<Key> = []
    try store.forEachRecord { view in
      let key = Key(model: view.model, id: view.id)
      shown.insert(key)
      guard let expected = records[key], let created = expected.created else {
        differences.append("\(view.model) \(view.id) should not exist")
        return true
      }
      let names = fieldNames[view.model] ?? []
      let values = expected.values.sorted { $0.key < $1.key }
        .map { Value.Member(names[$0.key], $0.value) }
      if view.created != created || view.updated != expected.updated {
        differences.append("\(view.model) \(view.id): created or updated")
      }
      if view.fields != values {
        differences.append("\(view.model) \(view.id): \(view.fields) is not \(values)")
      }
      if view.conflicts != expected.conflicts.sorted().map({ names[$0] }) {
        differences.append("\(view.model) \(view.id): conflicts \(view.conflicts)")
      }
      return true
    }
    for (key, record) in records where record.created != nil && !shown.contains(key) {
      differences.append("\(key.model) \(key.id) is missing")
    }
    return differences
  }
}
