/// A read transaction that its holder keeps for as long as it likes, on any thread, one at a time.
///
/// Prefer `Environment.read`, which ends by itself. As long as this lives, no page that its state
/// uses is used again, and the map cannot grow.
@safe public struct OwnedReadTransaction: Reading, ~Copyable {
  public let _handle: TransactionHandle
  private let environment: Environment

  fileprivate init(_ environment: Environment) throws(LMDBError) {
    self.environment = environment
    unsafe _handle = environment.handle(try environment.beginRead())
  }

  deinit { unsafe environment.endRead(_handle.pointer) }
}

extension Environment {
  /// Begins a read transaction that lasts until it is dropped.
  /// - Throws: as `read`.
  public func snapshot() throws(LMDBError) -> OwnedReadTransaction {
    try OwnedReadTransaction(self)
  }
}
