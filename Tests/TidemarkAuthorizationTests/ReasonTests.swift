import Testing
import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

@Suite struct ReasonTests {
  static let owner = makeRule(.owner)
  static let admins = makeRule(.groups, groups: ["Admins"])
  static let user = Principal.user("u1")

  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var rules: [AuthRule]
    var caller: Principal
    var operation = AccessOperation.delete
    var code: ReasonCode
    /// The place of the rule that is named.
    var rule: Int?
  }

  static let cases: [Case] = [
    Case(testDescription: "no rule at all", rules: [], caller: user, code: .noRule),
    Case(
      testDescription: "no rule for the operation",
      rules: [makeRule(.owner, operations: [.read])], caller: user, code: .noRule),
    Case(
      testDescription: "nobody signed in", rules: [owner, admins], caller: .anonymous,
      code: .notSignedIn, rule: 0),
    Case(
      testDescription: "a token without a subject", rules: [makeRule(.signedIn)],
      caller: Principal(provider: .userPools), code: .notSignedIn, rule: 0),
    Case(
      testDescription: "an API key rule and a token", rules: [makeRule(.anyone)], caller: user,
      code: .wrongProvider, rule: 0),
    Case(
      testDescription: "a token of another provider", rules: [makeRule(.owner, provider: .oidc)],
      caller: user, code: .wrongProvider, rule: 0),
    Case(
      testDescription: "another owner", rules: [owner], caller: user, code: .notOwner, rule: 0),
    Case(
      testDescription: "another owner before a group", rules: [admins, owner], caller: user,
      code: .notOwner, rule: 1),
    Case(
      testDescription: "a group alone", rules: [admins], caller: user, code: .notInGroup, rule: 0),
    Case(
      testDescription: "a group before another provider", rules: [makeRule(.anyone), admins],
      caller: user, code: .notInGroup, rule: 1),
    Case(
      testDescription: "the record's groups", rules: [makeRule(.groups)], caller: user,
      code: .notInGroup, rule: 0),
    Case(
      testDescription: "the rule that covers the operation",
      rules: [makeRule(.owner, operations: [.read]), admins], caller: user, code: .notInGroup,
      rule: 1),
  ]

  @Test(arguments: cases)
  func `a refusal names the rule that came nearest`(_ given: Case) throws {
    let post = PostPolicy(makePost(given.rules))
    let denial = try #require(
      post.decide(given.operation, as: given.caller, stored: ["owner": "u9"]).denial)
    #expect(denial.code == given.code)
    #expect(denial.rule == given.rule.map { post.model.rules[$0].name })
    #expect(denial.field == nil)
    #expect(!denial.message.contains("u9"), "what is stored is not told: \(denial.message)")
  }

  @Test func `a message lists everybody who may`() {
    let post = PostPolicy(Self.owner, Self.admins, makeRule(.anyone, operations: [.read]))
    let denial = post.decide(.delete, as: Self.user, stored: ["owner": "u9"]).denial
    #expect(
      denial?.message == "The record has another owner. Post: delete is for who is named by "
        + "owner (userPools), or members of Admins (userPools).")
    let change = post.decide(
      .update, as: Self.user, given: ["owner": "u2"], stored: ["owner": "u1"])
    #expect(
      change.denial?.message == "An owner may not change owner; a rule on that field with update "
        + "would let them. Post.owner: update is for members of Admins (userPools).")
    let none = PostPolicy().decide(.get, as: Self.user).denial
    #expect(none?.message == "No rule of Post covers get. Nobody may get Post.")
  }

  @Test func `a forbidden field is named although its value does not change`() {
    let post = PostPolicy(makeRule(.signedIn), fieldRules: ["secret": [Self.admins]])
    let decision = post.decide(
      .update, as: Self.user, given: ["title": "t", "secret": "s"], stored: ["secret": "s"])
    #expect(decision.code == .fieldForbidden)
    #expect(decision.denial?.field == "secret")
    #expect(decision.denial?.rule == "Post.secret.auth[0] allow: groups")
    // Who may not touch the record either hears that.
    let anonymous = post.decide(.update, as: .anonymous, given: ["secret": "s"])
    #expect(anonymous.code == .notSignedIn)
    #expect(anonymous.denial?.field == "secret")
  }

  @Test func `setting a field to null needs delete on that field`() {
    let post = PostPolicy(
      makeRule(.signedIn, operations: [.update]),
      fieldRules: ["secret": [makeRule(.signedIn, operations: [.update, .delete])]])
    let update = { post.decide(.update, as: Self.user, given: $0) }
    #expect(update(["title": "t", "secret": .null]).isAllowed)
    let title = update(["secret": .null, "title": .null])
    #expect(title.code == .fieldNeedsDelete)
    #expect(title.denial?.field == "title")
    #expect(post.decide(.create, as: Self.user).code == .noRule)
  }

  @Test func `a delete needs every field`() {
    let post = PostPolicy(
      makeRule(.signedIn), fieldRules: ["secret": [makeRule(.signedIn, operations: [.read])]])
    let decision = post.decide(.delete, as: Self.user)
    #expect(decision.code == .fieldForbidden)
    #expect(decision.denial?.field == "secret")
    #expect(decision.denial?.rule == nil, "no rule of the field covers it")
  }

  @Test func `a field rule alone creates no record`() {
    let post = PostPolicy(Self.admins, fieldRules: ["secret": [makeRule(.signedIn)]])
    #expect(post.decide(.create, as: Self.user, given: ["secret": "s"]).code == .notInGroup)
    #expect(post.decide(.update, as: Self.user, given: ["secret": "s"]).isAllowed)
    #expect(post.decide(.update, as: Self.user).code == .notInGroup)
  }

  @Test(arguments: [-1, 6, Int.max, Int.min])
  func `places that the schema lacks are refused`(place: Int) {
    let post = PostPolicy(makeRule(.anyone))
    var request = post.request(.update, as: [.anonymous])
    request.changes = [FieldChange(field: place, operation: .set("x"))]
    for operation in [AccessOperation.create, .update] {
      request.operation = operation
      #expect(post.policy.decide(request).code == .unknownField)
    }
    request.changes = []
    request.model = place
    #expect(post.policy.decide(request).code == .unknownModel)
    #expect(post.policy.explain(request).clauses.isEmpty)
    #expect(post.policy.modes(model: place, operation: .get, signedIn: true).isEmpty)
    #expect(post.policy.readScope(model: place, operation: .get, credentials: []) == .nothing)
  }

  @Test func `a missing fact is unknown unless it does not matter`() {
    let post = PostPolicy(
      Self.owner, Self.admins, fieldRules: ["secret": [makeRule(.anyone)]])
    let decide = { (caller: Principal, given: KeyValuePairs<String, Value>) in
      post.decide(.update, as: caller, given: given, stored: nil)
    }
    guard case .unknown(let fact) = decide(Self.user, ["title": "t"]) else {
      Issue.record("the owner is not known")
      return
    }
    #expect(fact.code == .recordUnknown)
    #expect(fact.rule == "Post.auth[0] allow: owner")
    #expect(decide(.user("u1", groups: ["Admins"]), ["title": "t"]).isAllowed)
    // The field is refused whoever owns the record.
    #expect(decide(Self.user, ["title": "t", "secret": "s"]).code == .wrongProvider)
    #expect(decide(Self.user, ["title": "t"]).denial?.code == .recordUnknown)
    #expect(post.decide(.create, as: Self.user, stored: nil).isAllowed)
  }

  @Test func `the reason codes are these`() {
    #expect(
      ReasonCode.allCases.map(\.rawValue) == [
        "noRule", "notSignedIn", "wrongProvider", "notOwner", "noIdentity", "notInGroup",
        "ownerForged", "ownerChange", "fieldForbidden", "fieldNeedsDelete", "customDenied",
        "customUnavailable", "recordUnknown", "unknownField", "noSuchRecord", "alreadyExists",
        "transactionRejected", "invalidValue", "unknownModel", "unknownKind",
      ])
  }
}
