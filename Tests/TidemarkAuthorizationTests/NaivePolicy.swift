import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

/// The rules of one model evaluated once more, slowly, with sets of field names, straight from the
/// tables of the rule language; it shares nothing with the engine but the schema's types.
/// A record is wholly known, and custom rules never match.
struct NaivePolicy {
  let model: Model

  struct Asked {
    var operation: AccessOperation
    var given: [(name: String, value: Value)]
    var stored: [String: Value]
    /// Whether a create names its record, as an event does.
    var givesID = true
  }

  struct Answer: Equatable {
    var provider: Principal.Provider
    var filled: [String: Value]
  }

  /// Everything that has rules: the primary key, under the model's, and the fields.
  private var columns: Set<String> { Set(["id"] + model.fields.map(\.name)) }

  /// The outcome of trying one mode after the other; `nil` where all are unauthorized.
  func answer(_ asked: Asked, credentials: [Principal]) -> Answer? {
    for provider in providers(asked.operation) {
      for principal in credentials where principal.provider == provider {
        if isAllowed(asked, principal) {
          return Answer(provider: provider, filled: filledOwners(asked, principal))
        }
      }
    }
    return nil
  }

  /// The fields that one of the callers may read of the record.
  func readable(_ asked: Asked, credentials: [Principal]) -> Set<String> {
    credentials.reduce(into: []) { $0.formUnion(columns(open: asked.operation, asked, $1)) }
  }

  private func isAllowed(_ asked: Asked, _ principal: Principal) -> Bool {
    let open = columns(open: asked.operation, asked, principal)
    let given = Set(asked.given.map(\.name))
    switch asked.operation {
    case .create:
      let columns = asked.givesID ? given.union(["id"]) : given
      return !open.isEmpty && columns.isSubset(of: open)
    case .update:
      let emptied = Set(asked.given.filter { $0.value == .null }.map(\.name))
      return (given.isEmpty ? ["id"] : given).isSubset(of: open)
        && emptied.isSubset(of: columns(open: .delete, asked, principal))
    case .delete:
      return columns.isSubset(of: open)
    case .get, .list, .listen, .search, .sync:
      return !open.isEmpty
    }
  }

  /// The columns on which some rule lets the caller do this.
  private func columns(
    open operation: AccessOperation, _ asked: Asked, _ principal: Principal
  ) -> Set<String> {
    columns.filter { column in
      let own = model.fields.first { $0.name == column }?.rules
      return (own ?? model.rules).contains { rule in
        // An owner does not hand a record on, unless a rule of that field says so.
        if asked.operation == .update && own == nil && rule.allow == .owner
          && ownerFieldNames.contains(column)
        {
          return false
        }
        return names(rule, operation) && matches(rule, asked, principal)
      }
    }
  }

  private var allRules: [AuthRule] { model.rules + model.fields.flatMap { $0.rules ?? [] } }

  private var ownerFieldNames: Set<String> {
    Set(allRules.filter { $0.allow == .owner }.map(\.ownerField))
  }

  private func names(_ rule: AuthRule, _ operation: AccessOperation) -> Bool {
    rule.operations.map(\.rawValue).contains(operation.rawValue)
  }

  private func matches(_ rule: AuthRule, _ asked: Asked, _ principal: Principal) -> Bool {
    if rule.provider != principal.provider { return false }
    let somebody = principal.subject != nil && principal.subject != ""
    switch rule.allow {
    case .anyone: return true
    case .signedIn: return somebody
    case .custom: return false
    case .owner:
      let identities = identities(rule.identityClaim ?? "sub::username", principal)
      if !somebody || identities.isEmpty { return false }
      if asked.operation == .create {
        return asked.given.filter { $0.name == rule.ownerField }
          .allSatisfy { shares($0.value, identities) }
      }
      return shares(asked.stored[rule.ownerField] ?? .null, identities)
    case .groups:
      if !somebody { return false }
      let callers = groups(rule.groupClaim, principal)
      if let names = rule.groups { return shares(.list(names.map(Value.string)), callers) }
      let field = rule.groupsField!
      if asked.operation == .create {
        let given = asked.given.filter { $0.name == field }
        return !given.isEmpty && given.allSatisfy { shares($0.value, callers) }
      }
      return shares(asked.stored[field] ?? .null, callers)
    }
  }

  /// All that the caller may be called in an owner field; first the one that is filled in.
  private func identities(_ claim: String, _ principal: Principal) -> [String] {
    func token(_ name: String) -> String? {
      let value = principal.claim(name)?.stringValue
      return value == "" ? nil : value
    }
    let username = principal.username ?? token("username") ?? token("cognito:username")
    switch claim {
    case "sub::username":
      guard let subject = principal.subject else { return [] }
      guard let username else { return [subject] }
      return ["\(subject)::\(username)", subject] + (username.contains("::") ? [] : [username])
    case "username": return username.map { [$0] } ?? []
    case "sub": return principal.subject.map { [$0] } ?? []
    default: return token(claim).map { [$0] } ?? []
    }
  }

  private func groups(_ claim: String, _ principal: Principal) -> [String] {
    if claim == "cognito:groups" { return principal.groups }
    switch principal.claim(claim) {
    case .string(let one): return [one]
    case .list(let many): return many.compactMap(\.stringValue)
    default: return []
    }
  }

  /// Whether a string or a list of them has one of those names, by bytes.
  private func shares(_ value: Value, _ names: [String]) -> Bool {
    let held: [Value] =
      switch value {
      case .string: [value]
      case .list(let values): values
      default: []
      }
    let bytes = Set(held.compactMap { $0.stringValue.map { Array($0.utf8) } })
    return !bytes.isDisjoint(with: names.map { Array($0.utf8) })
  }

  private func filledOwners(_ asked: Asked, _ principal: Principal) -> [String: Value] {
    guard asked.operation == .create, principal.subject ?? "" != "" else { return [:] }
    var filled: [String: Value] = [:]
    for rule in allRules where rule.allow == .owner && rule.provider == principal.provider {
      guard names(rule, .create), !asked.given.contains(where: { $0.name == rule.ownerField }),
        let identity = identities(rule.identityClaim ?? "sub::username", principal).first
      else { continue }
      let isList = "\(model.field(rule.ownerField)!.type)".hasPrefix("[")
      let value: Value = isList ? [.string(identity)] : .string(identity)
      // Where two rules of different claims fill one field, either will do.
      if filled[rule.ownerField] == nil { filled[rule.ownerField] = value }
    }
    return filled
  }

  private func providers(_ operation: AccessOperation) -> [Principal.Provider] {
    let allows: [AuthRule.Allow] = [.custom, .owner, .groups, .signedIn, .anyone]
    let providers: [Principal.Provider] = [.function, .userPools, .oidc, .iam, .apiKey]
    var order: [Principal.Provider] = []
    for allow in allows {
      for provider in providers {
        let isMode = model.rules.contains {
          $0.allow == allow && $0.provider == provider && names($0, operation)
        }
        if isMode && !order.contains(provider) { order.append(provider) }
      }
    }
    return order + providers.filter { !order.contains($0) }
  }
}
