import Testing
import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

@Suite struct TraceTests {
  private func lines(_ trace: Trace) -> [String] {
    trace.clauses.map { "\($0.rule) | \($0.field ?? "-") | \($0.finding) | \($0.why)" }
  }

  @Test func `every rule is listed with what was compared`() {
    let post = PostPolicy(
      makeRule(.anyone, operations: [.read]), makeRule(.owner),
      makeRule(.groups, groups: ["Admins"], operations: [.delete]), makeRule(.groups))
    let trace = post.policy.explain(
      post.request(
        .delete, as: [.user("u2", groups: ["red", "blue"])],
        stored: ["owner": "u1", "groups": ["green"]]))
    #expect(trace.decision.code == .notOwner)
    #expect(
      lines(trace) == [
        "Post.auth[1] allow: owner | - | notOwner | owner is u1, the caller is u2",
        "Post.auth[2] allow: groups | - | notInGroup | the rule wants Admins, the caller is in "
          + "red, blue",
        "Post.auth[3] allow: groups | - | notInRecordGroup | groups is [green], the caller is in "
          + "red, blue",
        "Post.auth[0] allow: public | - | operationNotCovered | the rule does not name delete",
      ])
    #expect(trace.clauses.allSatisfy { $0.applies == false && $0.credential == 0 })
  }

  @Test func `what follows the deciding rule is listed too`() {
    let post = PostPolicy(
      makeRule(.owner), makeRule(.signedIn), fieldRules: ["secret": [makeRule(.anyone)]])
    let trace = post.policy.explain(
      post.request(.create, as: [User.ada], ["secret": "s", "owner": "ada"]))
    #expect(trace.decision.code == .fieldForbidden)
    #expect(
      lines(trace) == [
        "Post.auth[0] allow: owner | - | applies | owner is ada, the caller is s-ada::ada",
        "Post.auth[1] allow: private | - | applies | anyone signed in with userPools may",
        "Post.secret.auth[0] allow: public | secret | wrongProvider | the rule wants apiKey, the "
          + "credential is userPools",
      ])
  }

  @Test func `a null is explained by the delete that it needs`() {
    let post = PostPolicy(makeRule(.signedIn, operations: [.update]))
    let trace = post.policy.explain(post.request(.update, as: [User.ada], ["title": .null]))
    #expect(trace.decision.code == .fieldNeedsDelete)
    #expect(trace.clauses.map(\.operation) == [.update, .delete])
    #expect(trace.clauses.map(\.field) == [nil, "title"])
  }

  @Test func `a missing fact is said`() {
    let post = PostPolicy(makeRule(.owner))
    let trace = post.policy.explain(post.request(.get, as: [User.ada], stored: nil))
    #expect(trace.clauses.map(\.applies) == [nil])
    #expect(trace.clauses.map(\.why) == ["the stored record's owner is not known here"])
  }
}
