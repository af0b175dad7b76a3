public import TidemarkEvents
public import TidemarkJSON

extension Principal {
  /// UTF-8 bytes of a subject, a user's name or a group.
  public static let nameByteCountMax = 512
  public static let groupCountMax = 100

  /// Reads `{"sub","username","groups","provider","claims"}`, or a list of those for several credentials
  /// at once; nothing or null is anonymous.
  /// - Throws: `OperationError` `badActor`.
  public init(actor value: Value?) throws(OperationError) {
    guard case .list(let several)? = value else {
      try self.init(oneActor: value)
      return
    }
    guard (1...Principal.credentialCountMax).contains(several.count) else {
      throw OperationError(
        .badActor, "a list of actors has 1 to \(Principal.credentialCountMax) credentials")
    }
    try self.init(oneActor: several[0])
    for other in several.dropFirst() { also.append(try Principal(oneActor: other)) }
  }

  private init(oneActor value: Value?) throws(OperationError) {
    guard let value, !value.isNull else {
      self = .anonymous
      return
    }
    guard case .object(let members) = value else {
      throw OperationError(
        .badActor, "\"actor\" is an object, as {\"sub\":\"u1\",\"provider\":\"userPools\"}")
    }
    let keys = ["sub", "username", "groups", "provider", "claims"]
    for member in members where !keys.contains(where: { $0.hasSameBytes(as: member.name) }) {
      throw OperationError(
        .badActor, "an actor has no key \(member.name); it has \(keys.joined(separator: ", "))")
    }
    let subject = try Principal.name("sub", value)
    var provider: Provider = subject == nil ? .apiKey : .userPools
    if let given = value["provider"] {
      guard case .string(let name) = given, let known = Provider(rawValue: name) else {
        let names = Provider.allCases.map(\.rawValue).joined(separator: ", ")
        throw OperationError(.badActor, "a provider is one of \(names)")
      }
      provider = known
    }
    var claims: [Value.Member] = []
    if let given = value["claims"], !given.isNull {
      guard case .object(let members) = given else {
        throw OperationError(.badActor, "\"claims\" is an object")
      }
      claims = members
    }
    self.init(
      provider: provider, subject: subject, username: try Principal.name("username", value),
      groups: try Principal.groups(value["groups"]), claims: claims)
  }

  private static func name(_ key: String, _ value: Value) throws(OperationError) -> String? {
    guard let given = value[key], !given.isNull else { return nil }
    guard case .string(let text) = given, isName(text) else {
      throw OperationError(
        .badActor, "\"\(key)\" is a string of 1 to \(nameByteCountMax) bytes without NUL")
    }
    return text
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= nameByteCountMax && !text.utf8.contains(0)
  }

  private static func groups(_ value: Value?) throws(OperationError) -> [String] {
    guard let value, !value.isNull else { return [] }
    guard case .list(let values) = value, values.count <= groupCountMax else {
      throw OperationError(.badActor, "\"groups\" is a list of at most \(groupCountMax) names")
    }
    var groups: [String] = []
    for value in values {
      guard case .string(let text) = value, isName(text) else {
        throw OperationError(
          .badActor, "a group is a string of 1 to \(nameByteCountMax) bytes without NUL")
      }
      groups.append(text)
    }
    return groups
  }

  /// Appends the actor's object under a key; a list of them where there are several credentials.
  public func appendJSON(_ key: String, to builder: inout JSONBuilder) {
    guard also.isEmpty else {
      builder.append(key, Value.list(credentials.map(\.json)))
      return
    }
    builder.append(key, json)
  }

  private var json: Value {
    var members: [Value.Member] = []
    if let subject { members.append(.init("sub", .string(subject))) }
    if let username { members.append(.init("username", .string(username))) }
    if !groups.isEmpty { members.append(.init("groups", .list(groups.map(Value.string)))) }
    members.append(.init("provider", .string(provider.rawValue)))
    if !claims.isEmpty { members.append(.init("claims", .object(claims))) }
    return .object(members)
  }
}
