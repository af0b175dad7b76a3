import Testing
import TidemarkEvents
import TidemarkLMDB
import TidemarkSchema
import TidemarkSync
import TidemarkTesting

@testable import Tidemark

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A history that several devices and an authority wrote under one policy, and policies to try on it.
private struct RandomPolicies {
  var random: SeededGenerator

  mutating func pick<T>(_ choices: [T]) -> T {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &random) == 0 }

  mutating func rules(_ count: Int, isField: Bool) -> String {
    var rules: [String] = []
    for _ in 0..<count {
      var rule = pick([
        "allow: owner", "allow: owner", "allow: owner, ownerField: \"editors\"",
        "allow: groups, groups: [\"Admins\"]", "allow: groups, groupsField: \"team\"",
        "allow: private", "allow: public",
      ])
      if chance(2) {
        let words =
          isField ? ["create", "read", "update", "delete"] : ["create", "update", "delete"]
        rule += ", operations: [\(words.filter { _ in !chance(3) }.joined(separator: ", "))]"
      }
      rules.append("{ \(rule) }")
    }
    return "@auth(rules: [\(rules.joined(separator: ", "))])"
  }

  mutating func schema() -> String {
    var fields = ["title: String", "secret: String", "owner: String", "editors: [String]"]
    for index in fields.indices where chance(4) { fields[index] += " " + rules(1, isField: true) }
    let team = chance(8) ? "" : "team: [String]\n"
    let wins = chance(4) ? "@deletes(wins: update) " : ""
    return """
      type Post @model \(wins)\(rules(1 + Int.random(in: 0..<3, using: &random), isField: false)) {
        \(fields.joined(separator: "\n"))
        \(team)likes: Int @merge(as: counter)
      }
      """
  }

  mutating func operation() -> Tidemark.Operation {
    let principal = pick([
      Principal.user("ann"), .user("ann"), .user("bob"), .user("root", groups: ["Admins"]),
      .user("rob", groups: ["red"]), .anonymous,
    ])
    let kind = pick([EventKind.create, .create, .update, .update, .update, .delete])
    var changes: [Tidemark.Operation.Change] = []
    if kind != .delete {
      for (name, values) in [
        ("title", ["a", "b"]), ("secret", ["s"]), ("owner", ["ann", "bob"]),
      ] where chance(3) {
        changes.append(.init(name, .set(chance(6) ? .null : .string(pick(values)))))
      }
      if chance(4) { changes.append(.init("team", .set(["red"]))) }
      if chance(5) { changes.append(.init("editors", .set(["ann", "bob"]))) }
      if chance(4) { changes.append(.init("likes", .add(1))) }
    }
    return Operation(kind, "Post", RecordID("p\(pick([1, 2, 3]))"), changes, by: principal)
  }
}

private func seeds(default count: Int) -> Int {
  guard let text = unsafe getenv("DRY_RUN_POLICIES") else { return count }
  return Int(unsafe String(cString: text)) ?? count
}

@Suite struct DryRunTests {
  /// What a new authority with the candidate comes to that takes all transactions in the log's order.
  private func reallyReplayed(
    _ source: Store, _ candidate: String, at path: String, _ options: StoreOptions
  ) throws -> [Dot: Reason?] {
    var items: [LogItem] = []
    let schemas = try source.read { tx, snapshot in
      try tx.forEach(snapshot.tables.log, from: 0) { lsn, value in
        switch try LogEntry(value, lsn: lsn) {
        case .transaction(let entry):
          items.append(.transaction(entry.transaction.bytes.toArray(), decision: nil))
        case .rejection:
          if let bytes = try snapshot.tables.quarantine(lsn, tx) {
            items.append(.transaction(bytes, decision: nil))
          }
        case .acceptance, .withdrawal, .adoption, .portion: break
        }
        return true
      }
      return try snapshot.sources(tx)
    }
    let target = try Store.create(
      at: path, schema: candidate, role: .authority, options: options)
    let outcome = try target.take(
      LogPage(schemas: schemas, items: items, end: nil, isLast: true), from: 1)
    if let failure = outcome.failure { throw failure }
    var verdicts: [Dot: Reason?] = [:]
    try target.forEachLogLine { line in
      verdicts[line.dot] = .some(line.reason)
      return true
    }
    return verdicts
  }

  @Test func `dry-run agrees with really replaying under the candidate`() throws {
    let total = seeds(default: 50)
    var compared = 0
    var changed = 0
    for seed in 1...max(1, total / 25) {
      var policies = RandomPolicies(random: SeededGenerator(seed: UInt64(seed)))
      let directory = try TemporaryDirectory()
      let clock = ManualClock(milliseconds: 1_700_000_000_000)
      let base = policies.schema().replacing("team: [String]", with: "")
        .replacing("likes:", with: "team: [String]\nlikes:")
      func store(_ name: String, _ role: StoreRole) throws -> Store {
        try Store.create(
          at: directory.path + "/" + name, schema: base, role: role, acceptance: .optimistic,
          options: clock.options)
      }
      let cloud = try store("cloud", .authority)
      let devices = [try store("phone", .device), try store("tablet", .device)]
      for _ in 0..<30 {
        clock.advance(by: 5)
        let operations = (0..<policies.pick([1, 1, 2])).map { _ in policies.operation() }
        _ = try? policies.pick(devices + [cloud]).submit(operations)
        if policies.chance(4) { _ = try Replication.sync(policies.pick(devices), cloud) }
      }
      for device in devices { _ = try Replication.sync(device, cloud) }
      var was: [Dot: Reason?] = [:]
      try cloud.forEachLogLine { line in
        was[line.dot] = .some(line.reason)
        return true
      }
      for round in 0..<25 {
        let candidate = policies.schema()
        var expected = was
        let run = try cloud.dryRun(schema: candidate) { change in
          changed += 1
          expected[change.dot] = .some(change.reason)
          return true
        }
        #expect(run.unknownCount == 0)
        let real = try reallyReplayed(
          cloud, candidate, at: directory.path + "/candidate\(round)", clock.options)
        compared += 1
        for (dot, reason) in real {
          let told = expected[dot] ?? nil
          guard (told == nil) == (reason == nil) else {
            Issue.record(
              "seed \(seed), round \(round): \(dot): \(String(describing: told)), really \(String(describing: reason)), under\n\(candidate)"
            )
            return
          }
          // Where the verdict stays, the dry run does not tell why.
          guard (was[dot] ?? nil) == nil else { continue }
          #expect(told == reason, "seed \(seed), round \(round): \(dot)")
        }
        #expect(real.count == was.count)
      }
    }
    #expect(compared >= min(total, 25) && changed > compared, "\(changed) of \(compared)")
  }

  @Test func `what waits on a device is told as what the candidate would lose of it`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    _ = try phone.submit([create("p1", "One", by: ann)])
    _ = try Replication.sync(phone, feed.cloud)
    let kept = try phone.submit([retitle("p1", "Two", by: ann)]).dots[0]
    let lost = try phone.submit([delete("p1", by: ann)]).dots[0]
    // Refused under either: the candidate loses nothing that is not lost already.
    _ = try phone.submit([retitle("p1", "Mine", by: bob)])
    // It would have refused the create too, which is done, and stands.
    let candidate = feedSchema.replacing(
      "{ allow: owner }", with: "{ allow: owner, operations: [read, update] }")
    var told: [Dot] = []
    let run = try phone.dryRun(schema: candidate) { change in
      if change.losesPendingWork {
        #expect(change.reason?.code == "notInGroup")
        told.append(change.dot)
      } else {
        #expect(change.was == .accepted && change.reason?.code == "noRule")
      }
      return true
    }
    #expect(told == [lost])
    #expect(run.count.refused == 2 && run.count.lost == 1 && run.byUser["ann"]?.lost == 1)
    #expect(run.byDevice.count == 1 && run.byRule.count == 2)

    // And so it is.
    try feed.cloud.adopt(schema: candidate)
    _ = try Replication.sync(phone, feed.cloud)
    let rejected = try phone.rejections().map(\.line.dot)
    #expect(rejected.contains(lost) && !rejected.contains(kept) && rejected.count == 2)
    #expect(try phone.titles() == ["p1": "Two"])
    #expect(try phone.digest() == feed.cloud.digest())
  }

  @Test func `a store takes another schema, keeps what is pending, and shows what it can`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    _ = try phone.submit([create("p1", "One", by: ann)])
    _ = try Replication.sync(phone, feed.cloud)
    _ = try phone.submit([retitle("p1", "Two", by: ann)])
    let next = feedSchema.replacing("title: String!", with: "title: String!\n    subtitle: String")
      .replacing("@deletes(wins: update)", with: "")
    let before = try phone.identity.schema
    let posts = try phone.model("Post")
    let adoption = try phone.adopt(schema: next)
    #expect(adoption.previous == before && adoption.current != before)
    #expect(adoption.changes.map(\.code) == [.fieldAdded, .deletePolicyChanged])
    // What was looked up before is refused, not misread.
    #expect(throws: StoreError.self) {
      try phone.write(as: ann) { try $0.create(posts, id: "p9") { _ in } }
    }
    _ = try phone.submit([
      Operation(.update, "Post", "p1", [.init("subtitle", .set("new"))], by: ann)
    ])
    #expect(try phone.record("Post", "p1")?["subtitle"] == "new")
    #expect(try phone.verify().problems == [])
    try feed.cloud.adopt(schema: next)
    let exchange = try Replication.sync(phone, feed.cloud)
    #expect(exchange.toRight.takenCount == 2 && exchange.toRight.rejectedCount == 0)
    #expect(try feed.cloud.record("Post", "p1")?["subtitle"] == "new")
    #expect(try phone.digest() == feed.cloud.digest())
    for store in [phone, feed.cloud] {
      #expect(try store.verify().problems == [])
      #expect(try store.replay().agrees)
    }
    let known = try feed.cloud.knownSchemas()
    #expect(known.map(\.isCurrent) == [false, true])
    #expect(known.map { $0.lsn == nil } == [true, false])
    // Decisions name the version that they were made under.
    var policies: [SchemaVersion?] = []
    try feed.cloud.forEachLogLine { line in
      policies.append(line.policy)
      return true
    }
    #expect(policies == [before, adoption.current, adoption.current])
    // Nothing comes twice.
    #expect(try feed.cloud.adopt(schema: next).changes.isEmpty)
    #expect(try Store.open(at: feed.directory.path + "/phone").identity.schema == adoption.current)
  }

  @Test(arguments: [
    ("likes: Int @merge(as: counter)", "likes: Int"),
    ("tags: [String] @merge(as: set)", "tags: [String]"), ("type Post", "type Post @model"),
  ])
  func `a schema that what is stored would not fit is refused and changes nothing`(
    old: String, new: String
  ) throws {
    let feed = try Feed()
    _ = try feed.cloud.submit([create("p1", "One", by: ann)])
    let version = try feed.cloud.identity.schema
    let error = #expect(throws: StoreError.self) {
      try feed.cloud.adopt(schema: feedSchema.replacing(old, with: new))
    }
    #expect(error?.code == .schema)
    #expect(try feed.cloud.identity.schema == version)
    #expect(try feed.cloud.titles() == ["p1": "One"])
  }

  @Test func `rules on other owners and merges that differ fold every record again`() throws {
    let feed = try Feed()
    let phone = try feed.device("phone")
    var given = create("p1", "One", by: ann)
    given.changes.append(.init("content", .set("bob")))
    _ = try feed.cloud.submit([given])
    // So many that the record's state is kept.
    for _ in 0..<6 {
      _ = try feed.cloud.submit([
        Operation(.update, "Post", "p1", [.init("likes", .add(1))], by: ann)
      ])
    }
    _ = try Replication.sync(phone, feed.cloud)
    #expect(try !feed.cloud.can(.update, "Post", "p1", as: bob).isAllowed)
    let next = feedSchema.replacing(
      "{ allow: owner },", with: "{ allow: owner, ownerField: \"content\" }, { allow: owner },")
    let adoption = try feed.cloud.adopt(schema: next)
    #expect(adoption.refoldedCount == 1)
    #expect(try feed.cloud.verify().problems == [])
    #expect(try feed.cloud.record("Post", "p1")?["owner"] == "ann")
    #expect(try feed.cloud.can(.update, "Post", "p1", as: bob).isAllowed)
  }
}

extension String {
  fileprivate func replacing(_ old: String, with new: String) -> String {
    guard let range = firstRange(of: old) else { return self }
    return String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
  }
}
