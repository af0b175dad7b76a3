internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkSchema

extension LocalWriter {
  /// One transaction of an app's closure.
  func run(
    _ principal: Principal, _ label: String?, _ body: (inout LocalTransaction) throws -> Void
  ) throws {
    do {
      _ = try transact(principals: [principal], label: label) { writer in
        var transaction = LocalTransaction(writer)
        try body(&transaction)
      }
    } catch let refusal as LocalDenial {
      throw AuthorizationError(reasons: [Reason(refusal.denial)])
    }
  }

  /// Several transactions of operations; what cannot be stored undoes them all.
  func submit(_ transactions: [[Operation]]) throws -> [TransactionReceipt] {
    let start = mark
    do {
      return try transactions.map { try submit($0) }
    } catch {
      rollBack(to: start)
      throw error
    }
  }

  private func submit(_ operations: [Operation]) throws -> TransactionReceipt {
    guard operations.count <= Limits.principalCountMax else {
      throw StoreError(
        .invalid, "a transaction has at most \(Limits.principalCountMax) operations; split it")
    }
    var principals: [Principal] = []
    for operation in operations where !principals.contains(operation.principal) {
      principals.append(operation.principal)
    }
    // By operation: the event of it, behind those that its delete rules have added.
    var places: [Int] = []
    do {
      let (_, first, count) = try transact(
        principals: principals, label: operations[0].transactionLabel,
        wallMilliseconds: operations[0].wallMilliseconds
      ) { writer in
        for operation in operations {
          let principal = principals.firstIndex(of: operation.principal) ?? 0
          try writer.apply(operation, principal)
          places.append(writer.builder.eventCount - 1)
        }
      }
      let dots = (0..<UInt64(count)).map { Dot(first.replica, first.seq + $0) }
      var receipt = TransactionReceipt(
        decision: header.role == .authority ? .accepted : .pending, dots: places.map { dots[$0] },
        reasons: [])
      if count > places.count {
        receipt.impliedDots = places.indices.map { index in
          Array(dots[(index == 0 ? 0 : places[index - 1] + 1)..<places[index]])
        }
      }
      return receipt
    } catch let refusal as LocalDenial {
      return rejected(operations, at: places.count, Reason(refusal.denial))
    } catch let denied as DeleteDenied {
      return rejected(
        operations, at: places.count,
        Reason(code: DeleteDenied.reasonCode, rule: nil, message: denied.description))
    }
  }

  private func rejected(
    _ operations: [Operation], at refused: Int, _ reason: Reason
  ) -> TransactionReceipt {
    TransactionReceipt(
      decision: .rejected, dots: [],
      reasons: operations.indices.map { $0 == refused ? reason : reason.ofOther(than: refused) })
  }

  private func apply(_ operation: Operation, _ principal: Int) throws {
    let (place, changes) = try catalog.current.schema.places(operation)
    do {
      try catalog.current.schema.check(
        kind: operation.kind, modelIndex: place, changes: changes)
    } catch {
      throw StoreError(.invalid, error.message)
    }
    let shape = catalog.shapes[place]
    let wall = operation.wallMilliseconds ?? options.wallMilliseconds()
    if operation.kind == .delete {
      return try delete(shape, operation.id, principal: principal, wallMilliseconds: wall)
    }
    try write(
      operation.kind, shape, operation.id, principal: principal, wallMilliseconds: wall
    ) { editor in
      for change in changes { editor.append(checked: change) }
    }
  }
}

extension Reason {
  init(_ denial: Denial) {
    self.init(code: denial.code.rawValue, rule: denial.rule, message: denial.message)
  }

  /// Of one operation of a transaction that was refused for another's sake, or its own.
  init(_ denial: Denial, at refused: Int, for place: Int) {
    let own = Reason(denial)
    self = place == refused ? own : own.ofOther(than: refused)
  }

  /// Of another operation of the same transaction.
  fileprivate func ofOther(than refused: Int) -> Reason {
    Reason(
      code: ReasonCode.transactionRejected.rawValue, rule: rule,
      message: "operation \(refused + 1) of the same transaction was refused")
  }
}
