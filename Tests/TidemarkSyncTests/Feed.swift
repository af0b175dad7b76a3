import Tidemark
import TidemarkEvents
import TidemarkTesting

/// The reference scenario: anyone reads, owners write their own, `Admins` delete any.
let feedSchema = """
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
  type Note @model @deletes(wins: update) @auth(rules: [
    { allow: private }, { allow: public, operations: [read] }
  ]) {
    text: String
    stars: Int @merge(as: counter)
  }
  """

let ann = Principal.user("ann")
let bob = Principal.user("bob")
let admin = Principal.user("root", groups: ["Admins"])

/// Stores of one scenario, with a clock that the test moves.
final class Feed {
  let directory: TemporaryDirectory
  let clock = ManualClock(milliseconds: 1_700_000_000_000)
  let cloud: Store

  init() throws {
    directory = try TemporaryDirectory()
    cloud = try Store.create(
      at: directory.path + "/cloud", schema: feedSchema, role: .authority,
      replica: ReplicaID(0xc), options: clock.options)
  }

  func device(
    _ name: String, _ acceptance: AcceptanceMode = .optimistic, replica: ReplicaID? = nil
  ) throws -> Store {
    try Store.create(
      at: directory.path + "/" + name, schema: feedSchema, role: .device, acceptance: acceptance,
      replica: replica, options: clock.options)
  }
}

func create(_ id: RecordID, _ title: String, by principal: Principal) -> Tidemark.Operation {
  Operation(.create, "Post", id, [.init("title", .set(.string(title)))], by: principal)
}

func retitle(_ id: RecordID, _ title: String, by principal: Principal) -> Tidemark.Operation {
  Operation(.update, "Post", id, [.init("title", .set(.string(title)))], by: principal)
}

func delete(_ id: RecordID, by principal: Principal) -> Tidemark.Operation {
  Operation(.delete, "Post", id, by: principal)
}

extension Store {
  func titles() throws -> [String: String] {
    var titles: [String: String] = [:]
    try forEachRecord(of: "Post") { view in
      titles[view.id.string] = view["title"]?.stringValue
      return true
    }
    return titles
  }
}
