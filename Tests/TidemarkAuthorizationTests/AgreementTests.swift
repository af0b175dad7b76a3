import Testing
import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

/// Asks the engine and the naive evaluation, and says where they differ.
struct Agreement {
  let post: PostPolicy
  let naive: NaivePolicy

  init(_ model: Model) {
    post = PostPolicy(model)
    naive = NaivePolicy(model: model)
  }

  /// `nil` where all agree.
  func difference(
    _ operation: AccessOperation, as credentials: [Principal],
    given: [(String, Value)], stored: [String: Value], givesID: Bool = true
  ) -> String? {
    let changes = given.map {
      FieldChange(field: post.place($0.0), operation: .set($0.1))
    }
    var request = AccessRequest(
      model: 0, operation: operation, credentials: credentials, changes: changes,
      stored: post.facts(stored), givesID: givesID)
    let asked = NaivePolicy.Asked(
      operation: operation, given: given.map { (name: $0.0, value: $0.1) }, stored: stored,
      givesID: givesID)
    let expected = naive.answer(asked, credentials: credentials)
    let decision = post.policy.decide(request)
    let got = decision.allowance.map { allowance in
      NaivePolicy.Answer(
        provider: allowance.provider,
        filled: Dictionary(
          uniqueKeysWithValues: allowance.filledOwners.map {
            (post.model.fields[$0.field].name, $0.value)
          }))
    }
    func report(_ what: String) -> String {
      "\(what): \(operation) as \(credentials) given \(given) stored \(stored): \(decision), "
        + "naive: \(String(describing: expected))"
    }
    if got != expected { return report("outcome") }
    if case .unknown = decision { return report("unknown though all is known") }
    if post.policy.explain(request).decision != decision { return report("explanation") }

    request.stored = nil
    switch post.policy.decide(request) {
    case .allowed where !decision.isAllowed: return report("allowed without the facts")
    case .denied where decision.isAllowed: return report("denied without the facts")
    default: break
    }
    return operation.isRead ? readDifference(request, asked, report) : nil
  }

  private func readDifference(
    _ request: AccessRequest, _ asked: NaivePolicy.Asked, _ report: (String) -> String
  ) -> String? {
    let policy = post.policy
    let readable = naive.readable(asked, credentials: request.credentials)
    let stored = post.facts(asked.stored)
    let access = policy.readAccess(
      model: 0, operation: request.operation, credentials: request.credentials, stored: stored)
    let permitted = policy.permittedReadFields(
      model: 0, operation: request.operation, credentials: request.credentials, stored: stored)
    let isVisible = policy.canRead(
      model: 0, operation: request.operation, credentials: request.credentials, stored: stored)
    let names = Set(permitted.map { post.model.fields[$0].name })
    if names != readable.subtracting(["id"]) { return report("fields \(names) of \(readable)") }
    if access.isVisible != !readable.isEmpty { return report("visible") }
    if isVisible != access.isVisible { return report("two ways to ask") }
    let scope = policy.readScope(
      model: 0, operation: request.operation, credentials: request.credentials)
    switch scope {
    case .nothing where isVisible, .everything where !isVisible: return report("scope \(scope)")
    default: return nil
    }
  }
}

@Suite struct AgreementTests {
  static let ruleSets: [[AuthRule]] = [
    [],
    [makeRule(.anyone)],
    [makeRule(.anyone, provider: .iam)],
    [makeRule(.signedIn)],
    [makeRule(.signedIn, provider: .iam), makeRule(.signedIn, provider: .oidc)],
    [makeRule(.owner)],
    [makeRule(.owner, provider: .oidc)],
    [makeRule(.owner, identityClaim: "username")],
    [makeRule(.owner, identityClaim: "email")],
    [makeRule(.owner, ownerField: "editors")],
    [makeRule(.owner), makeRule(.owner, ownerField: "editors", operations: [.read, .update])],
    [makeRule(.owner), makeRule(.owner, ownerField: "editors")],
    [makeRule(.owner, operations: [.create, .update]), makeRule(.anyone, operations: [.read])],
    [makeRule(.groups, groups: ["Admins", "Staff"])],
    [makeRule(.groups, groupClaim: "roles", groups: ["Admins"])],
    [makeRule(.groups)],
    [makeRule(.groups, groupsField: "team")],
    [makeRule(.groups, groups: ["Admins"], operations: [.read, .delete]), makeRule(.owner)],
    [makeRule(.groups, groups: ["Admins"]), makeRule(.owner)],
    [makeRule(.signedIn, operations: [.create, .read]), makeRule(.owner)],
    [makeRule(.owner, operations: [.create, .read, .update]), makeRule(.groups)],
    [makeRule(.signedIn, operations: [])],
  ]

  static let fieldRules: [[String: [AuthRule]]] = [
    [:],
    ["secret": [makeRule(.owner)]],
    ["secret": [makeRule(.anyone, operations: [.read]), makeRule(.signedIn)]],
    ["secret": [makeRule(.groups, groups: ["Admins"], operations: [.update])]],
    ["owner": [makeRule(.owner, operations: [.read, .update])]],
    [
      "title": [makeRule(.owner, operations: [.create, .read, .update])],
      "secret": [makeRule(.groups, groups: ["Admins"])], "owner": [makeRule(.owner)],
    ],
  ]

  static let principals: [[Principal]] = [
    [], [.anonymous], [User.ada], [User.ida], [Principal(provider: .iam)],
    [Principal(provider: .iam, subject: "s-ada")],
    [Principal(provider: .oidc, subject: "s-ada")],
    [Principal(provider: .userPools, groups: ["Admins"])],
    [.user("s-boss", groups: ["Admins", "red"])],
    [
      Principal(
        provider: .userPools, subject: "s-ada", groups: ["admins"],
        claims: [
          .init("cognito:username", "ada"), .init("email", "ada@x"), .init("roles", ["Admins"]),
        ])
    ],
    [.anonymous, User.ada],
  ]

  static let owners: [Value] = [
    "s-ada::ada", "s-ada", "ada", "ada@x", "s-ida::ida", .null, "", ["s-ida", "s-ada"], ["s-ida"],
    [], 7,
  ]

  /// What callers give, with owner states put in at `owner` and `editors`.
  static let given: [[(String, Value)]] = [
    [], [("title", "t")], [("title", .null)], [("secret", "s")], [("secret", .null)],
    [("title", "t"), ("secret", "s")], [("title", "t"), ("groups", ["red"])],
    [("team", "red")], [("team", "blue"), ("groups", .null)],
  ]

  @Test(arguments: ruleSets.indices)
  func `the engine agrees with the naive evaluation on the whole table`(ruleSet: Int) {
    var count = 0
    for rules in Self.fieldRules {
      for ownerIsList in [false, true] {
        let agreement = Agreement(
          makePost(Self.ruleSets[ruleSet], fieldRules: rules, ownerIsList: ownerIsList))
        for credentials in Self.principals {
          for (index, owner) in Self.owners.enumerated() {
            let stored: [String: Value] = [
              "owner": owner, "editors": Self.owners[(index + 7) % Self.owners.count],
              "groups": index % 2 == 0 ? ["red", "blue"] : .null, "team": "red",
            ]
            var cases: [(AccessOperation, [(String, Value)])] = [(.delete, []), (.sync, [])]
            let given = Self.given[(index + ruleSet) % Self.given.count]
            cases.append((.create, given))
            cases.append((.create, given + [("owner", owner)]))
            cases.append((.create, [("title", "t"), ("editors", owner)]))
            cases.append((.update, given))
            cases.append((.update, Self.given[(index + ruleSet + 4) % Self.given.count]))
            cases.append((.update, given + [("owner", "s-ida")]))
            cases.append((.update, [("owner", owner)]))
            // The type of the owner field matters only where it is filled in.
            for (operation, given) in cases where !ownerIsList || operation == .create {
              count += 1
              let difference = agreement.difference(
                operation, as: credentials, given: given, stored: stored)
              if let difference {
                Issue.record("rules \(ruleSet), fields \(rules.keys): \(difference)")
                return
              }
            }
          }
        }
      }
    }
    #expect(count == 6 * 11 * 11 * (9 + 3))
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `the engine agrees with the naive evaluation on random policies`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var allowed = 0
    for round in 0..<400 {
      let agreement = Agreement(random.model())
      for _ in 0..<20 {
        let operation = random.pick(AccessOperation.allCases)
        let credentials = (0..<random.pick([1, 1, 1, 2, 3])).map { _ in random.principal() }
        let names = ["title", "secret", "owner", "editors", "groups", "team"]
        let given = names.filter { _ in random.chance(3) }.map { ($0, random.value()) }
        let stored = Dictionary(uniqueKeysWithValues: names.map { ($0, random.value()) })
        let difference = agreement.difference(
          operation, as: credentials, given: given, stored: stored, givesID: random.chance(2))
        if let difference {
          Issue.record("seed \(seed), round \(round): \(agreement.post.model): \(difference)")
          return
        }
        let request = AccessRequest(
          model: 0, operation: operation, credentials: credentials,
          stored: agreement.post.facts(stored))
        if agreement.post.policy.decide(request).isAllowed { allowed += 1 }
      }
    }
    // Neither everything nor nothing is allowed, or the test would say little.
    #expect((800...7200).contains(allowed), "seed \(seed)")
  }
}

extension SeededGenerator {
  static let names = ["u", "u::n", "n", "caf\u{E9}", "cafe\u{301}", "red", "e@x", "u::n::m", ""]

  mutating func value() -> Value {
    switch next() % 6 {
    case 0: .null
    case 1: .list((0..<pick(0...2)).map { _ in .string(pick(Self.names)) })
    case 2: pick([true, 3, 1.5, [1, .null], .object([.init("u", "u")])])
    default: .string(pick(Self.names))
    }
  }

  mutating func principal() -> Principal {
    var claims: [Value.Member] = []
    for name in ["username", "cognito:username", "email", "roles"] where chance(3) {
      claims.append(.init(name, value()))
    }
    return Principal(
      provider: pick([.userPools, .userPools, .userPools, .oidc, .iam, .apiKey]),
      subject: chance(5) ? nil : pick(Self.names), username: chance(2) ? pick(["n", "n::m"]) : nil,
      groups: (0..<pick(0...2)).map { _ in pick(Self.names) }, claims: claims)
  }

  mutating func rule() -> AuthRule {
    let allow = pick([AuthRule.Allow.owner, .owner, .groups, .signedIn, .anyone, .custom])
    let all = AuthRule.Operation.allCases
    return makeRule(
      allow,
      provider: allow == .custom || chance(2) ? nil : pick([.userPools, .oidc, .iam, .apiKey]),
      ownerField: pick(["owner", "owner", "editors"]),
      identityClaim: pick([nil, nil, "username", "email", "sub"]),
      groupClaim: pick(["cognito:groups", "roles"]),
      groups: chance(2) ? nil : [pick(Self.names), pick(Self.names)],
      groupsField: pick(["groups", "team"]),
      operations: chance(2) ? nil : Set((0..<pick(0...4)).map { _ in pick(all) }))
  }

  mutating func model() -> Model {
    var fieldRules: [String: [AuthRule]] = [:]
    for name in ["title", "secret", "owner", "editors", "team"] where chance(5) {
      fieldRules[name] = (0..<pick(1...2)).map { _ in rule() }
    }
    return makePost(
      (0..<pick(0...4)).map { _ in rule() }, fieldRules: fieldRules, ownerIsList: chance(2))
  }
}
