public import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

/// The stored view beside the one that the log gives.
public struct ViewComparison: Sendable {
  public struct Difference: Hashable, Sendable {
    public let model: String
    public let id: RecordID
  }

  /// Live events folded.
  public internal(set) var eventCount = 0
  /// Records that exist.
  public internal(set) var recordCount = 0
  /// Sorted by model and id; at most `differenceCountMax`.
  public internal(set) var differences: [Difference] = []
  public internal(set) var differenceCount = 0
  /// The hash of the rebuilt view, as `StoreDigest.view`.
  public internal(set) var view = ""
  public static let differenceCountMax = 100

  public var agrees: Bool { differenceCount == 0 }
}

extension Store {
  /// Rebuilds the view from the first event and compares it with the stored one, states and chains
  /// included.
  /// - Complexity: O(events) in time, O(records) in memory.
  public func replay() throws(StoreError) -> ViewComparison {
    try read { tx, snapshot in try snapshot.compareView(tx) }
  }

  /// Folds the log from its first event and shows each one, with what it changed, until `body` returns
  /// false.
  /// - Parameter moment: only its events.
  public func forEachStep(
    until moment: Moment? = nil, _ body: (LogLine, HistoryLine.Effect) throws -> Bool
  ) throws(StoreError) {
    try read { tx, snapshot in
      let lines = try LogLines(snapshot, tx)
      let filter = try moment.map { try snapshot.filter($0, tx) }
      var folder = LogFolder(snapshot)
      var isOver = false
      try folder.fold(
        tx, where: { filter?($0) ?? true },
        each: { logged, outcome in
          guard !isOver else { return }
          let isVoid = try snapshot.tables.tombstone(logged.dot, tx) != nil
          let isThen =
            filter?(
              FoldEvent(
                rank: Rank(logged.event.stamp, logged.dot), kind: logged.event.kind,
                context: VersionVector(), changes: [])) ?? true
          guard outcome != nil || (isVoid && isThen) else { return }
          let line = try lines.line(logged.lsn, tx)
          isOver = try !body(line, outcome.map(HistoryLine.Effect.init) ?? .void)
        })
    }
  }
}

extension Snapshot {
  func compareView(_ tx: borrowing ReadTransaction) throws -> ViewComparison {
    var folder = LogFolder(self)
    var comparison = ViewComparison()
    try folder.fold(tx, each: { _, outcome in if outcome != nil { comparison.eventCount += 1 } })
    var hash = SetHash()
    for (key, state) in folder.states {
      if state.exists { comparison.recordCount += 1 }
      add(key, state, to: &hash)
    }
    comparison.view = hash.hexadecimal
    var differing: [RecordKey] = []
    var storedCount = 0
    for number in catalog.modelNames.indices {
      try forEachRow(of: number, tx) { key, row in
        if let head = folder.heads[key] {
          storedCount += 1
          let state = folder.states[key] ?? RecordState()
          if row.state != state || row.head != head { differing.append(key) }
        } else if row.state != RecordState() {
          differing.append(key)
        }
        return true
      }
    }
    if storedCount < folder.heads.count {
      for key in folder.heads.keys where try tables.row(key, catalog, tx) == nil { differing.append(key) }
    }
    comparison.differenceCount = differing.count
    comparison.differences = differing.sorted().prefix(ViewComparison.differenceCountMax).map {
      ViewComparison.Difference(model: catalog.modelNames[$0.model], id: $0.id)
    }
    return comparison
  }
}
