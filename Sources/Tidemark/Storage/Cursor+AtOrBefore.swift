internal import TidemarkEvents
internal import TidemarkLMDB

extension Cursor {
  /// Goes to the last entry at or before a key.
  @_lifetime(self: copy self)
  mutating func seek(atOrBefore key: RawSpan) throws(LMDBError) -> Bool {
    guard try seek(key) else { return try last() }
    return try self.key.hasSameBytes(as: key) ? true : previous()
  }

  /// Goes to the last entry at or before a number.
  @_lifetime(self: copy self)
  mutating func seek(atOrBefore key: UInt64) throws(LMDBError) -> Bool {
    guard try seek(key) else { return try last() }
    return try integerKey == key ? true : previous()
  }
}
