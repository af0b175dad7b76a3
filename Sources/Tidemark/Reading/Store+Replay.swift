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
  /// The hash of the rebuilt view, as `StoreDigest.view`; empty where it was not asked for.
  public internal(set) var view = ""
  public static let differenceCountMax = 100

  public var agrees: Bool { differenceCount == 0 }
}

extension Store {
  /// Rebuilds the view from the first event and compares it with the stored one, states and chains
  /// included.
  /// - Parameter hashesView: also hashes every record, which takes longer than all the rest.
  /// - Complexity: O(events) in time, O(records) in memory.
  public func replay(hashesView: Bool = true) throws(StoreError) -> ViewComparison {
    try read { tx, snapshot in try snapshot.compareView(hashes: hashesView, tx) }
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
  func compareView(hashes: Bool, _ tx: borrowing ReadTransaction) throws -> ViewComparison {
    let builder = try ViewBuilder(self, tx)
    try builder.build(tx)
    var comparison = ViewComparison()
    comparison.eventCount = builder.eventCount
    var hash = SetHash()
    var differing: [RecordKey] = []
    var storedCount = 0
    var merge = RowMerge(
      [RowSource(tree: tables)] + (try tables.rowRuns(tx)).map { RowSource(run: $0, tables) })
    while let source = try merge.next(tx) {
      try source.withCurrent { key, bytes in
        let stored = try StoredRow(bytes)
        let made = builder.row(key)
        if made != nil { storedCount += 1 }
        if try !isSame(stored, made, tx) { differing.append(try RecordKey(key)) }
      }
    }
    try builder.visit { key, row in
      if try exists(row, tx) { comparison.recordCount += 1 }
      if storedCount < builder.count, try tables.storedRow(key, tx) == nil {
        differing.append(try RecordKey(key))
      }
      if hashes {
        add(try RecordKey(key), try tables.row(row, catalog, tx).state, to: &hash)
      }
    }
    if hashes { comparison.view = hash.hexadecimal }
    comparison.differenceCount = differing.count
    comparison.differences = differing.sorted().prefix(ViewComparison.differenceCountMax).map {
      ViewComparison.Difference(model: catalog.modelNames[$0.model], id: $0.id)
    }
    return comparison
  }

  /// Whether two rows say the same of a record, be it by its events or by its state.
  private func isSame(
    _ stored: StoredRow, _ made: StoredRow?, _ tx: borrowing ReadTransaction
  ) throws -> Bool {
    switch (stored, made) {
    case (.linear(let a), .linear(let b)) where a == b: return true
    case (_, let made?):
      return try tables.row(stored, catalog, tx) == tables.row(made, catalog, tx)
    case (_, nil): return try tables.row(stored, catalog, tx).state == RecordState()
    }
  }

  private func exists(_ row: StoredRow, _ tx: borrowing ReadTransaction) throws -> Bool {
    switch row {
    case .linear(let line): line.exists
    case .state(let row): row.state.exists
    }
  }
}
