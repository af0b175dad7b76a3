public import TidemarkEvents

/// What an application asks a store to do to one record.
public struct Operation: Sendable {
  /// A field's name and what to do to it.
  public struct Change: Hashable, Sendable {
    public let name: String
    public let operation: FieldOperation

    public init(_ name: String, _ operation: FieldOperation) {
      self.name = name
      self.operation = operation
    }
  }

  /// An operation's JSON text may be so long: 4 MiB.
  public static let byteCountMax = 4 << 20

  /// `create`, `update` or `delete`.
  public var kind: EventKind
  public var model: String
  public var id: RecordID
  /// Only the fields to change; each at most once.
  public var changes: [Change]
  public var principal: Principal
  /// The wall clock that the event's stamp takes in place of the machine's, in milliseconds since 1970.
  public var wallMilliseconds: UInt64?
  /// The application's name for the transaction; the first operation's counts.
  public var transactionLabel: String?

  public init(
    _ kind: EventKind, _ model: String, _ id: RecordID, _ changes: [Change] = [],
    by principal: Principal = .anonymous, at wallMilliseconds: UInt64? = nil,
    transactionLabel: String? = nil
  ) {
    self.kind = kind
    self.model = model
    self.id = id
    self.changes = changes
    self.principal = principal
    self.wallMilliseconds = wallMilliseconds
    self.transactionLabel = transactionLabel
  }
}

/// Why an operation's text is refused.
public struct OperationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Stable: programs may compare these.
  public enum Code: String, Sendable, CaseIterable {
    case malformedJSON, tooLong, notAnObject, missingKey, unknownKey, wrongKeyType
    case unknownOperation, unknownModel, unknownField, missingField, idEmpty, idTooLong, idNUL
    case badTime, badActor, wrongType, outOfRange, badFormat, unknownCase, wrongOperation
  }

  public let code: Code
  /// What is wrong and what to give instead.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
