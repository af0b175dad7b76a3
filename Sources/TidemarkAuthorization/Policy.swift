internal import TidemarkEvents
public import TidemarkSchema

/// A schema's rules, compiled: decides who may do what, without any I/O.
///
/// Nothing is allowed but by a rule. The most specific level holds: a field's own rules replace
/// the model's for that field. Of several credentials each is tried alone, in the order of
/// authorization modes; the first that is allowed decides, so rules for two credentials do not add
/// up within one write.
///
///     let policy = Policy(schema)
///     let request = AccessRequest(
///       model: 0, operation: .delete, credentials: [.user("u1")], stored: record)
///     switch policy.decide(request) {
///     case .allowed(let allowance): print(allowance.rule)
///     case .denied(let denial): print(denial.message)
///     case .unknown(let fact): print(fact.message)
///     }
public struct Policy: Sendable {
  let models: [ModelPolicy]
  let authorizer: (any CustomAuthorizer)?
  private let modelIndex: [String: Int]

  /// Compiles the rules of all models.
  ///
  /// - Parameter customAuthorizer: the app's own function; without it, what depends on a custom
  ///   rule is `unknown`.
  public init(_ schema: Schema, customAuthorizer: (any CustomAuthorizer)? = nil) {
    models = schema.models.map(ModelPolicy.init)
    authorizer = customAuthorizer
    let names = schema.models.enumerated().map { ($1.name, $0) }
    modelIndex = Dictionary(names, uniquingKeysWith: { first, _ in first })
  }

  /// The place of the model of that name, as requests give it.
  public func modelIndex(of name: String) -> Int? { modelIndex[name] }

  /// Whether the request is allowed, by which rule, or why not.
  ///
  /// - Complexity: the number of rules times the number of fields given that have rules of their
  ///   own. An allowed request builds no string but an identity to fill in.
  public func decide(_ request: AccessRequest) -> Decision {
    var clauses: [Clause]?
    return decide(request, clauses: &clauses)
  }

  /// The same decision, with every rule that was considered and what it came to.
  public func explain(_ request: AccessRequest) -> Trace {
    var clauses: [Clause]? = []
    let decision = decide(request, clauses: &clauses)
    return Trace(decision: decision, clauses: clauses ?? [])
  }

  private func decide(_ request: AccessRequest, clauses: inout [Clause]?) -> Decision {
    guard models.indices.contains(request.model) else {
      return .denied(Denial(code: .unknownModel, message: "The schema has no such model."))
    }
    let policy = models[request.model]
    if clauses == nil, request.credentials.count == 1 {
      // What is usual, without the room that several need.
      var judgement = judgement(request, policy, 0)
      let verdict = judgement.verdict()
      if verdict.isAllowed { return .allowed(judgement.allowance(verdict)) }
      return verdict.code == nil
        ? .unknown(judgement.unknownFact(verdict)) : .denied(judgement.denial(verdict))
    }
    return decideAll(request, policy, clauses: &clauses)
  }

  private func decideAll(
    _ request: AccessRequest, _ policy: ModelPolicy, clauses: inout [Clause]?
  ) -> Decision {
    var refusal: (verdict: Verdict, judgement: Judgement)?
    var unknown: (verdict: Verdict, judgement: Judgement)?
    for credential in Credentials(of: request, policy: policy) {
      var judgement = judgement(request, policy, credential)
      judgement.clauses = clauses
      let verdict = judgement.verdict()
      clauses = judgement.clauses
      if verdict.isAllowed { return .allowed(judgement.allowance(verdict)) }
      if verdict.code == nil {
        if unknown == nil { unknown = (verdict, judgement) }
      } else if refusal.map({ verdict.distance < $0.verdict.distance }) ?? true {
        refusal = (verdict, judgement)
      }
    }
    if let unknown { return .unknown(unknown.judgement.unknownFact(unknown.verdict)) }
    if let refusal { return .denied(refusal.judgement.denial(refusal.verdict)) }
    return .denied(Denial(code: .noRule, message: "No rule allows this."))
  }

  func judgement(_ request: AccessRequest, _ policy: ModelPolicy, _ credential: Int?) -> Judgement {
    Judgement(
      policy: policy, request: request, authorizer: authorizer,
      provider: credential.map { request.credentials[$0].provider },
      isSignedIn: credential.map { request.credentials[$0].isSignedIn } ?? false,
      credential: credential)
  }
}

/// The places of a request's credentials in the order in which they are tried, by the provider's
/// place among the modes; one `nil` where there are none. It allocates nothing.
struct Credentials: Sequence, IteratorProtocol {
  private let credentials: [Principal]
  private let providers: [Principal.Provider]
  private var provider = 0
  private var index = 0
  private var isEmptyYielded = false

  init(of request: AccessRequest, policy: ModelPolicy) {
    credentials = request.credentials
    providers = policy.providerOrder(for: request.operation)
  }

  mutating func next() -> Int?? {
    if credentials.isEmpty {
      defer { isEmptyYielded = true }
      return isEmptyYielded ? .none : .some(nil)
    }
    while provider < providers.count {
      while index < credentials.count {
        defer { index += 1 }
        if credentials[index].provider == providers[provider] { return index }
      }
      index = 0
      provider += 1
    }
    return .none
  }
}
