/// How a query is answered: what is read, and what is done with it.
public struct QueryPlan: Hashable, Sendable {
  public enum Source: Hashable, Sendable {
    /// Every record of the model, in the order of ids.
    case allRecords
    /// Only those of some ids: one lookup each.
    case ids(count: Int)
    /// Those from an id on, to an id.
    case idRange
    /// The whole log, folded up to a moment.
    case log
  }

  public let model: String
  public let source: Source
  /// Whether a filter is asked of each.
  public let isFiltered: Bool
  /// Whether each record is asked for what its principal may read of it.
  public let isAuthorized: Bool
  /// Whether the result has to be sorted; of a sorted one with a limit only so many are kept.
  public let isSorted: Bool

  init(_ query: PreparedQuery) {
    model = query.model.name
    source =
      if query.moment != nil { .log } else if let only = query.ids.only {
        .ids(count: only.count)
      } else { query.ids.isWhole ? .allRecords : .idRange }
    isFiltered = query.condition != nil
    isAuthorized = !query.readsInPlace && query.principal != nil
    isSorted = query.needsSorting
  }
}

extension QueryPlan: CustomStringConvertible {
  /// For people, in the order in which it is done.
  public var description: String {
    let read =
      switch source {
      case .allRecords: "read all of \(model)"
      case .ids(let count): "look up \(count) of \(model) by id"
      case .idRange: "read a range of \(model) by id"
      case .log: "fold the whole log, take \(model)"
      }
    var steps = [read]
    if isAuthorized { steps.append("ask the rules of each") }
    if isFiltered { steps.append("filter") }
    if isSorted { steps.append("sort") }
    return steps.joined(separator: ", ")
  }
}
