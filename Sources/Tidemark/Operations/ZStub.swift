public import TidemarkEvents

public struct Operation: Sendable {
  public struct Change: Sendable {
    public let name: String
    public let operation: FieldOperation
  }
  public var kind: EventKind
  public var model: String
  public var id: RecordID
  public var changes: [Change]
  public var principal: Principal
  public var wallMilliseconds: UInt64?
  public var transactionLabel: String?
}
