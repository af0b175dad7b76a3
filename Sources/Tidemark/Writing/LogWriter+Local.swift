internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkSchema

extension LogWriter {
  /// Writes one transaction of this store's own.
  /// - Parameter cites: the first dot of the refused transaction that it takes the place of.
  /// - Precondition: at least one operation.
  /// - Throws: `StoreError` `invalid` for what cannot be stored whoever asks.
  func write(
    _ operations: [Operation], cites: Dot? = nil, _ tx: inout WriteTransaction
  ) throws -> TransactionReceipt {
    try closeAcceptance(&tx)
    let clockBefore = header.clock
    let replica = header.replica
    var proposal = try propose(operations, replica, &tx)
    let judging: Judging =
      header.role == .device && header.acceptance == .optimistic ? .optimistic : .enforce
    try judge(&proposal, judging, firstLSN: header.nextLSN, &tx)
    if !proposal.denials.isEmpty {
      let reasons = proposal.reasons
      guard header.role == .authority, header.acceptance == .optimistic else {
        header.clock = clockBefore
        return TransactionReceipt(decision: .rejected, dots: [], reasons: reasons)
      }
    }
    let change = try contextChange(proposal, &tx)
    let transactionHeader = TransactionHeader(
      proposal, contextChange: change, label: operations[0].transactionLabel, cites: cites)
    var bytes = ByteWriter(capacity: 1024)
    let hash: TransactionHash
    do {
      hash = try encodeTransaction(
        transactionHeader, proposal.events, after: state(replica).head, into: &bytes)
    } catch {
      header.clock = clockBefore
      throw StoreError(
        .invalid,
        "the transaction is too large (\(error)): an event holds at most 4 MiB, a transaction 64 MiB; split it"
      )
    }
    let dots = proposal.events.indices.map(proposal.dot)
    if !proposal.denials.isEmpty {
      let rejection = self.rejection(of: transactionHeader, hash, proposal)
      try reject(rejection, payload: bytes.toArray(), &tx)
      return TransactionReceipt(
        decision: .rejected, dots: dots, reasons: rejection.reasons)
    }
    let isAuthority = header.role == .authority
    try append(
      bytes.bytes, transactionHeader, hash, proposal,
      decision: isAuthority ? decision(clamps: []) : nil, isOwn: true, &tx)
    return TransactionReceipt(
      decision: isAuthority ? .accepted : .pending, dots: dots, reasons: [])
  }

  private func propose(
    _ operations: [Operation], _ replica: ReplicaID, _ tx: inout WriteTransaction
  ) throws -> Proposal {
    let schema = catalog.current.schema
    if let label = operations.first?.transactionLabel,
      !(1...Limits.labelByteCountMax).contains(label.utf8.count)
    {
      throw StoreError(.invalid, "a transaction's label has 1 to \(Limits.labelByteCountMax) bytes")
    }
    guard operations.count <= Limits.principalCountMax else {
      throw StoreError(
        .invalid, "a transaction has at most \(Limits.principalCountMax) operations; split it")
    }
    var events: [Event] = []
    events.reserveCapacity(operations.count)
    for operation in operations {
      let (model, changes) = try schema.places(operation)
      let wall = operation.wallMilliseconds ?? wallMilliseconds()
      guard let stamp = header.clock.tick(wallMilliseconds: wall) else {
        throw StoreError(.storeFull, "the store's clock has reached its end")
      }
      events.append(
        Event(
          stamp: stamp, kind: operation.kind, model: model, id: operation.id,
          principal: operation.principal, changes: changes))
    }
    var context = vector
    let seq = context[replica]
    context.set(replica, to: 0)
    return Proposal(
      events: events, resolved: catalog.current, replica: replica, firstSeq: seq + 1,
      foreignContext: context, effective: events.map(\.stamp))
  }

  /// What rose in a proposal's context since its replica's transaction before.
  func contextChange(
    _ proposal: Proposal, _ tx: inout WriteTransaction
  ) throws -> VersionVector {
    let before = try foreignContext(of: proposal.replica, &tx)
    return proposal.foreignContext.risen(since: before)
  }

  /// This authority's decision, now.
  func decision(clamps: [DecisionRecord.Clamp]) -> DecisionRecord {
    let stamp = header.clock.tick(wallMilliseconds: wallMilliseconds()) ?? header.clock.last
    return DecisionRecord(
      policy: catalog.current.version, stamp: stamp, authority: header.replica, clamps: clamps)
  }

  func rejection(
    of transaction: TransactionHeader, _ hash: TransactionHash, _ proposal: Proposal
  ) -> RejectionEntry {
    RejectionEntry(
      replica: transaction.replica, firstSeq: transaction.firstSeq, hash: hash,
      lastStamp: proposal.events.last?.stamp ?? .zero, schema: transaction.schema,
      contextChange: transaction.contextChange, decision: decision(clamps: []),
      label: transaction.label, reasons: proposal.reasons)
  }
}

extension TransactionHeader {
  init(
    _ proposal: Proposal, contextChange: VersionVector, label: String?, cites: Dot? = nil
  ) {
    var principals: [Principal] = []
    for event in proposal.events where !principals.contains(event.principal) {
      principals.append(event.principal)
    }
    self.init(
      replica: proposal.replica, firstSeq: proposal.firstSeq, eventCount: proposal.events.count,
      schema: proposal.resolved.version, firstStamp: proposal.events.first?.stamp ?? .zero,
      contextChange: contextChange, label: label, cites: cites, principals: principals)
  }
}

extension Proposal {
  /// A reason for each event of a refused transaction.
  var reasons: [Reason] {
    guard let refused = denials.keys.min(), let first = denials[refused] else { return [] }
    return events.indices.map {
      Reason(denials[$0] ?? first, at: denials[$0] == nil ? refused : $0, for: $0)
    }
  }
}
