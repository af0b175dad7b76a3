/// What an event does to its record.
public enum EventKind: Hashable, Sendable {
  case create, update, delete
  /// A kind of a later version: kept and forwarded, and without effect here. 4 to 15.
  case unknown(UInt8)

  /// As operations and lines of a log write it.
  public var name: String {
    switch self {
    case .create: "create"
    case .update: "update"
    case .delete: "delete"
    case .unknown(let code): "unknown-\(code)"
    }
  }
}

/// What an event does to one field. Which of them a field takes is its merge type's.
public enum FieldOperation: Hashable, Sendable {
  /// For a register: this value from now on.
  case set(Value)
  /// For a counter: so much more, or less.
  case add(Int64)
  /// For a set: these elements in, those out. An element in both stays in.
  case edit(add: [Value], remove: [Value])
  /// An operation of a later version: kept and forwarded, and without effect here.
  case unknown(tag: UInt8, payload: [UInt8])
}

/// One changed field: its place in the model as the transaction's schema lists it.
public struct FieldChange: Hashable, Sendable {
  public let field: Int
  public let operation: FieldOperation

  public init(field: Int, operation: FieldOperation) {
    self.field = field
    self.operation = operation
  }
}

/// One create, update or delete of one record by one principal; immutable.
public struct Event: Hashable, Sendable {
  /// What the author's clock said; greater than every stamp that its replica had seen.
  public let stamp: Stamp
  public let kind: EventKind
  /// The model's place in the transaction's schema.
  public let model: Int
  public let id: RecordID
  public let principal: Principal
  /// Sorted by field; a field stands at most once.
  public let changes: [FieldChange]

  public init(
    stamp: Stamp, kind: EventKind, model: Int, id: RecordID, principal: Principal,
    changes: [FieldChange]
  ) {
    self.stamp = stamp
    self.kind = kind
    self.model = model
    self.id = id
    self.principal = principal
    self.changes = changes
  }
}
