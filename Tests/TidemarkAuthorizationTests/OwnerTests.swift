import Testing
import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

@Suite struct OwnerTests {
  @Test(arguments: [
    ("s-ada::ada", true), ("s-ada", true), ("ada", true), ("s-ada::", false), ("::ada", false),
    ("s-ada::ida", false), ("s-ida::ada", false), ("S-ADA", false), ("s-ada::ada ", false),
    ("s-ada:ada", false), ("", false), ("s-ada::ada::ada", false),
  ])
  func `the default identity is the whole, the subject or the user name`(
    owner: String, isAda: Bool
  ) {
    let post = PostPolicy(makeRule(.owner))
    for operation in [AccessOperation.update, .delete, .get, .sync] {
      let decision = post.decide(operation, as: User.ada, stored: ["owner": .string(owner)])
      #expect(decision.isAllowed == isAda, "\(operation)")
    }
    #expect(
      post.decide(.create, as: User.ada, given: ["owner": .string(owner)]).isAllowed == isAda)
  }

  @Test(arguments: [AuthRule.Allow.owner, .groups])
  func `two normalizations of one name are two users`(allow: AuthRule.Allow) {
    #expect(User.composed.subject == User.decomposed.subject, "equal to String, as a user sees it")
    let rules = [makeRule(allow, identityClaim: allow == .owner ? "sub" : nil)]
    let post = PostPolicy(makePost(rules))
    for (name, other) in [("caf\u{E9}", "cafe\u{301}"), ("cafe\u{301}", "caf\u{E9}")] {
      let twin = Principal.user(other, groups: [other])
      let same = Principal.user(name, groups: [name])
      for value in [Value.string(name), [.string(name)]] {
        let stored = ["owner": value, "groups": value]
        #expect(post.decide(.update, as: same, given: ["title": "t"], stored: stored).isAllowed)
        #expect(!post.decide(.update, as: twin, given: ["title": "t"], stored: stored).isAllowed)
        #expect(!post.decide(.get, as: twin, stored: stored).isAllowed)
        #expect(
          !post.decide(.create, as: twin, given: ["owner": value, "groups": value]).isAllowed)
      }
    }
    let fixed = PostPolicy(makeRule(.groups, groups: ["caf\u{E9}"]))
    #expect(fixed.decide(.get, as: .user("u", groups: ["caf\u{E9}"])).isAllowed)
    #expect(!fixed.decide(.get, as: .user("u", groups: ["cafe\u{301}"])).isAllowed)
  }

  @Test func `a left out owner is filled in`() {
    let whole = PostPolicy(makeRule(.owner))
    #expect(
      whole.decide(.create, as: User.ada).allowance?.filled
        == [2: "s-ada::ada"])
    #expect(
      whole.decide(.create, as: .user("u1")).allowance?.filled
        == [2: "u1"])
    let list = PostPolicy(makePost([makeRule(.owner)], ownerIsList: true))
    #expect(
      list.decide(.create, as: .user("u1")).allowance?.filled
        == [2: ["u1"]])
    let given = whole.decide(.create, as: .user("u1"), given: ["owner": "u1"])
    #expect(given.allowance?.filled == [:])
  }

  @Test func `a left out owner is filled in also where a group allows the create`() {
    let post = PostPolicy(
      makeRule(.groups, groups: ["Admins"]), makeRule(.owner),
      makeRule(.owner, ownerField: "editors", operations: [.read, .update]))
    let boss = Principal.user("boss", groups: ["Admins"])
    let forOther = post.decide(.create, as: boss, given: ["owner": "u1"])
    #expect(forOther.allowance?.rule == "Post.auth[0] allow: groups")
    #expect(forOther.allowance?.filled == [:])
    // Not the editors: their rule does not cover create.
    let own = post.decide(.create, as: boss)
    #expect(own.allowance?.filled == [2: "boss"])
  }

  @Test func `nothing is filled in for a credential that did not create`() {
    let post = PostPolicy(makeRule(.owner, provider: .oidc), makeRule(.anyone))
    #expect(post.decide(.create, as: .anonymous, User.ada).allowance?.filled == [:])
  }

  @Test(
    arguments: [
      "u2", .null, "", [], ["u2"], [["u1"]], 1, true, .object([.init("u1", "u1")]), "u1 ", "U1",
    ] as [Value])
  func `a forged owner is refused`(owner: Value) {
    for isList in [false, true] {
      let post = PostPolicy(makePost([makeRule(.owner)], ownerIsList: isList))
      let decision = post.decide(
        .create, as: .user("u1"), given: ["title": "t", "owner": owner])
      #expect(decision.code == .ownerForged)
      #expect(decision.denial?.rule == "Post.auth[0] allow: owner")
    }
  }

  @Test func `a forged owner beside the right one is refused`() {
    let post = PostPolicy(makeRule(.owner))
    for given in [
      ["owner": "u1", "owner": "u2"], ["owner": "u2", "owner": "u1"],
    ] as [KeyValuePairs<String, Value>] {
      #expect(post.decide(.create, as: .user("u1"), given: given).code == .ownerForged)
    }
  }

  @Test(arguments: [
    (FieldOperation.edit(add: ["u1"], remove: []), true),
    (.edit(add: ["u2"], remove: []), false),
    (.edit(add: [], remove: ["u2"]), false),
    (.add(1), false),
    (.unknown(tag: 9, payload: [1]), false),
  ])
  func `an owner given by another operation than a set is compared or refused`(
    operation: FieldOperation, isAllowed: Bool
  ) {
    let post = PostPolicy(makePost([makeRule(.owner)], ownerIsList: true))
    let change = FieldChange(field: 2, operation: operation)
    let create = AccessRequest(
      model: 0, operation: .create, credentials: [.user("u1")], changes: [change])
    #expect(post.policy.decide(create).isAllowed == isAllowed)
    let update = AccessRequest(
      model: 0, operation: .update, credentials: [.user("u1")], changes: [change],
      stored: post.facts(["owner": ["u1"]]))
    #expect(post.policy.decide(update).code == .ownerChange)
  }

  @Test func `an owner is not taken from the update itself`() {
    let post = PostPolicy(makeRule(.owner))
    let decision = post.decide(
      .update, as: .user("u2"), given: ["owner": "u2", "title": "t"], stored: ["owner": "u1"])
    #expect(decision.code == .notOwner)
  }

  @Test func `a group or anyone signed in may set any owner`() {
    let boss = Principal.user("boss", groups: ["Admins"])
    let groups = PostPolicy(makeRule(.owner), makeRule(.groups, groups: ["Admins"]))
    for owner in ["u1", .null, []] as [Value] {
      #expect(groups.decide(.create, as: boss, given: ["owner": owner]).isAllowed)
      #expect(groups.decide(.update, as: boss, given: ["owner": owner]).isAllowed)
      #expect(!groups.decide(.create, as: .user("u2"), given: ["owner": owner]).isAllowed)
    }
    let signedIn = PostPolicy(makeRule(.owner), makeRule(.signedIn, operations: [.create]))
    #expect(signedIn.decide(.create, as: .user("u2"), given: ["owner": "u1"]).isAllowed)
  }

  @Test(arguments: ["u2", "u1", .null, ["u1", "u2"]] as [Value])
  func `an owner does not change who owns the record`(value: Value) {
    let post = PostPolicy(
      makeRule(.owner), makeRule(.owner, ownerField: "editors", operations: [.update]))
    let stored: [String: Value] = ["owner": "u1", "editors": ["u1", "u3"]]
    for field in ["owner", "editors"] {
      for caller in ["u1", "u3"] {
        let decision = post.decide(
          .update, as: .user(caller), given: [field: value], stored: stored)
        #expect(decision.code == .ownerChange)
        #expect(decision.denial?.field == field)
      }
    }
  }

  @Test func `a field rule with update makes an owner transferable`() {
    let post = PostPolicy(
      makeRule(.owner),
      fieldRules: ["owner": [makeRule(.owner, operations: [.read, .update])]])
    let stored: [String: Value] = ["owner": "u1"]
    let update = { (caller: String, value: Value) in
      post.decide(.update, as: .user(caller), given: ["owner": value], stored: stored)
    }
    #expect(update("u1", "u2").isAllowed)
    #expect(update("u2", "u2").code == .notOwner)
    #expect(update("u1", .null).code == .fieldNeedsDelete)
    // The field's rules replace the model's for create too.
    #expect(
      post.decide(.create, as: .user("u1"), given: ["owner": "u1"]).code == .fieldForbidden)
    #expect(post.decide(.create, as: .user("u1")).isAllowed)
  }

  @Test func `a user name that looks like a whole identity owns nothing of it`() {
    let thief = Principal(provider: .userPools, subject: "s-thief", username: "s-ada::ada")
    let post = PostPolicy(makeRule(.owner))
    #expect(!post.decide(.get, as: thief, stored: ["owner": "s-ada::ada"]).isAllowed)
    #expect(post.decide(.get, as: thief, stored: ["owner": "s-thief::s-ada::ada"]).isAllowed)
  }

  @Test func `the claim username falls back to the one of Cognito`() {
    let post = PostPolicy(makeRule(.owner, identityClaim: "username"))
    let token = { (claims: [Value.Member]) in
      Principal(provider: .userPools, subject: "s", claims: claims)
    }
    let stored: [String: Value] = ["owner": "ada"]
    let get = { post.decide(.get, as: $0, stored: stored) }
    #expect(get(token([.init("username", "ada")])).isAllowed)
    #expect(get(token([.init("cognito:username", "ada")])).isAllowed)
    #expect(
      get(token([.init("username", "ida"), .init("cognito:username", "ada")])).code == .notOwner)
    #expect(get(token([])).code == .noIdentity)
    #expect(get(token([.init("username", 7)])).code == .noIdentity)
  }

  @Test func `a token without the claim owns nothing`() {
    let post = PostPolicy(makeRule(.owner, identityClaim: "email"))
    for claims in [[], [.init("email", "")], [.init("email", .null)]] as [[Value.Member]] {
      let principal = Principal(provider: .userPools, subject: "s", claims: claims)
      for owner in ["", .null, "s", []] as [Value] {
        #expect(post.decide(.get, as: principal, stored: ["owner": owner]).code == .noIdentity)
        #expect(post.decide(.create, as: principal, given: ["owner": owner]).code == .noIdentity)
      }
      #expect(post.decide(.create, as: principal).code == .noIdentity)
    }
  }

  @Test func `a field that only a rule names is there, and empty`() {
    let owner = PostPolicy(makeRule(.owner, ownerField: "author"))
    let groups = PostPolicy(makeRule(.groups, groupsField: "teams"))
    let caller = Principal.user("u1", groups: ["red"])
    for operation in AccessOperation.allCases {
      #expect(owner.decide(operation, as: caller).code == (operation == .create ? nil : .notOwner))
      #expect(groups.decide(operation, as: caller).code == .notInGroup)
    }
  }
}
