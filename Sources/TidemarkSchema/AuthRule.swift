public import TidemarkEvents

/// One rule of an `@auth` directive. What it means: `Documentation/Authorization.md`.
public struct AuthRule: Hashable, Sendable {
  public enum Allow: String, Sendable, CaseIterable {
    case owner, groups
    case signedIn = "private"
    case anyone = "public"
    case custom

    /// The providers that vouch for whom it allows; the first is the default.
    public var providers: [Principal.Provider] {
      switch self {
      case .owner, .groups: [.userPools, .oidc]
      case .signedIn: [.userPools, .oidc, .iam]
      case .anyone: [.apiKey, .iam]
      case .custom: [.function]
      }
    }
  }

  public enum Operation: String, Sendable, CaseIterable {
    case create, read, update, delete
    /// Parts of `read`.
    case get, list, listen, search, sync

    /// What `read` stands for.
    public static let partsOfRead: Set<Operation> = [.get, .list, .listen, .search, .sync]
    /// What a rule allows that names no operations.
    public static let all: Set<Operation> = partsOfRead.union([.create, .update, .delete])
  }

  public static let ownerFieldDefault = "owner"
  public static let groupsFieldDefault = "groups"
  public static let groupClaimDefault = "cognito:groups"

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

  /// The record's field that the rule reads, for owner and dynamic group rules.
  public var readField: String? {
    switch allow {
    case .owner: ownerField
    case .groups: groupsField
    case .signedIn, .anyone, .custom: nil
    }
  }
}
