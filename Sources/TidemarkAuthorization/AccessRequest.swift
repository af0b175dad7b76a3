public import TidemarkEvents
public import TidemarkSchema

/// One operation that somebody wants to do: who, what, with which fields, to which record.
public struct AccessRequest {
  /// The model's place in the policy's schema.
  public var model: Int
  public var operation: AccessOperation
  /// The verified credentials: usually one; several are several authorization modes at once.
  public var credentials: [Principal]
  /// The fields given, for `create` and `update`; other operations ignore them.
  public var changes: [FieldChange]
  /// The record as the accepting log sees it just before; `nil` where it is not known here, so
  /// that what depends on it is `unknown`. A `create` ignores it.
  public var stored: (any RecordFacts)?
  /// For `create`: whether the caller gives the record's id, as every event of a store does. The
  /// model's rules hold for it, so that a field's rules alone create no record then.
  public var givesID: Bool

  public init(
    model: Int, operation: AccessOperation, credentials: [Principal],
    changes: [FieldChange] = [], stored: (any RecordFacts)? = nil, givesID: Bool = true
  ) {
    self.givesID = givesID
    self.model = model
    self.operation = operation
    self.credentials = credentials
    self.changes = changes
    self.stored = stored
  }
}

/// The stored values of one record, as far as they are known here.
public protocol RecordFacts {
  /// The field's value; `.null` where it has none, `nil` where nobody here knows.
  func storedValue(of field: Int) -> Value?
}

/// Facts from a closure.
public struct StoredRecord: RecordFacts {
  private let value: (Int) -> Value?

  public init(_ value: @escaping (Int) -> Value?) {
    self.value = value
  }

  public func storedValue(of field: Int) -> Value? { value(field) }
}

/// The app's own function, for rules with `allow: custom`.
///
/// It must be a pure function of the question: a decision may ask it several times.
public protocol CustomAuthorizer: Sendable {
  func answer(_ question: CustomQuestion) -> CustomAnswer
}

/// What a custom rule asks.
public struct CustomQuestion {
  public let rule: AuthRule
  public let model: Model
  public let operation: AccessOperation
  public let principal: Principal
  public let changes: [FieldChange]
  public let stored: (any RecordFacts)?
}

/// What the app's function says.
public enum CustomAnswer: Sendable {
  /// Allowed, but for the fields named.
  case allowed(deniedFields: Set<String> = [])
  case denied
  /// A fact is missing here; somewhere else the answer may be known.
  case unknown
}
