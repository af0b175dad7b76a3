public import TidemarkEvents

/// What a schema file says: models with their fields, merge types and rules, enums, embedded types.
public struct Schema: Sendable {
  /// The SDL text it was read from.
  public let source: String
  /// In the order of the file.
  public let models: [Model]
  public let enums: [EnumType]
  public let embeddedTypes: [EmbeddedType]

  package init(
    source: String, models: [Model], enums: [EnumType], embeddedTypes: [EmbeddedType]
  ) {
    self.source = source
    self.models = models
    self.enums = enums
    self.embeddedTypes = embeddedTypes
    modelIndex = Dictionary(uniqueKeysWithValues: models.enumerated().map { ($1.name, $0) })
  }

  private let modelIndex: [String: Int]

  /// The model of that name. Names are ASCII, so `==` on them is equality of bytes.
  public func model(_ name: String) -> Model? {
    modelIndex[name].map { models[$0] }
  }
}

/// A type with `@model`: its records are what the store keeps.
public struct Model: Sendable {
  public enum DeletePolicy: String, Sendable {
    case deleteWins = "delete"
    case updateWins = "update"
  }

  public let name: String
  /// In the order of the file, without `id`, which every record has.
  public let fields: [Field]
  public let deletePolicy: DeletePolicy
  /// The model's `@auth` rules, in the order of the file; empty means nobody may do anything.
  public let rules: [AuthRule]

  package init(name: String, fields: [Field], deletePolicy: DeletePolicy, rules: [AuthRule]) {
    self.name = name
    self.fields = fields
    self.deletePolicy = deletePolicy
    self.rules = rules
    fieldIndex = Dictionary(uniqueKeysWithValues: fields.enumerated().map { ($1.name, $0) })
    var owners: [String] = []
    for rule in rules + fields.flatMap({ $0.rules ?? [] }) where rule.allow == .owner {
      if !owners.contains(rule.ownerField) { owners.append(rule.ownerField) }
    }
    ownerFields = owners
  }

  private let fieldIndex: [String: Int]

  /// The fields that owner rules read, in the order of the rules. A field that the type does not
  /// declare is there all the same, as a String that may be left out.
  public let ownerFields: [String]

  public func field(_ name: String) -> Field? {
    fieldIndex[name].map { fields[$0] }
  }
}

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

  package init(name: String, type: FieldType, merge: MergeType, rules: [AuthRule]?) {
    self.name = name
    self.type = type
    self.merge = merge
    self.rules = rules
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

public struct EnumType: Sendable {
  public let name: String
  public let cases: [String]

  package init(name: String, cases: [String]) {
    self.name = name
    self.cases = cases
  }
}

/// A type without `@model`: stored inside a record, as one value.
public struct EmbeddedType: Sendable {
  public let name: String
  public let fields: [Field]

  package init(name: String, fields: [Field]) {
    self.name = name
    self.fields = fields
  }
}

/// One rule of an `@auth` directive. What it means: `Documentation/Authorization.md`.
public struct AuthRule: Hashable, Sendable {
  public enum Allow: String, Sendable {
    case owner, groups
    case signedIn = "private"
    case anyone = "public"
    case custom
  }

  public enum Operation: String, Sendable, CaseIterable {
    case create, read, update, delete
    /// Parts of `read`.
    case get, list, listen, search, sync
  }

  public let allow: Allow
  /// Given, or the default of `allow`.
  public let provider: Principal.Provider
  /// For `owner`: the field that holds the owner, or the list of owners. Default `owner`.
  public let ownerField: String
  /// For `owner`: the claim compared with it; `nil` for the default, `sub::username`.
  public let identityClaim: String?
  /// For `groups`: the claim that lists the caller's groups. Default `cognito:groups`.
  public let groupClaim: String
  /// For `groups`: the static groups; `nil` where `groupsField` names them.
  public let groups: [String]?
  /// For `groups` without `groups`: the field that names them. Default `groups`.
  public let groupsField: String?
  /// Given, or all; `read` stands for its parts, which are listed singly here.
  public let operations: Set<Operation>
  /// Stable for a policy version: `Post.auth[0] allow: owner`, or `Post.title.auth[1] allow: groups`.
  public let name: String

  package init(
    allow: Allow, provider: Principal.Provider, ownerField: String, identityClaim: String?,
    groupClaim: String, groups: [String]?, groupsField: String?, operations: Set<Operation>,
    name: String
  ) {
    self.allow = allow
    self.provider = provider
    self.ownerField = ownerField
    self.identityClaim = identityClaim
    self.groupClaim = groupClaim
    self.groups = groups
    self.groupsField = groupsField
    self.operations = operations
    self.name = name
  }
}
