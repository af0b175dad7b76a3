public import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

/// How large a store is, and who reads it.
public struct StoreStats: Sendable {
  public struct TableSize: Sendable {
    public let name: String
    public let entryCount: Int
    public let byteCount: Int
  }

  public struct Replica: Sendable {
    public let replica: ReplicaID
    public let seq: UInt64
    public let pendingCount: UInt64
    public let isOwn: Bool
  }

  public let identity: StoreIdentity
  public let eventCount: UInt64
  public let tombstoneCount: UInt64
  public let pendingCount: UInt64
  public let recordCount: Int
  public let conflictCount: Int
  /// Transactions of which the store holds a portion, because its principals may not read the rest.
  public let portionCount: UInt64
  public let quarantineByteCount: UInt64
  public let fileByteCount: UInt64
  public let lastStamp: Stamp
  /// Sorted by replica.
  public let replicas: [Replica]
  public let tables: [TableSize]
  public let readerCount: Int
}

extension Store {
  /// Sizes and counts.
  /// - Complexity: O(records + replicas).
  public func stats() throws(StoreError) -> StoreStats {
    let identity = try identity
    let information = try Store.translating {
      try engine.catchUp()
      return try environment.info
    }
    return try read { tx, snapshot in
      var recordCount = 0
      var conflictCount = 0
      for number in snapshot.catalog.modelNames.indices {
        try snapshot.forEachRow(of: number, tx) { _, row in
          if row.state.exists {
            recordCount += 1
            conflictCount += row.state.conflicts.count
          }
          return true
        }
      }
      let replicas = try tables.replicaStates(tx).sorted { $0.key < $1.key }.map {
        StoreStats.Replica(
          replica: $0.key, seq: $0.value.seq, pendingCount: $0.value.seq - $0.value.decidedThrough,
          isOwn: $0.value.isOwn)
      }
      let sizes = try tables.all.map { table in
        let statistics = try tx.statistics(table)
        let pages =
          statistics.branchPageCount + statistics.leafPageCount + statistics.overflowPageCount
        return StoreStats.TableSize(
          name: table.name, entryCount: statistics.entryCount,
          byteCount: pages * information.pageByteCount)
      }
      return StoreStats(
        identity: identity, eventCount: snapshot.header.eventCount,
        tombstoneCount: snapshot.header.tombstoneCount,
        pendingCount: replicas.reduce(0) { $0 + $1.pendingCount }, recordCount: recordCount,
        conflictCount: conflictCount, portionCount: snapshot.header.portionCount,
        quarantineByteCount: snapshot.header.quarantineByteCount,
        fileByteCount: UInt64(information.usedByteCount), lastStamp: snapshot.header.clock.last,
        replicas: replicas, tables: sizes, readerCount: information.readersInUse)
    }
  }

  /// Writes a consistent copy while the store is in use. The copy is a store of its own: it goes on
  /// under a new replica id.
  /// - Throws: `StoreError` `exists`, `diskFull`, `permission`, ….
  public func backup(to directory: String, compact: Bool = true) throws(StoreError) {
    try Store.translating {
      try engine.catchUp()
      try environment.copy(to: directory, compact: compact)
    }
  }
}
