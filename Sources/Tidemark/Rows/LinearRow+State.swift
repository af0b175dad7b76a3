internal import TidemarkEvents
internal import TidemarkMerge

extension LinearRow {
  /// The record's state.
  /// - Parameter withEntry: calls a closure with the bytes of a log entry.
  func state(
    _ catalog: Catalog, _ withEntry: (UInt64, (RawSpan) throws -> Void) throws -> Void
  ) throws -> RecordState {
    var folder = LinearFolder(catalog)
    for index in 0..<count {
      let position = position(index)
      try withEntry(position.entryLSN) { try folder.fold($0, position) }
    }
    return folder.state
  }
}

/// Folds the events of a line, each of which had seen all before it.
private struct LinearFolder {
  private let catalog: Catalog
  private(set) var state = RecordState()
  /// The events folded so far: what the next one had seen of the record.
  private var seen = VersionVector()

  init(_ catalog: Catalog) {
    self.catalog = catalog
  }

  mutating func fold(_ entry: RawSpan, _ position: Position) throws(CodecError) {
    let event = try TransactionEntry.event(in: entry, at: position)
    guard let resolved = catalog.resolved(event.schema),
      resolved.models.indices.contains(event.model)
    else { throw CodecError(.malformed, "schema of \(event.dot)") }
    let changes = try catalog.changes(event.changes(), of: event.model, resolved)
    // What its author had seen of others' records does not matter to this one.
    _ = state.apply(
      FoldEvent(
        rank: Rank(event.stamp, event.dot), kind: event.kind, context: seen, changes: changes),
      catalog.mergeRules(resolved.models[event.model]))
    seen.raise(event.dot.replica, to: event.dot.seq)
  }
}
