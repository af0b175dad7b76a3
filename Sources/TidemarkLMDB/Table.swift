/// A named table of a store: an ordered map from keys to values.
///
/// A table is a small value that stays good as long as its environment. Open the tables before the
/// transactions that use them: a transaction does not know a table that was opened after it began.
public struct Table: Hashable, Sendable {
  /// What a table's keys are.
  public enum Kind: UInt8, Hashable, Sendable {
    /// 1 to 511 bytes, in the order of `memcmp`.
    case bytesKeys
    /// Unsigned 64-bit numbers, in their order.
    case integerKeys
  }

  public let name: String
  public let kind: Kind
  @usableFromInline let number: UInt32
  @usableFromInline let owner: UInt32

  /// The greatest number of bytes in a key.
  public static let keyByteCountMax = 511
}

/// How large a table is.
public struct TableStatistics: Hashable, Sendable {
  public let entryCount: Int
  /// Levels of the tree; 0 when the table is empty.
  public let depth: Int
  public let branchPageCount: Int
  public let leafPageCount: Int
  /// Pages of values that are too long for a leaf.
  public let overflowPageCount: Int
}
