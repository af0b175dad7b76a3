import Testing
import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

@Suite struct ModeTests {
  static let rules = [
    makeRule(.anyone, operations: [.read]), makeRule(.signedIn),
    makeRule(.signedIn, provider: .iam),
    makeRule(.anyone, provider: .iam, operations: [.list]), makeRule(.groups, groups: ["Admins"]),
    makeRule(.owner, provider: .oidc), makeRule(.owner), makeRule(.custom, operations: [.create]),
  ]

  private func modes(_ operation: AccessOperation, signedIn: Bool) -> [String] {
    PostPolicy(makePost(Self.rules)).policy
      .modes(model: 0, operation: operation, signedIn: signedIn)
      .map { "\($0.allow.rawValue) \($0.provider.rawValue)" }
  }

  @Test func `modes are tried by allow, then by provider, each provider once`() {
    #expect(
      modes(.create, signedIn: true) == [
        "custom function", "owner userPools", "owner oidc", "private iam",
      ])
    #expect(
      modes(.list, signedIn: true) == [
        "owner userPools", "owner oidc", "private iam", "public apiKey",
      ])
    #expect(modes(.create, signedIn: false) == ["custom function"])
    #expect(modes(.list, signedIn: false) == ["public iam", "public apiKey"])
    #expect(modes(.delete, signedIn: false) == [])
  }

  @Test func `where the rules leave no mode it is the default one, and with one strategy always`() {
    let policy = PostPolicy(makePost(Self.rules)).policy
    let providers = { (signedIn: Bool, strategy: ModeStrategy) in
      policy.providers(
        model: 0, operation: .update, signedIn: signedIn, strategy: strategy, fallback: .apiKey)
    }
    #expect(providers(true, .multiAuth) == [.userPools, .oidc, .iam])
    #expect(providers(false, .multiAuth) == [.apiKey])
    #expect(providers(true, .default) == [.apiKey])
  }

  @Test func `the first mode that is allowed is named`() {
    let post = PostPolicy(makePost(Self.rules))
    let iam = Principal(provider: .iam, subject: "role")
    let allowed = { (credentials: [Principal]) in
      post.policy.decide(
        post.request(.list, as: credentials, stored: ["owner": "u1"])
      ).allowance
    }
    // The order of the credentials does not matter.
    for credentials in [[.anonymous, iam, .user("u1")], [.user("u1"), iam, .anonymous]] {
      let allowance = allowed(credentials)
      #expect(allowance?.rule == "Post.auth[6] allow: owner")
      #expect(allowance?.provider == .userPools)
      #expect(allowance.map { credentials[$0.credential].provider } == .userPools)
    }
    #expect(allowed([.anonymous, iam])?.rule == "Post.auth[2] allow: private")
    #expect(allowed([.anonymous])?.rule == "Post.auth[0] allow: public")
  }

  @Test func `rules for two credentials do not add up within one write`() {
    let post = PostPolicy(
      makeRule(.signedIn), fieldRules: ["secret": [makeRule(.anyone)]])
    let update = { post.decide(.update, as: .anonymous, .user("u1"), given: $0) }
    #expect(update(["title": "t"]).isAllowed)
    #expect(update(["secret": "s"]).allowance?.provider == .apiKey)
    #expect(update(["title": "t", "secret": "s"]).code == .fieldForbidden)
  }

  @Test func `no credential at all is denied`() {
    #expect(PostPolicy(makeRule(.anyone)).decide(.get).code == .wrongProvider)
    #expect(PostPolicy(makeRule(.owner)).decide(.get).code == .notSignedIn)
    #expect(PostPolicy().decide(.get).code == .noRule)
  }

  @Test func `read stands for its parts`() {
    let listed = PostPolicy(makeRule(.anyone, operations: [.list]))
    #expect(listed.decide(.list, as: .anonymous).isAllowed)
    #expect(listed.decide(.get, as: .anonymous).code == .noRule)
    let unsplit = AuthRule(
      allow: .anyone, provider: .apiKey, ownerField: "owner", identityClaim: nil,
      groupClaim: "cognito:groups", groups: nil, groupsField: nil, operations: [.read], name: "r")
    let read = PostPolicy(makePost([unsplit]))
    for operation in AccessOperation.allCases {
      #expect(read.decide(operation, as: .anonymous).isAllowed == operation.isRead)
    }
  }

  @Test func `the social feed works as told`() {
    let post = PostPolicy(
      makeRule(.anyone, operations: [.read]), makeRule(.signedIn, operations: [.read]),
      makeRule(.owner, operations: [.create, .update, .delete]),
      makeRule(.groups, groups: ["Admins"], operations: [.delete]))
    let stored: [String: Value] = ["owner": "u1"]
    let boss = Principal.user("boss", groups: ["Admins"])
    let can = { (operation: AccessOperation, caller: Principal) in
      post.decide(operation, as: caller, given: [:], stored: stored).isAllowed
    }
    #expect([.anonymous, .user("u1"), .user("u2"), boss].allSatisfy { can(.list, $0) })
    #expect(can(.create, .user("u2")) && !can(.create, .anonymous))
    #expect(can(.update, .user("u1")) && !can(.update, .user("u2")) && !can(.update, boss))
    #expect(can(.delete, .user("u1")) && !can(.delete, .user("u2")) && can(.delete, boss))
  }
}
