public import TidemarkEvents

/// One field of a model or an embedded type.
public struct Field: Sendable {
  public enum MergeType: String, Sendable {
    case register, counter, set, text
  }

  public let name: String
  public let type: FieldType
  public let merge: MergeType
  /// The field's own rules, which replace the model's; `nil` where it has none.
  public let rules: [AuthRule]?
  /// True where the file does not declare the field, and a rule or a relation needs it.
  public let isImplicit: Bool
  /// What it holds where nothing was given, as `@default` says; never null.
  public let defaultValue: Value?
  /// The names that it had in earlier versions of the schema, as `@renamed` gives them.
  public let earlierNames: [String]

  package init(
    name: String, type: FieldType, merge: MergeType, rules: [AuthRule]?, isImplicit: Bool = false,
    earlierNames: [String] = [], defaultValue: Value? = nil
  ) {
    self.earlierNames = earlierNames
    self.defaultValue = defaultValue
    self.name = name
    self.type = type
    self.merge = merge
    self.rules = rules
    self.isImplicit = isImplicit
  }

  /// True where a create must give the field: a register that holds no null, and has no default.
  public var isGivenOnCreate: Bool {
    merge == .register && type.isRequired && defaultValue == nil
  }

  /// True where the field takes that operation, whatever its value.
  public func allows(_ operation: FieldOperation) -> Bool {
    switch operation {
    case .set: merge == .register
    case .add: merge == .counter
    case .edit: merge == .set
    case .unknown: true
    }
  }
}

/// A type as GraphQL writes it: `String`, `String!`, `[String!]!`.
public indirect enum FieldType: Hashable, Sendable {
  case scalar(Scalar)
  case enumeration(String)
  case embedded(String)
  case list(FieldType)
  case required(FieldType)

  public var isRequired: Bool {
    if case .required = self { return true }
    return false
  }

  /// The type without an outer `!`.
  public var unwrapped: FieldType {
    if case .required(let type) = self { return type }
    return self
  }

  /// What a list holds; `nil` where the type is no list.
  public var element: FieldType? {
    if case .list(let type) = unwrapped { return type }
    return nil
  }
}

extension FieldType: CustomStringConvertible {
  /// As GraphQL writes it.
  public var description: String {
    switch self {
    case .scalar(let scalar): scalar.rawValue
    case .enumeration(let name), .embedded(let name): name
    case .list(let type): "[\(type)]"
    case .required(let type): "\(type)!"
    }
  }
}

/// The scalar types that GraphQL and Amplify users know.
public enum Scalar: String, Sendable, CaseIterable {
  case id = "ID"
  case string = "String"
  case int = "Int"
  case float = "Float"
  case boolean = "Boolean"
  case date = "AWSDate"
  case time = "AWSTime"
  case dateTime = "AWSDateTime"
  case timestamp = "AWSTimestamp"
  case email = "AWSEmail"
  case json = "AWSJSON"
  case url = "AWSURL"
  case phone = "AWSPhone"
  case ipAddress = "AWSIPAddress"
}
