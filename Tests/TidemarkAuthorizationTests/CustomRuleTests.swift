import Testing
import TidemarkAuthorization
import TidemarkEvents
import TidemarkSchema

/// Says always the same.
private struct FixedAuthorizer: CustomAuthorizer {
  let answer: CustomAnswer

  func answer(_ question: CustomQuestion) -> CustomAnswer { answer }
}

@Suite struct CustomRuleTests {
  private let caller = Principal(provider: .function, subject: "f1")

  private func post(_ answer: CustomAnswer?) -> PostPolicy {
    PostPolicy(makePost([makeRule(.custom)]), customAuthorizer: answer.map(FixedAuthorizer.init))
  }

  @Test func `without the app's function a custom rule is unknown, and so denied`() {
    for post in [post(nil), post(.unknown)] {
      let decision = post.decide(.create, as: caller)
      guard case .unknown(let fact) = decision else {
        Issue.record("\(decision)")
        continue
      }
      #expect(fact.code == .customUnavailable)
      #expect(decision.code == .customUnavailable)
    }
    #expect(post(nil).decide(.create, as: .user("u1")).code == .wrongProvider)
  }

  @Test func `the app's function decides`() {
    #expect(post(.allowed()).decide(.delete, as: caller).isAllowed)
    #expect(post(.denied).decide(.delete, as: caller).code == .customDenied)
    #expect(post(.allowed()).decide(.delete, as: .anonymous).code == .wrongProvider)
  }

  @Test func `the app's function denies single fields`() {
    let post = post(.allowed(deniedFields: ["secret"]))
    #expect(post.decide(.create, as: caller, given: ["title": "t"]).isAllowed)
    for operation in [AccessOperation.create, .update] {
      let decision = post.decide(operation, as: caller, given: ["title": "t", "secret": "s"])
      #expect(decision.code == .customDenied)
      #expect(decision.denial?.field == "secret")
    }
    #expect(post.decide(.update, as: caller, given: ["title": .null]).isAllowed)
    #expect(post.decide(.delete, as: caller).denial?.field == "secret")
    let access = post.policy.readAccess(
      model: 0, operation: .get, credentials: [caller], stored: nil)
    #expect(access.isVisible && !access.isUnknown)
    #expect(access.hiddenFields == [1])
  }
}
