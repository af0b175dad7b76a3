internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

/// Hashes of what a store knows, each independent of order: equal on every store that knows the same.
///
/// A store from which some of it is withheld knows the same events and decisions, by their hashes, so
/// `live` and `void` are equal there too; `view` is that of what it may read.
public struct StoreDigest: Hashable, Sendable {
  /// Of the current view.
  public let view: String
  /// Of the events that no tombstone names, with their content and effective stamps.
  public let live: String
  /// Of the voided dots.
  public let void: String
  /// Transactions of which this store holds a portion; 0 where it holds all whole.
  public let portionCount: Int

  /// Whether the view is that of a part of the events.
  public var isPartial: Bool { portionCount > 0 }
}

/// A hash of a multiset: the sum of its elements' SHA-256 hashes, in four lanes of 64 bits.
///
/// Source of the construction: Bellare and Micciancio, “A new paradigm for collision-free hashing”,
/// 1997. It finds errors; it is not made to resist who can choose the elements.
struct SetHash: Hashable {
  private var lanes: [UInt64] = [0, 0, 0, 0]

  mutating func add(_ element: borrowing ByteWriter) {
    for (index, lane) in TransactionHash(of: element.bytes).lanes.enumerated() {
      lanes[index] &+= lane
    }
  }

  /// 64 lower-case hexadecimal digits.
  var hexadecimal: String { lanes.map { ReplicaID($0).description }.joined() }
}

extension Store {
  /// The store's digest.
  /// - Complexity: O(events + records).
  public func digest() throws(StoreError) -> StoreDigest {
    try read { tx, snapshot in
      var live = SetHash()
      var void = SetHash()
      var portionCount = 0
      var element = ByteWriter()
      try tx.forEach(snapshot.tables.tombstones) { key, _ in
        element.truncate()
        element.append(key)
        void.add(element)
        return true
      }
      try tx.forEach(snapshot.tables.log, from: 0) { lsn, value in
        let header: TransactionHeader
        let hash: TransactionHash
        switch try LogEntry(value, lsn: lsn) {
        case .transaction(let entry):
          (header, hash) = (entry.transaction.header, entry.transaction.hash)
        case .portion(let entry):
          (header, hash) = (entry.portion.header, entry.portion.hash)
          portionCount += 1
        case .rejection, .acceptance, .withdrawal, .adoption: return true
        }
        if snapshot.header.withdrawalCount > 0,
          try snapshot.tables.position(header.firstDot, tx) != lsn
        {
          return true
        }
        if snapshot.header.tombstoneCount > 0,
          try snapshot.tables.tombstone(header.firstDot, tx) != nil
        {
          return true
        }
        for index in 0..<header.eventCount {
          let dot = header.dot(index)
          element.truncate()
          dot.encode(into: &element)
          hash.encode(into: &element)
          // Zero where it is the event's own, which the hash covers.
          let effective = try snapshot.tables.effectiveStamp(dot, .zero, tx)
          element.append(littleEndian: effective.rawValue)
          live.add(element)
        }
        return true
      }
      return StoreDigest(
        view: try snapshot.viewHash(tx).hexadecimal, live: live.hexadecimal, void: void.hexadecimal,
        portionCount: portionCount)
    }
  }
}

extension Snapshot {
  /// The hash of the stored view.
  func viewHash(_ tx: borrowing ReadTransaction) throws -> SetHash {
    var hash = SetHash()
    for number in catalog.modelNames.indices {
      try forEachRow(of: number, tx) { key, row in
        add(key, row.state, to: &hash)
        return true
      }
    }
    return hash
  }

  /// Adds a record as the view shows it, under names and not this store's numbers.
  func add(_ key: RecordKey, _ state: RecordState, to hash: inout SetHash) {
    guard let view = catalog.view(key, state) else { return }
    var element = ByteWriter()
    element.append(counted: view.model)
    element.append(counted: view.id.string)
    Value.object(view.fields.sorted { $0.name.precedesInBytes($1.name) }).encode(into: &element)
    (view.owner ?? .null).encode(into: &element)
    for rank in [view.created, view.updated] {
      element.append(littleEndian: rank.stamp.rawValue)
      rank.dot.encode(into: &element)
    }
    for name in view.conflicts.sorted(by: { $0.precedesInBytes($1) }) {
      element.append(counted: name)
    }
    hash.add(element)
  }
}
