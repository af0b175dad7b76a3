/// One unchanging state of a store, as of the moment the transaction began.
///
/// Cheap, but not to be held for long: while it lives, no page that the state uses is used again,
/// and the file grows with every write.
@safe public struct ReadTransaction: Reading, ~Copyable, ~Escapable {
  public let _handle: TransactionHandle

  @usableFromInline
  @_lifetime(immortal)
  init(_ handle: TransactionHandle) { _handle = handle }
}
