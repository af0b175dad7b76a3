import Testing
import Tidemark
import TidemarkEvents
import TidemarkSync
import TidemarkTesting

/// Rules under which nearly everybody reads something else: a diary is its owner's and the admins', a task
/// that of the teams that it names, a pay the admins' alone, and a notice everybody's.
let officeSchema = """
  type Diary @model @auth(rules: [{ allow: owner }, { allow: groups, groups: ["Admins"] }]) {
    text: String
    mood: Int @merge(as: counter)
    owner: String @auth(rules: [{ allow: owner }, { allow: groups, groups: ["Admins"] }])
    pay: String @auth(rules: [
      { allow: groups, groups: ["Admins"] }, { allow: owner, operations: [create, update] }
    ])
  }
  type Task @model @deletes(wins: update) @auth(rules: [
    { allow: groups, groupsField: "teams" }, { allow: groups, groups: ["Admins"] }
  ]) {
    title: String
    teams: [String]
    tags: [String] @merge(as: set)
  }
  type Notice @model @auth(rules: [{ allow: private }, { allow: public, operations: [read] }]) {
    text: String
  }
  """

/// The same, and whoever is signed in reads every diary.
let openOfficeSchema = officeSchema.replacing(
  "type Diary @model @auth(rules: [",
  with: "type Diary @model @auth(rules: [{ allow: private, operations: [read] }, ")

/// Stores of one office, with a clock that the test moves.
final class Office {
  let directory: TemporaryDirectory
  let clock = ManualClock(milliseconds: 1_700_000_000_000)
  let cloud: Store

  init(_ tune: (inout StoreOptions) -> Void = { _ in }) throws {
    directory = try TemporaryDirectory()
    var options = clock.options
    tune(&options)
    cloud = try Store.create(
      at: directory.path + "/cloud", schema: officeSchema, role: .authority,
      replica: ReplicaID(0xc), options: options)
  }

  func device(_ name: String) throws -> Store {
    try Store.create(
      at: directory.path + "/" + name, schema: officeSchema, role: .device,
      acceptance: .optimistic, options: clock.options)
  }
}

func diary(
  _ id: RecordID, _ text: String, pay: String? = nil, owner: String? = nil, by principal: Principal,
  _ kind: EventKind = .create
) -> Tidemark.Operation {
  var changes: [Tidemark.Operation.Change] = [.init("text", .set(.string(text)))]
  if let pay { changes.append(.init("pay", .set(.string(pay)))) }
  if let owner { changes.append(.init("owner", .set(.string(owner)))) }
  return Operation(kind, "Diary", id, changes, by: principal)
}

extension Store {
  /// Every record as a principal sees it, or as the store holds it.
  func records(as principal: Principal? = nil) throws -> [String: RecordView] {
    var records: [String: RecordView] = [:]
    try forEachRecord(as: principal) { view in
      records["\(view.model) \(view.id)"] = view
      return true
    }
    return records
  }

  /// The kinds of the lines that a log shows.
  func kinds() throws -> [String] {
    var kinds: [String] = []
    try forEachLogLine { line in
      kinds.append(line.kindName)
      return true
    }
    return kinds
  }
}

/// What a device's view has other than what its principal may read at the authority, in words.
func differences(_ device: Store, _ cloud: Store, as principal: Principal) throws -> [String] {
  let held = try device.records()
  let readable = try cloud.records(as: principal)
  var found: [String] = []
  for key in Set(held.keys).union(readable.keys).sorted() {
    guard let mine = held[key], let theirs = readable[key] else {
      found.append("\(key) is \(held[key] == nil ? "missing" : "too much")")
      continue
    }
    func shown(_ view: RecordView) -> [Value.Member] {
      view.fields.filter { !theirs.hidden.contains($0.name) }
    }
    if shown(mine) != shown(theirs) { found.append("\(key): \(shown(mine)), not \(shown(theirs))") }
    if mine.created != theirs.created || mine.updated != theirs.updated {
      found.append("\(key): created or updated")
    }
    if !theirs.hidden.contains("owner"), mine.owner != theirs.owner {
      found.append("\(key): owner")
    }
    if mine.conflicts.filter({ !theirs.hidden.contains($0) }) != theirs.conflicts {
      found.append("\(key): conflicts")
    }
  }
  return found
}
