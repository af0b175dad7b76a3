public import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkSchema

extension Store {
  /// What a refused transaction asked for, to be shown, edited and submitted again.
  /// - Parameter dot: of any of its events.
  /// - Throws: `StoreError` `notFound` where this device has no rejection of that dot.
  public func refusedOperations(_ dot: Dot) throws(StoreError) -> [Operation] {
    try read { tx, snapshot in
      guard try tx.get(snapshot.tables.rejections, dot.key.rawBytes) != nil,
        let lsn = try snapshot.tables.position(dot, tx)
      else { throw StoreError.noRejection(dot) }
      return try snapshot.tables.withEntry(holding: lsn, tx) { entry, _ in
        guard case .transaction(let entry) = entry,
          let resolved = snapshot.catalog.resolved(entry.transaction.header.schema)
        else { throw StoreError.noRejection(dot) }
        let label = entry.transaction.header.label
        return try entry.transaction.events().map { event in
          guard let model = resolved.schema.model(at: event.model) else {
            throw CodecError(.outOfBounds, "model")
          }
          return Operation(event, of: model, label: label)
        }
      }
    }
  }

  /// Submits a refused transaction again, edited. The new one cites the old, the old one's rejections
  /// are acknowledged, and both happen in one commit.
  ///
  /// ```swift
  /// try store.resubmit(rejection.line.dot) { operations in
  ///   operations[0].changes = [.init("title", .set("Shorter"))]
  /// }
  /// ```
  /// - Parameters:
  ///   - dot: of any event of the refused transaction.
  ///   - edit: changes what it asked for; each operation stays its author's.
  /// - Throws: `StoreError` `notFound` where this device has no rejection of that dot, `misuse` where it
  ///   was submitted again before or an operation changes its author; `AuthorizationError` where this
  ///   store refuses it at once; what `edit` throws. Then nothing has changed.
  @discardableResult
  public func resubmit(
    _ dot: Dot, _ edit: (inout [Operation]) throws -> Void = { _ in }
  ) throws -> TransactionReceipt {
    let before = try refusedOperations(dot)
    var operations = before
    try edit(&operations)
    guard !operations.isEmpty else {
      throw StoreError(
        .misuse, "a transaction needs at least one operation; acknowledge what is given up")
    }
    for operation in operations {
      let isKept = before.contains {
        $0.principal.isSamePerson(as: operation.principal)
          || (!$0.principal.isSomebody && !operation.principal.isSomebody)
      }
      guard isKept else {
        throw StoreError(
          .misuse, "what is submitted again stays its author's; submit another's as a new operation"
        )
      }
    }
    let edited = operations
    let receipt = try write { writer, tx in try writer.resubmit(dot, edited, &tx) }
    if receipt.decision == .rejected { throw AuthorizationError(reasons: receipt.reasons) }
    return receipt
  }
}

extension StoreError {
  static func noRejection(_ dot: Dot) -> StoreError {
    StoreError(.notFound, "no rejection of \(dot) is kept here")
  }
}

extension LogWriter {
  fileprivate func resubmit(
    _ dot: Dot, _ operations: [Operation], _ tx: inout WriteTransaction
  ) throws -> TransactionReceipt {
    guard let lsn = try tables.position(dot, tx) else { throw StoreError.noRejection(dot) }
    let refused = try tables.event(lsn, tx).header
    var notices: [(Dot, RejectionNotice)] = []
    for index in 0..<refused.eventCount {
      let dot = refused.dot(index)
      guard let bytes = try tx.get(tables.rejections, dot.key.rawBytes) else { continue }
      notices.append((dot, try RejectionNotice(bytes)))
    }
    guard notices.contains(where: { $0.0 == dot }) else { throw StoreError.noRejection(dot) }
    if let again = notices.lazy.compactMap(\.1.resubmitted).first {
      throw StoreError(.misuse, "\(dot) was submitted again before, as \(again)")
    }
    let receipt = try write(operations, cites: refused.firstDot, &tx)
    guard let first = receipt.dots.first else { return receipt }
    for (dot, notice) in notices {
      var notice = notice
      notice.isAcknowledged = true
      notice.resubmitted = first
      var writer = ByteWriter()
      notice.encode(into: &writer)
      try tx.put(tables.rejections, dot.key.rawBytes, writer.bytes)
    }
    return receipt
  }
}

extension Operation {
  /// What an event asked for.
  init(_ event: Event, of model: Model, label: String?) {
    self.init(
      event.kind, model.name, event.id,
      event.changes.compactMap { change in
        guard model.fields.indices.contains(change.field) else { return nil }
        return Change(model.fields[change.field].name, change.operation)
      }, by: event.principal, transactionLabel: label)
  }
}
