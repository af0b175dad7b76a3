internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

extension LogWriter {
  /// Appends an entry of this store's own that the journal held: it was judged when it was written.
  func restore(_ entry: [UInt8], _ tx: inout WriteTransaction) throws {
    let lsn = header.nextLSN
    let (start, byteCount) = try TransactionEntry.transactionRange(in: entry.rawBytes)
    let hashOffset = start + byteCount - TransactionHash.byteCount
    guard byteCount > TransactionHash.byteCount, start + byteCount <= entry.count else {
      throw CodecError(.truncated, "journal record \(lsn)")
    }
    // The journal leaves the hash out.
    let replica = try ReplicaID(ofTransaction: entry.rawBytes.extracting(start..<hashOffset))
    let hash = TransactionHash(
      after: state(replica).head, entry.rawBytes.extracting(start..<hashOffset))
    var whole = ByteWriter(capacity: entry.count)
    whole.append(entry.rawBytes.extracting(0..<hashOffset))
    hash.encode(into: &whole)
    whole.append(
      entry.rawBytes.extracting(hashOffset + TransactionHash.byteCount..<entry.count))
    guard case .transaction(let read) = try LogEntry(whole.bytes, lsn: lsn) else {
      throw CodecError(.malformed, "journal record \(lsn)")
    }
    let incoming = read.transaction.header
    guard incoming.firstSeq == state(incoming.replica).seq + 1,
      let resolved = catalog.resolved(incoming.schema)
    else { throw CodecError(.malformed, "journal record \(lsn)") }
    let events = try read.transaction.events()
    var context = try foreignContext(of: incoming.replica, &tx)
    context.formUnion(incoming.contextChange)
    var proposal = Proposal(
      events: events, resolved: resolved, replica: incoming.replica,
      firstSeq: incoming.firstSeq, foreignContext: context, effective: events.map(\.stamp))
    try judge(&proposal, .decided, firstLSN: lsn, &tx)
    for event in events { header.clock.observe(event.stamp) }
    if let decision = read.decision { header.clock.observe(decision.stamp) }
    try append(
      read.transaction.bytes, incoming, hash, proposal, decision: read.decision, isOwn: true, &tx)
  }
}
