import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

/// A rule with the defaults of the rule language.
func makeRule(
  _ allow: AuthRule.Allow, provider: Principal.Provider? = nil, ownerField: String = "owner",
  identityClaim: String? = nil, groupClaim: String = "cognito:groups", groups: [String]? = nil,
  groupsField: String? = nil, operations: Set<AuthRule.Operation>? = nil, name: String = ""
) -> AuthRule {
  let fallback: Principal.Provider =
    switch allow {
    case .owner, .groups, .signedIn: .userPools
    case .anyone: .apiKey
    case .custom: .function
    }
  let all: Set<AuthRule.Operation> = [
    .create, .update, .delete, .get, .list, .listen, .search, .sync,
  ]
  var given = operations ?? all
  if given.remove(.read) != nil { given.formUnion([.get, .list, .listen, .search, .sync]) }
  return AuthRule(
    allow: allow, provider: provider ?? fallback, ownerField: ownerField,
    identityClaim: identityClaim, groupClaim: groupClaim, groups: groups,
    groupsField: allow == .groups && groups == nil ? groupsField ?? "groups" : nil,
    operations: given, name: name)
}

/// A `Post` with the fields that the tests use. Rules get the names that a parser would give.
func makePost(
  _ rules: [AuthRule], fieldRules: [String: [AuthRule]] = [:], ownerIsList: Bool = false
) -> Model {
  func named(_ rules: [AuthRule], _ place: String) -> [AuthRule] {
    rules.enumerated().map { index, rule in
      AuthRule(
        allow: rule.allow, provider: rule.provider, ownerField: rule.ownerField,
        identityClaim: rule.identityClaim, groupClaim: rule.groupClaim, groups: rule.groups,
        groupsField: rule.groupsField, operations: rule.operations,
        name: "\(place).auth[\(index)] allow: \(rule.allow.rawValue)")
    }
  }
  func field(_ name: String, _ type: FieldType) -> Field {
    Field(
      name: name, type: type, merge: .register,
      rules: fieldRules[name].map { named($0, "Post.\(name)") })
  }
  let strings = FieldType.list(.scalar(.string))
  return Model(
    name: "Post",
    fields: [
      field("title", .scalar(.string)),
      field("secret", .scalar(.string)),
      field("owner", ownerIsList ? .required(strings) : .scalar(.string)),
      field("editors", strings),
      field("groups", strings),
      field("team", .scalar(.string)),
    ],
    deletePolicy: .deleteWins, rules: named(rules, "Post"))
}

func makeSchema(_ model: Model) -> Schema {
  Schema(source: "", models: [model], enums: [], embeddedTypes: [])
}

/// A policy of one model, asked by field names.
struct PostPolicy {
  let model: Model
  let policy: Policy

  init(_ model: Model, customAuthorizer: (any CustomAuthorizer)? = nil) {
    self.model = model
    policy = Policy(makeSchema(model), customAuthorizer: customAuthorizer)
  }

  init(_ rules: AuthRule..., fieldRules: [String: [AuthRule]] = [:], ownerIsList: Bool = false) {
    self.init(makePost(rules, fieldRules: fieldRules, ownerIsList: ownerIsList))
  }

  func request(
    _ operation: AccessOperation, as credentials: [Principal],
    _ given: KeyValuePairs<String, Value> = [:], stored: [String: Value]? = [:]
  ) -> AccessRequest {
    AccessRequest(
      model: 0, operation: operation, credentials: credentials,
      changes: given.map { FieldChange(field: place($0.key), operation: .set($0.value)) },
      stored: stored.map(facts))
  }

  func decide(
    _ operation: AccessOperation, as credentials: Principal...,
    given: KeyValuePairs<String, Value> = [:], stored: [String: Value]? = [:]
  ) -> Decision {
    policy.decide(request(operation, as: credentials, given, stored: stored))
  }

  func place(_ field: String) -> Int {
    model.fields.firstIndex { $0.name == field } ?? -1
  }

  /// Everything is known of the record: a field that is not listed is null.
  func facts(_ values: [String: Value]) -> any RecordFacts {
    let model = self.model
    return StoredRecord { values[model.fields[$0].name] ?? .null }
  }
}

extension Decision {
  var code: ReasonCode? { denial?.code }

  var allowance: Allowance? {
    if case .allowed(let allowance) = self { return allowance }
    return nil
  }
}

extension Allowance {
  var filled: [Int: Value] {
    Dictionary(uniqueKeysWithValues: filledOwners.map { ($0.field, $0.value) })
  }
}

/// A small generator with a seed that a failing test prints.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func pick<C: Collection>(_ choices: C) -> C.Element {
    choices.randomElement(using: &self)!
  }

  mutating func chance(_ part: Int) -> Bool { next() % UInt64(part) == 0 }
}

/// The users of the tests. Ada and Ida have a user name each; `é` is written in two ways.
enum User {
  static let ada = Principal(provider: .userPools, subject: "s-ada", username: "ada")
  static let ida = Principal(provider: .userPools, subject: "s-ida", username: "ida")
  static let composed = Principal.user("caf\u{E9}")
  static let decomposed = Principal.user("cafe\u{301}")
}
