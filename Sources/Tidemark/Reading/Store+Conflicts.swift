public import TidemarkEvents
internal import TidemarkMerge

/// A register that concurrent writes competed for.
public struct FieldConflict: Hashable, Sendable {
  public struct Candidate: Hashable, Sendable {
    public let dot: Dot
    /// The effective stamp.
    public let stamp: Stamp
    public let value: Value
  }

  public let model: String
  public let id: RecordID
  public let field: String
  public let winner: Candidate
  /// Greatest stamp first.
  public let losers: [Candidate]
}

extension Store {
  /// Calls `body` with every conflict of the current view, sorted by model and id, until it returns
  /// false. A conflict ends when somebody who has seen all candidates sets the field again.
  /// - Parameter principal: only those of records and fields that this principal may read.
  /// - Complexity: O(records).
  public func forEachConflict(
    as principal: Principal? = nil, _ body: (FieldConflict) throws -> Bool
  ) throws(StoreError) {
    try read { tx, snapshot in
      let readership = principal.map { Readership(snapshot, $0, .list) }
      for number in try snapshot.catalog.modelNumbers(nil) {
        try snapshot.forEachRow(of: number, tx) { key, row in
          guard row.state.exists else { return true }
          let access = readership?.access(number, row.state)
          if access?.isVisible == false { return true }
          for entry in row.state.fields {
            let name = snapshot.catalog.fieldNames[number][entry.field]
            if access?.hidden.contains(name) == true { continue }
            guard case .register(let candidates) = entry.state, candidates.count > 1 else {
              continue
            }
            let all = candidates.map {
              FieldConflict.Candidate(dot: $0.rank.dot, stamp: $0.rank.stamp, value: $0.value)
            }
            let conflict = FieldConflict(
              model: snapshot.catalog.modelNames[number], id: key.id,
              field: name, winner: all[0],
              losers: Array(all.dropFirst()))
            guard try body(conflict) else { return false }
          }
          return true
        }
      }
    }
  }
}
