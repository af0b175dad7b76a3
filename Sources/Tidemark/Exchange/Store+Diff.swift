public import TidemarkEvents
internal import TidemarkLMDB

/// What two stores disagree on.
public struct StoreDifference: Sendable {
  /// Events that one holds and the other lacks: replica, first and last seq.
  public struct Range: Hashable, Sendable {
    public let replica: ReplicaID
    public let firstSeq: UInt64
    public let lastSeq: UInt64
  }

  public struct Record: Hashable, Sendable {
    public let model: String
    public let id: RecordID
    /// `nil` where the store does not have it.
    public let left: RecordView?
    public let right: RecordView?
  }

  /// Sorted by replica.
  public let onlyLeft: [Range]
  public let onlyRight: [Range]
  /// Transactions that both know of and one holds no more than a portion of: what it lacks of them is
  /// withheld from it, and not missing. Sorted by replica and seq.
  public let withheldLeft: [Range]
  public let withheldRight: [Range]
  /// Sorted by model and id; at most `recordCountMax`.
  public let records: [Record]
  public let recordCount: Int
  /// The first event, in the left log's order, that the other store lacks or holds otherwise.
  public let firstDifference: Dot?
  public static let recordCountMax = 1000

  public var isEmpty: Bool {
    onlyLeft.isEmpty && onlyRight.isEmpty && recordCount == 0 && firstDifference == nil
  }
}

extension Store {
  /// Compares this store with another.
  /// - Complexity: O(events + records).
  public func difference(from other: Store) throws(StoreError) -> StoreDifference {
    let mine = try knowledge().vector
    let theirs = try other.knowledge().vector
    let left = try views()
    let right = try other.views()
    let keys = Set(left.keys).union(right.keys).filter { left[$0] != right[$0] }
    let sorted = keys.sorted {
      $0.model.hasSameBytes(as: $1.model) ? $0.id < $1.id : $0.model.precedesInBytes($1.model)
    }
    return StoreDifference(
      onlyLeft: mine.ranges(beyond: theirs), onlyRight: theirs.ranges(beyond: mine),
      withheldLeft: try withheldRanges(), withheldRight: try other.withheldRanges(),
      records: sorted.prefix(StoreDifference.recordCountMax).map {
        StoreDifference.Record(model: $0.model, id: $0.id, left: left[$0], right: right[$0])
      },
      recordCount: sorted.count, firstDifference: try firstDifference(other))
  }

  private struct ViewKey: Hashable {
    let model: String
    let id: RecordID
  }

  private func views() throws(StoreError) -> [ViewKey: RecordView] {
    var views: [ViewKey: RecordView] = [:]
    try forEachRecord { view in
      views[ViewKey(model: view.model, id: view.id)] = view
      return true
    }
    return views
  }

  private func firstDifference(_ other: Store) throws(StoreError) -> Dot? {
    let mine = try fingerprints()
    let theirs = try other.fingerprints()
    let known = Dictionary(
      theirs.map { ($0.dot, $0.content) }, uniquingKeysWith: { first, _ in first })
    if let first = mine.first(where: { known[$0.dot] != $0.content }) { return first.dot }
    let held = Set(mine.map(\.dot))
    return theirs.first { !held.contains($0.dot) }?.dot
  }

  /// The dots of all transactions that the log holds portions of, as few ranges.
  /// - Complexity: O(log) where there are any, else O(1).
  func withheldRanges() throws(StoreError) -> [StoreDifference.Range] {
    try read { tx, snapshot in try snapshot.withheldRanges(tx) }
  }

  /// Every transaction's first dot with its hash and whether it is void, in the log's order.
  private func fingerprints() throws(StoreError) -> [(dot: Dot, content: [String])] {
    try read { tx, snapshot in
      var found: [(dot: Dot, content: [String])] = []
      try tx.forEach(snapshot.tables.log, from: 0) { lsn, value in
        switch try LogEntry(value, lsn: lsn) {
        case .transaction(let entry):
          let dot = entry.transaction.header.firstDot
          guard try snapshot.tables.position(dot, tx) == lsn else { return true }
          let isVoid = try snapshot.tables.tombstone(dot, tx) != nil
          found.append((dot, [entry.transaction.hash.description, isVoid ? "void" : "live"]))
        case .rejection(let rejection):
          guard try snapshot.tables.position(rejection.dot(0), tx) == lsn else { return true }
          found.append((rejection.dot(0), [rejection.hash.description, "void"]))
        case .portion(let entry):
          let dot = entry.portion.header.firstDot
          let isVoid = try snapshot.tables.tombstone(dot, tx) != nil
          found.append((dot, [entry.portion.hash.description, isVoid ? "void" : "live"]))
        case .acceptance, .withdrawal, .adoption: break
        }
        return true
      }
      return found
    }
  }
}

extension Snapshot {
  /// The dots of all transactions that the log holds portions of, as few ranges, sorted.
  func withheldRanges(_ tx: borrowing ReadTransaction) throws -> [StoreDifference.Range] {
    guard header.portionCount > 0 else { return [] }
    var ranges: [ReplicaID: [StoreDifference.Range]] = [:]
    try tx.forEach(tables.log, from: 0) { lsn, value in
      guard case .portion(let entry) = try LogEntry(value, lsn: lsn) else { return true }
      let header = entry.portion.header
      let known = ranges[header.replica]?.last
      let goesOn = known.map { $0.lastSeq + 1 == header.firstSeq } ?? false
      let first = goesOn ? known?.firstSeq : nil
      if goesOn { ranges[header.replica]?.removeLast() }
      ranges[header.replica, default: []].append(
        StoreDifference.Range(
          replica: header.replica, firstSeq: first ?? header.firstSeq, lastSeq: header.lastSeq))
      return true
    }
    return ranges.sorted { $0.key < $1.key }.flatMap(\.value)
  }
}

extension VersionVector {
  /// What this vector has beyond another.
  func ranges(beyond other: VersionVector) -> [StoreDifference.Range] {
    entries.filter { $0.seq > other[$0.replica] }.map {
      StoreDifference.Range(
        replica: $0.replica, firstSeq: other[$0.replica] + 1, lastSeq: $0.seq)
    }
  }
}
