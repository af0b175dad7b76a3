import Testing
import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

@Suite struct ReadTests {
  private func access(
    _ post: PostPolicy, _ credentials: [Principal], _ stored: [String: Value]?
  ) -> ReadAccess {
    post.policy.readAccess(
      model: 0, operation: .list, credentials: credentials, stored: stored.map(post.facts))
  }

  @Test func `a field with rules of its own is hidden or shown by them`() {
    let post = PostPolicy(
      makeRule(.signedIn),
      fieldRules: ["secret": [makeRule(.owner)], "team": [makeRule(.anyone)]])
    let stored: [String: Value] = ["owner": "u1"]
    #expect(access(post, [.user("u1")], stored).hiddenFields == [5])
    #expect(access(post, [.user("u2")], stored).hiddenFields == [1, 5])
    // Only the one field that is for anyone; the record is there for it.
    let anyone = access(post, [.anonymous], stored)
    #expect(anyone.isVisible)
    #expect(anyone.hiddenFields == [0, 1, 2, 3, 4])
    // What either credential may read is readable.
    #expect(access(post, [.anonymous, .user("u1")], stored).hiddenFields == [])
  }

  @Test func `a record that is not for the caller is not there`() {
    let post = PostPolicy(makeRule(.owner))
    let other = access(post, [.user("u2")], ["owner": "u1"])
    #expect(!other.isVisible && !other.isUnknown)
    #expect(
      post.policy.permittedReadFields(
        model: 0, operation: .get, credentials: [.user("u2")],
        stored: post.facts(["owner": "u1"])) == [])
    let unknown = access(post, [.user("u2")], nil)
    #expect(!unknown.isVisible && unknown.isUnknown)
  }

  @Test func `a scope says whether records must be asked`() {
    let post = PostPolicy(
      makeRule(.owner), makeRule(.groups, groups: ["Admins"]),
      makeRule(.anyone, operations: [.list]))
    let scope = { (operation: AccessOperation, caller: Principal) in
      post.policy.readScope(model: 0, operation: operation, credentials: [caller])
    }
    #expect(scope(.get, .user("u1")) == .filtered)
    #expect(scope(.get, .user("u1", groups: ["Admins"])) == .everything)
    #expect(scope(.get, .anonymous) == .nothing)
    #expect(scope(.list, .anonymous) == .everything)
  }

  @Test func `only a part of read is a read`() {
    let post = PostPolicy(makeRule(.anyone))
    for operation in [AccessOperation.create, .update, .delete] {
      #expect(
        !post.policy.canRead(
          model: 0, operation: operation, credentials: [.anonymous], stored: nil))
      #expect(
        post.policy.readScope(model: 0, operation: operation, credentials: [.anonymous])
          == .nothing)
    }
  }
}
