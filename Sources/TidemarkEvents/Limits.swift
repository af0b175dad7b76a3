/// The bounds of what a log takes. A transaction past one of them is refused whole.
public enum Limits {
  /// One event's encoded bytes: 4 MiB.
  public static let eventByteCountMax = 4 << 20
  /// One transaction's encoded bytes: 64 MiB.
  public static let transactionByteCountMax = 64 << 20
  /// Events in one transaction.
  public static let transactionEventCountMax = 1 << 20
  /// Replicas in one context.
  public static let contextEntryCountMax = 1 << 16
  /// Principals in one transaction.
  public static let principalCountMax = 1 << 16
  /// Fields that one event changes, and the greatest place of a model or field in a schema.
  public static let fieldCountMax = 1 << 16
  /// How deep lists and objects nest in a value.
  public static let valueDepthMax = 128
  /// UTF-8 bytes of a transaction's label.
  public static let labelByteCountMax = 256
}
