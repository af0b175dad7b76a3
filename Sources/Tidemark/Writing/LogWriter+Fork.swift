internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

extension LogWriter {
  /// Takes a new replica id, because this store is a copy: the original goes on under the old one.
  /// - Parameter replica: the new id; a random one where left out.
  func rotateReplica(anchor: UInt64, to replica: ReplicaID? = nil) {
    var generator = EntropyGenerator(next: entropy)
    header.replica = replica ?? ReplicaID.random(using: &generator)
    header.logID = UInt64.random(in: 1...UInt64.max, using: &generator)
    header.anchor = anchor
  }

  /// Issues again, under a new replica id, what this store wrote from a dot on and no authority has
  /// decided: another store used these dots first. The events keep their stamps, what they had seen,
  /// and their order; only their dots change.
  /// - Returns: the new id and how many events moved.
  /// - Throws: `StoreError` `fork` where the events are decided already, so that not this store but
  ///   the other was cut or mended.
  func reissue(
    from first: Dot, _ tx: inout WriteTransaction
  ) throws -> (replica: ReplicaID, eventCount: Int) {
    try flushRuns(&tx)
    let known = state(first.replica)
    guard known.isOwn, first.seq > known.decidedThrough,
      let firstLSN = try tables.position(first, tx)
    else {
      throw StoreError(
        .fork,
        "\(first) is decided in both stores and differs: one of them was cut or mended; compare them with `tidemark diff`"
      )
    }
    let hash = try tables.withEntry(holding: firstLSN, tx) { entry, _ -> TransactionHash? in
      guard case .transaction(let entry) = entry else { return nil }
      return entry.transaction.hash
    }
    let withdrawn = try withdrawals(from: firstLSN, &tx)
    let kept = try withdraw(withdrawn, &tx)
    rotateReplica(anchor: header.anchor, to: try successor(of: first, hash, &tx))
    for item in withdrawn { try issue(item, kept, &tx) }
    return (header.replica, withdrawn.reduce(0) { $0 + $1.events.count })
  }

  /// The id under which events go on that had a dot and a hash: the same for all that hold them. So when
  /// another copy of this store, or this one before a backup was brought back, has issued them again
  /// already, that is found, and nothing is written twice.
  /// - Returns: `nil` where this log knows that id as another's.
  private func successor(
    of first: Dot, _ hash: TransactionHash?, _ tx: inout WriteTransaction
  ) throws -> ReplicaID? {
    guard let hash else { return nil }
    var writer = ByteWriter(capacity: 64)
    first.encode(into: &writer)
    hash.encode(into: &writer)
    let replica = ReplicaID(TransactionHash(of: writer.bytes).prefix)
    return replica.rawValue != 0 && replicas[replica] == nil ? replica : nil
  }

  /// An undecided transaction that has left the log, or is about to.
  struct Withdrawn {
    let header: TransactionHeader
    let events: [Event]
    /// What its author had seen, without its own replica.
    let foreign: VersionVector
    let keys: [RecordKey]
    /// Its own replica's events before it went with it.
    private let isWhole: Bool

    init(
      header: TransactionHeader, events: [Event], foreign: VersionVector, keys: [RecordKey]
    ) {
      self.header = header
      self.events = events
      self.foreign = foreign
      self.keys = keys
      isWhole = false
    }

    /// One of which all is known that its author had seen and the log still holds.
    init(header: TransactionHeader, events: [Event], whole: VersionVector) {
      self.header = header
      self.events = events
      foreign = whole
      keys = []
      isWhole = true
    }

    /// What its author had seen, as far as it has not left the log.
    /// - Parameter kept: of each replica that lost events, the last that is left.
    func context(_ kept: [ReplicaID: UInt64]) -> VersionVector {
      var context = foreign
      // Its own replica's earlier events are no longer implied by its place.
      if !isWhole { context.set(header.replica, to: header.firstSeq - 1) }
      for (replica, seq) in kept { context.set(replica, to: min(context[replica], seq)) }
      return context
    }
  }

  /// This store's undecided transactions from an lsn on, in the order of their stamps: that of the log
  /// too, but where what was kept for a user came back later than it was written.
  func withdrawals(
    from lsn: UInt64, _ tx: inout WriteTransaction
  ) throws -> [Withdrawn] {
    var items: [Withdrawn] = []
    try tx.forEach(tables.log, from: lsn) { (lsn: UInt64, value: RawSpan) in
      guard case .transaction(let entry) = try LogEntry(value, lsn: lsn) else { return true }
      let header = entry.transaction.header
      let known = state(header.replica)
      guard known.isOwn, header.firstSeq > known.decidedThrough,
        try tables.position(header.firstDot, tx) == lsn,
        let resolved = catalog.resolved(header.schema)
      else { return true }
      let events = try entry.transaction.events()
      items.append(
        Withdrawn(
          header: header, events: events, foreign: try tables.foreignContext(header.firstDot, tx),
          keys: try events.map { try catalog.key($0, resolved) }))
      return true
    }
    return items.sorted { $0.header.firstStamp < $1.header.firstStamp }
  }

  /// Takes transactions, and all that stands behind them in their replicas, out of the log, and folds
  /// their records again; what is left of a record's chain ends before them.
  /// - Returns: of each replica that lost events, the last that is left.
  func withdraw(
    _ items: [Withdrawn], _ tx: inout WriteTransaction
  ) throws -> [ReplicaID: UInt64] {
    var kept: [ReplicaID: UInt64] = [:]
    for item in items {
      let replica = item.header.replica
      kept[replica] = min(kept[replica] ?? .max, item.header.firstSeq - 1)
    }
    for (replica, seq) in kept.sorted(by: { $0.key < $1.key }) {
      try withdraw(replica, after: seq, &tx)
    }
    for key in Set(items.flatMap(\.keys)) {
      try refold(key, &tx)
      var row = try row(key, &tx)
      row.head = try tables.chain(row.head, header, tx).last?.lsn ?? 0
      set(key, row)
    }
    return kept
  }

  /// Takes a replica's events after a seq out of the log's index; the entries stay where they are.
  private func withdraw(
    _ replica: ReplicaID, after seq: UInt64, _ tx: inout WriteTransaction
  ) throws {
    try closeAcceptance(&tx)
    let count = state(replica).seq - seq
    let lsn = takeLSNs(1)
    var writer = ByteWriter(capacity: 64)
    WithdrawalEntry(replica: replica, firstSeq: seq + 1, count: count).encode(
      lsn: lsn, into: &writer)
    try tx.append(tables.log, lsn, writer.bytes)
    for table in [tables.runs, tables.contexts] {
      var stale: [Dot] = []
      try tx.forEach(table, from: Dot(replica, seq + 1).key.rawBytes) { key, _ in
        let dot = try Dot(key: key)
        guard dot.replica == replica else { return false }
        stale.append(dot)
        return true
      }
      for dot in stale { _ = try tx.delete(table, dot.key.rawBytes) }
    }
    if seq > 0, var run = try tables.run(at: Dot(replica, seq), tx) {
      run.count = min(run.count, seq - run.firstSeq + 1)
      try tx.put(tables.runs, Dot(replica, run.firstSeq).key.rawBytes, run.bytes.rawBytes)
    }
    forgetRun(replica)
    foreignContexts[replica] = nil
    let (head, stamp) = try tables.head(Dot(replica, seq), tx)
    change(replica) {
      $0.seq = seq
      $0.head = head
      $0.lastStamp = stamp
    }
    header.withdrawalCount += 1
    header.eventCount -= min(count, header.eventCount)
  }

  /// Appends a withdrawn transaction again, under the active replica.
  func issue(
    _ item: Withdrawn, _ kept: [ReplicaID: UInt64], _ tx: inout WriteTransaction
  ) throws {
    guard let resolved = catalog.resolved(item.header.schema) else { return }
    var context = item.context(kept)
    let replica = header.replica
    context.set(replica, to: 0)
    var proposal = Proposal(
      events: item.events, resolved: resolved, replica: replica,
      firstSeq: state(replica).seq + 1, foreignContext: context,
      effective: item.events.map(\.stamp))
    try judge(&proposal, .decided, firstLSN: header.nextLSN, &tx)
    let transactionHeader = TransactionHeader(
      proposal, contextChange: try contextChange(proposal, &tx), label: item.header.label,
      cites: item.header.cites)
    var bytes = ByteWriter(capacity: 1024)
    let hash = try encodeTransaction(
      transactionHeader, proposal.events, after: state(replica).head, into: &bytes)
    try append(
      bytes.bytes, transactionHeader, hash, proposal, decision: nil, isOwn: true, &tx)
  }
}
