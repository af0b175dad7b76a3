public import Tidemark
public import TidemarkEvents

/// What is simulated: a schema, who uses it, and what must hold of it beyond what holds of every store.
///
/// ```swift
/// var scenario = SimulationScenario(schema: source, users: [.user("ann"), .user("bob")])
/// scenario.check = { store in try totalsOfBooks(store).differences }
/// let report = Simulation(scenario).run(seed: 7)
/// #expect(report.failure == nil, "\(report)")
/// ```
public struct SimulationScenario: Sendable {
  /// SDL with `@model` and `@auth`.
  public var schema: String
  /// Who writes. On a device one at a time, another after a while.
  public var users: [Principal]
  /// The ids of the records that are written, few, so that writes meet.
  public var ids: [RecordID]
  /// What the rules say, told in another way than the rules do; `nil` where nobody tells. It is
  /// compared with every decision.
  public var allows: (@Sendable (SimulationQuestion) -> Bool)?
  /// The schema of the application's next version: stores take it one by one, while events that were
  /// written under the first are on their way. It has the same models and fields in the same places;
  /// what it adds stands behind them. `nil` where there is none.
  public var nextSchema: String?
  /// An application's next operation; where left out, any that the schema takes.
  public var operation: (@Sendable (inout Choices, Principal, [RecordID]) -> Operation)?
  /// What is wrong with a store, in an application's own words; empty for nothing. It is called at the end
  /// of a run, for each store, and again when it has been opened anew.
  public var check: (@Sendable (Store) throws -> [String])?

  public init(schema: String, users: [Principal], ids: [RecordID] = SimulationScenario.ids) {
    self.schema = schema
    self.users = users
    self.ids = ids
  }

  /// Short ones, one that is stored packed, and two that are equal as texts and not as bytes.
  public static let ids: [RecordID] = [
    "r1", "r2", "caf\u{e9}", "cafe\u{301}", "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
  ]

  /// The reference scenario and what its rules are: posts of their owners, which `Admins` may delete;
  /// notes of everybody; documents whose editors say who edits them.
  public static let feed: SimulationScenario = {
    var scenario = SimulationScenario(
      schema: feedSchema,
      users: [
        .user("ann"), .user("bob"), .user("root", groups: ["Admins"]), .user("zo\u{e9}"),
        .user("zoe\u{301}"), .anonymous,
      ])
    scenario.allows = { $0.isAllowedInFeed }
    scenario.nextSchema = nextFeedSchema
    return scenario
  }()

  static let feedSchema = source(
    notes: "{ allow: private }, { allow: public, operations: [read] }", color: "")

  /// A field more, and notes that only `Admins` may delete.
  static let nextFeedSchema = source(
    notes: """
      { allow: private, operations: [create, update, read] },
      { allow: groups, groups: ["Admins"] }, { allow: public, operations: [read] }
      """, color: "\n  color: String")

  private static func source(notes: String, color: String) -> String {
    """
    type Post @model @auth(rules: [
      { allow: owner },
      { allow: groups, groups: ["Admins"], operations: [delete, read] },
      { allow: public, operations: [read] },
      { allow: private, operations: [read] }
    ]) {
      title: String!
      content: String
      likes: Int @merge(as: counter)
      tags: [String] @merge(as: set)
    }
    type Note @model @deletes(wins: update) @auth(rules: [\(notes)]) {
      text: String
      stars: Int @merge(as: counter)\(color)
    }
    type Doc @model @auth(rules: [{ allow: owner, ownerField: "editors" }]) {
      body: String
      editors: [String] @auth(rules: [{ allow: owner, ownerField: "editors" }])
    }
    """
  }
}

/// May this be done? As an authority asks, in the words of the schema.
public struct SimulationQuestion: Sendable {
  public let kind: EventKind
  public let model: String
  public let principal: Principal
  /// What the event gives, by field.
  public let given: [String: FieldOperation]
  /// The record as it is, or as the author had seen it; owner fields hold the owner.
  public let stored: [String: Value]
  /// By the rules of the scenario's next schema.
  public let isNextSchema: Bool
}

extension SimulationQuestion {
  /// The rules of the reference scenario, as a person would tell them.
  fileprivate var isAllowedInFeed: Bool {
    guard principal.provider == .userPools, let subject = principal.subject else { return false }
    func names(_ value: Value?) -> Bool {
      switch value {
      case .string(let name): name.utf8.elementsEqual(subject.utf8)
      case .list(let values): values.contains { names($0) }
      default: false
      }
    }
    func given(_ field: String) -> Value? {
      if case .set(let value)? = self.given[field] { return value }
      return nil
    }
    switch model {
    case "Note":
      // Who may not delete a record may not take a field from it either.
      let takesAway = kind == .update && self.given.values.contains(.set(.null))
      return !isNextSchema || kind != .delete && !takesAway || principal.groups.contains("Admins")
    case "Post":
      switch kind {
      case .create: return names(given("owner"))
      case .update: return names(stored["owner"]) && self.given["owner"] == nil
      case .delete: return names(stored["owner"]) || principal.groups.contains("Admins")
      case .unknown: return false
      }
    case "Doc":
      switch kind {
      case .create: return names(given("editors"))
      case .update, .delete: return names(stored["editors"])
      case .unknown: return false
      }
    default: return false
    }
  }
}
