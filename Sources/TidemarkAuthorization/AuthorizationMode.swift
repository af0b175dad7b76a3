public import TidemarkEvents
public import TidemarkSchema

/// One way to authorize an operation: a provider's credential, and the kind of rule that wants it.
public struct AuthorizationMode: Hashable, Sendable {
  public let allow: AuthRule.Allow
  public let provider: Principal.Provider
}

/// Which of the modes an app tries.
public enum ModeStrategy: String, Sendable, CaseIterable {
  /// The default mode alone.
  case `default`
  /// Every mode that the rules name for the operation, one after the other.
  case multiAuth
}

extension Policy {
  /// The modes to try for an operation, in order: the model's rules for it, without those that
  /// need somebody signed in where nobody is; by allow (custom, owner, groups, private, public),
  /// then by provider (function, userPools, oidc, iam, apiKey); each provider once. Empty: the
  /// default mode.
  public func modes(
    model: Int, operation: AccessOperation, signedIn: Bool
  ) -> [AuthorizationMode] {
    guard models.indices.contains(model) else { return [] }
    var modes: [AuthorizationMode] = []
    for rule in models[model].record.rules where rule.covers(operation) {
      if rule.needsSignIn && !signedIn { continue }
      let provider = rule.rule.provider
      if modes.contains(where: { $0.provider == provider }) { continue }
      modes.append(AuthorizationMode(allow: rule.rule.allow, provider: provider))
    }
    return modes
  }

  /// The providers whose credentials an app submits for an operation, in the order in which they
  /// count; never empty.
  /// - Parameter fallback: the default mode: all of `default`, and where the rules leave none.
  public func providers(
    model: Int, operation: AccessOperation, signedIn: Bool, strategy: ModeStrategy = .multiAuth,
    fallback: Principal.Provider
  ) -> [Principal.Provider] {
    guard strategy == .multiAuth else { return [fallback] }
    let modes = modes(model: model, operation: operation, signedIn: signedIn)
    return modes.isEmpty ? [fallback] : modes.map(\.provider)
  }
}
