import Testing
import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

@Suite struct PolicyCheckTests {
  private func codes(
    _ rules: AuthRule..., fieldRules: [String: [AuthRule]] = [:]
  ) -> [String] {
    let schema = makeSchema(makePost(rules, fieldRules: fieldRules))
    return PolicyCheck(schema).warnings.map { warning in
      #expect(warning.model == "Post" && warning.message.contains("Post"))
      return warning.code.rawValue + (warning.field.map { " \($0)" } ?? "")
    }
  }

  @Test func `a model without rules is reported`() {
    #expect(codes() == ["modelWithoutRules"])
  }

  @Test func `an operation without a rule is reported`() {
    #expect(codes(makeRule(.signedIn, operations: [.read])) == ["operationWithoutRule"])
    #expect(codes(makeRule(.signedIn, operations: [.create])) == ["operationWithoutRule"])
    #expect(codes(makeRule(.signedIn, operations: [.create, .list])) == [])
  }

  @Test func `what anyone may change is reported`() {
    #expect(codes(makeRule(.anyone)) == ["anyoneMayDelete", "anyoneMayUpdate"])
    #expect(codes(makeRule(.anyone, operations: [.create, .read])) == [])
  }

  @Test func `owners who alone read, or cannot, are reported`() {
    #expect(
      codes(makeRule(.owner)) == ["onlyOwnersRead", "ownershipNotTransferable owner"])
    #expect(
      codes(makeRule(.owner, operations: [.create]), makeRule(.anyone, operations: [.read]))
        == ["ownerCannotRead"])
    #expect(
      codes(makeRule(.owner, operations: [.create]), makeRule(.signedIn, operations: [.read]))
        == [])
  }

  @Test func `the departure on ownership is reported either way`() {
    let read = makeRule(.signedIn, operations: [.read])
    #expect(codes(makeRule(.owner), read) == ["ownershipNotTransferable owner"])
    #expect(
      codes(makeRule(.owner), read, fieldRules: ["owner": [makeRule(.owner)]])
        == ["ownershipTransferable owner"])
    #expect(
      codes(
        makeRule(.owner), read,
        fieldRules: ["owner": [makeRule(.owner, operations: [.read, .delete])]]) == [])
  }

  @Test func `rules that let others name any owner are reported`() {
    #expect(
      codes(makeRule(.owner, operations: [.create]), makeRule(.signedIn))
        == ["anyOwnerMayBeGiven owner"])
    #expect(
      codes(
        makeRule(.owner, operations: [.create, .read]),
        makeRule(.owner, ownerField: "editors", operations: [.create]),
        makeRule(.signedIn, operations: [.read]))
        == ["anyOwnerMayBeGiven owner", "anyOwnerMayBeGiven editors"])
  }

  @Test func `fields that widen the model or prevent its delete are reported`() {
    let model = makeRule(.groups, groups: ["Admins", "Staff"])
    #expect(
      codes(model, fieldRules: ["secret": [makeRule(.signedIn)]]) == ["fieldWidensModel secret"])
    #expect(
      codes(model, fieldRules: ["secret": [makeRule(.groups, groups: ["Staff"])]]) == [])
    #expect(
      codes(
        model, fieldRules: ["secret": [makeRule(.groups, groups: ["Staff"], operations: [.read])]])
        == ["fieldPreventsDelete secret"])
  }

  @Test func `rules that change nothing are reported`() {
    let staff = makeRule(.groups, groups: ["Staff"])
    #expect(codes(makeRule(.signedIn), staff) == ["unreachableRule"])
    #expect(codes(staff, makeRule(.groups, groups: ["Staff", "Boss"])) == ["unreachableRule"])
    #expect(codes(makeRule(.signedIn), makeRule(.signedIn)) == ["unreachableRule"])
    #expect(
      codes(makeRule(.signedIn), makeRule(.signedIn, operations: [])) == ["ruleWithoutOperations"])
    #expect(codes(makeRule(.signedIn), makeRule(.groups, provider: .oidc, groups: ["Staff"])) == [])
    #expect(codes(makeRule(.signedIn, operations: [.create, .read]), staff) == [])
  }

  @Test func `a warning names its rule`() {
    let schema = makeSchema(makePost([makeRule(.anyone, operations: [.create, .read, .delete])]))
    let warnings = PolicyCheck(schema).warnings
    #expect(warnings.map(\.rule) == ["Post.auth[0] allow: public"])
    #expect(
      warnings.map(\.message) == ["Anyone with apiKey, without signing in, may delete any Post."])
  }
}
