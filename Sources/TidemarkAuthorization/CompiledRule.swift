internal import TidemarkEvents
internal import TidemarkSchema

/// A rule with its names resolved to places, so that judging it looks nothing up by name.
///
/// A class, as are levels and claims: to judge a rule is to look at it, and a value's every string and
/// list would be retained for that.
final class CompiledRule: Sendable {
  enum Audience: Sendable {
    case anyone
    case signedIn
    /// The field is `nil` where the model has none of that name: nobody owns a record then.
    case owner(field: Int?, claim: IdentityClaim)
    case groups([String], claim: GroupClaim)
    case recordGroups(field: Int?, claim: GroupClaim)
    case custom
  }

  let rule: AuthRule
  let name: String
  let provider: Principal.Provider
  let audience: Audience
  /// Whether only who is signed in can match it.
  let needsSignIn: Bool
  private let operations: UInt16

  /// - Parameter claims: those that are compiled already, so that equal ones are one.
  init(_ rule: AuthRule, fieldIndex: [String: Int], _ claims: inout [String: IdentityClaim]) {
    self.rule = rule
    name = rule.name
    provider = rule.provider
    switch rule.allow {
    case .owner, .groups, .signedIn: needsSignIn = true
    case .anyone, .custom: needsSignIn = false
    }
    operations = rule.operationBits
    let groupClaim = GroupClaim(rule.groupClaim)
    audience =
      switch rule.allow {
      case .anyone: .anyone
      case .signedIn: .signedIn
      case .owner:
        .owner(
          field: fieldIndex[rule.ownerField],
          claim: CompiledRule.claim(rule.identityClaim, &claims))
      case .groups:
        if let groups = rule.groups {
          .groups(groups, claim: groupClaim)
        } else {
          .recordGroups(field: fieldIndex[rule.groupsField ?? "groups"], claim: groupClaim)
        }
      case .custom: .custom
      }
  }

  func covers(_ operation: AccessOperation) -> Bool { operations & operation.bit != 0 }

  var isOwner: Bool {
    if case .owner = audience { return true }
    return false
  }

  private static func claim(
    _ name: String?, _ claims: inout [String: IdentityClaim]
  ) -> IdentityClaim {
    let name = name ?? IdentityClaim.defaultName
    // Dictionaries hold equal what differs in normalization; claims are compared by bytes.
    if let known = claims[name], known.name.hasSameBytes(as: name) { return known }
    let claim = IdentityClaim(name)
    claims[name] = claim
    return claim
  }
}

/// The rules that hold for a record, or for one field in their place.
final class Level: Sendable {
  /// In the order of authorization modes: by allow, then by provider, then as in the file.
  let rules: [CompiledRule]
  /// A custom rule may deny single fields, so that a level with one is judged field by field.
  let hasCustom: Bool

  init(_ rules: [AuthRule], fieldIndex: [String: Int], _ claims: inout [String: IdentityClaim]) {
    self.rules = rules.enumerated()
      .sorted { ($0.element.modeOrder, $0.offset) < ($1.element.modeOrder, $1.offset) }
      .map { CompiledRule($0.element, fieldIndex: fieldIndex, &claims) }
    hasCustom = rules.contains { $0.allow == .custom }
  }
}

/// One model's rules, compiled.
final class ModelPolicy: Sendable {
  let model: Model
  let record: Level
  /// By field; `nil` where the model's rules hold.
  let fieldLevels: [Level?]
  /// The fields that have rules of their own.
  let ownFields: [Int]
  /// Whether a field says who owns the record and no field rule says who may change it.
  let isGuardedOwner: [Bool]
  /// The owner rules that cover `create`: whose fields are filled in when left out.
  let creatingOwnerRules: [CompiledRule]
  /// By operation, all providers in the order in which their credentials are tried.
  private let providerOrders: [[Principal.Provider]]

  init(_ model: Model) {
    self.model = model
    let names = model.fields.enumerated().map { ($1.name, $0) }
    let fieldIndex = Dictionary(names, uniquingKeysWith: { first, _ in first })
    var claims: [String: IdentityClaim] = [:]
    record = Level(model.rules, fieldIndex: fieldIndex, &claims)
    var levels: [Level?] = []
    for field in model.fields {
      levels.append(field.rules.map { Level($0, fieldIndex: fieldIndex, &claims) })
    }
    fieldLevels = levels
    ownFields = model.fields.indices.filter { model.fields[$0].rules != nil }
    let owners = Set(model.ownerFields)
    isGuardedOwner = model.fields.map { $0.rules == nil && owners.contains($0.name) }
    creatingOwnerRules = ([record] + levels.compactMap { $0 }).flatMap { level in
      level.rules.filter { $0.isOwner && $0.covers(.create) }
    }
    let recordRules = record.rules
    providerOrders = AccessOperation.allCases.map { operation in
      var order: [Principal.Provider] = []
      for rule in recordRules where rule.covers(operation) {
        if !order.contains(rule.rule.provider) { order.append(rule.rule.provider) }
      }
      let rest = Principal.Provider.allCases.filter { !order.contains($0) }
      return order + rest.sorted { $0.modeOrder < $1.modeOrder }
    }
  }

  /// The rules that hold for a field.
  func level(of field: Int) -> Level { fieldLevels[field] ?? record }

  func providerOrder(for operation: AccessOperation) -> [Principal.Provider] {
    providerOrders[operation.bit.trailingZeroBitCount]
  }
}

extension AuthRule {
  /// Sorts rules as authorization modes are tried: by allow, then by provider.
  var modeOrder: Int {
    let allowOrder =
      switch allow {
      case .custom: 0
      case .owner: 1
      case .groups: 2
      case .signedIn: 3
      case .anyone: 4
      }
    return allowOrder * 8 + provider.modeOrder
  }
}

extension Principal.Provider {
  var modeOrder: Int {
    switch self {
    case .function: 0
    case .userPools: 1
    case .oidc: 2
    case .iam: 3
    case .apiKey: 4
    }
  }
}
