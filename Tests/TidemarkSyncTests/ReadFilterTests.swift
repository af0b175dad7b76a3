import Testing
import Tidemark
import TidemarkEvents
import TidemarkSync
import TidemarkTesting

private let anna = Principal.user("anna", groups: ["red"])
private let bert = Principal.user("bert", groups: ["blue"])
private let chef = Principal.user("chef", groups: ["Admins"])

/// A device that syncs for principals is given what they may read, more as their rights grow, and less as
/// they shrink.
@Suite struct ReadFilterTests {
  @Test func `a device is given what its principal may read, and the places of the rest`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    _ = try office.cloud.submit([diary("a", "Anna's", pay: "9", by: anna)])
    _ = try office.cloud.submit([diary("b", "Bert's", by: bert)])
    _ = try office.cloud.submit([
      Operation(.create, "Notice", "n", [.init("text", .set("All"))], by: chef)
    ])
    let summary = try Replication.merge(
      from: office.cloud, into: phone, readers: [Credential(anna)])
    #expect(summary.takenCount == 2 && summary.withheldCount == 1)
    #expect(try phone.kinds() == ["create", "withheld", "create"])
    #expect(try differences(phone, office.cloud, as: anna) == [])
    // Fields that may not be read do not come either, nor what else a token says of its bearer.
    #expect(try phone.record("Diary", "a")?["pay"] == nil)
    #expect(try phone.record("Diary", "a")?.owner == "anna")
    let notice = try #require(try phone.history("Notice", "n").first)
    #expect(notice.line.event?.principal == .user("chef"))
    // The sets of events are the same, and the view is a part.
    let (mine, theirs) = (try phone.digest(), try office.cloud.digest())
    #expect(mine.live == theirs.live && mine.void == theirs.void && mine.view != theirs.view)
    #expect(mine.isPartial && !theirs.isPartial)
    #expect(try phone.verify().problems == [] && phone.verify().portionCount == 3)
    #expect(try phone.stats().portionCount == 3)
  }

  @Test func `what is withheld has a place and no more`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    let receipt = try office.cloud.submit([
      diary("b", "Bert's", by: bert),
      Operation(.create, "Notice", "n", [.init("text", .set("All"))], by: bert),
    ])
    try Replication.merge(from: office.cloud, into: phone, readers: [Credential(anna)])
    #expect(try phone.kinds() == ["withheld", "create"])
    let line = try phone.logLine(receipt.dots[0])
    #expect(line.isWithheld && line.status == .accepted && line.model == nil)
    #expect(try phone.explain(receipt.dots[0]).effect == .withheld)
    #expect(try phone.explain(receipt.dots[1]).effect == .live)
    #expect(try phone.history("Diary", "b").isEmpty)
    #expect(try phone.replay().agrees)
    let difference = try phone.difference(from: office.cloud)
    #expect(difference.onlyRight.isEmpty && difference.firstDifference == nil)
    let range = try #require(difference.withheldLeft.first)
    #expect(range.replica == ReplicaID(0xc) && range.firstSeq == 1 && range.lastSeq == 2)
    #expect(difference.withheldRight.isEmpty && difference.records.map(\.id) == ["b"])
  }

  @Test func `rights that grow bring what was withheld, and rights that shrink take it`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    func sync(_ readers: Principal...) throws -> MergeSummary {
      office.clock.advance(by: 10)
      let summary = try Replication.sync(
        phone, office.cloud, readers: readers.map { Credential($0) }
      ).toLeft
      #expect(try phone.verify().problems == [])
      #expect(try phone.replay().agrees)
      let reader = try #require(Principal(credentials: readers))
      #expect(try differences(phone, office.cloud, as: reader) == [])
      return summary
    }
    _ = try office.cloud.submit([diary("b", "Bert's", by: bert)])
    _ = try office.cloud.submit([diary("b", "Bert's again", by: bert, .update)])
    #expect(try sync(anna).withheldCount == 2)
    #expect(try sync(anna).withheldCount == 0)

    // The record's owner changes, and back.
    _ = try office.cloud.submit([diary("b", "Anna's", owner: "anna", by: chef, .update)])
    #expect(try sync(anna).disclosedCount == 2)
    #expect(try phone.history("Diary", "b").map(\.line.dot.seq) == [1, 2, 3])
    _ = try office.cloud.submit([diary("b", "Bert's", owner: "bert", by: chef, .update)])
    #expect(try sync(anna).withheldCount == 4)
    #expect(try phone.records().isEmpty)

    // Anna becomes an admin, and is one no more.
    #expect(try sync(.user("anna", groups: ["Admins"])).disclosedCount == 4)
    #expect(try sync(anna).withheldCount == 4)

    // Somebody else uses the device as well.
    #expect(try sync(anna, bert).disclosedCount == 4)
    #expect(try sync(anna).withheldCount == 4)

    // Other rules.
    try office.cloud.adopt(schema: openOfficeSchema)
    #expect(try sync(anna).disclosedCount == 4)
    try office.cloud.adopt(schema: officeSchema)
    #expect(try sync(anna).withheldCount == 4)

    // Nobody is named any more: the device is given all.
    #expect(try Replication.sync(phone, office.cloud).toLeft.disclosedCount == 4)
    #expect(try phone.digest() == office.cloud.digest())
    #expect(try phone.verify().portionCount == 0)
  }

  @Test func `a device keeps what it wrote, and shows it while it may be read`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    _ = try phone.submit([diary("a", "Mine", pay: "7", by: anna)])
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    #expect(try phone.record("Diary", "a")?["text"] == "Mine")
    office.clock.advance(by: 10)
    _ = try office.cloud.submit([diary("a", "Taken", owner: "bert", by: chef, .update)])
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    #expect(try phone.records().isEmpty)
    // Its own work is in its log, and another authority can have it.
    #expect(try phone.kinds() == ["create", "withheld"])
    let south = try Store.create(
      at: office.directory.path + "/south", schema: officeSchema, role: .authority,
      options: office.clock.options)
    #expect(throws: StoreError.self) { try Replication.merge(from: phone, into: south) }
    #expect(try south.record("Diary", "a")?["text"] == "Mine")
    office.clock.advance(by: 10)
    _ = try office.cloud.submit([diary("a", "Back", owner: "anna", by: chef, .update)])
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    #expect(try phone.record("Diary", "a")?["text"] == "Back")
    #expect(try phone.verify().problems == [])
  }

  @Test func `a store that holds portions gives on what it holds whole`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    let tablet = try office.device("tablet")
    _ = try office.cloud.submit([
      Operation(.create, "Notice", "n", [.init("text", .set("All"))], by: .user("chef"))
    ])
    _ = try office.cloud.submit([diary("b", "Bert's", by: bert)])
    try Replication.merge(from: office.cloud, into: phone, readers: [Credential(anna)])
    let error = #expect(throws: StoreError.self) {
      try Replication.merge(from: phone, into: tablet)
    }
    #expect(error?.code == .early)
    #expect(try tablet.kinds() == ["create"])
    try Replication.merge(from: office.cloud, into: tablet, readers: [Credential(bert)])
    #expect(try differences(tablet, office.cloud, as: bert) == [])
  }

  @Test func `the reason of a refusal is its author's`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    let tablet = try office.device("tablet")
    _ = try office.cloud.submit([diary("a", "Anna's", by: anna)])
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    _ = try Replication.sync(tablet, office.cloud, readers: [Credential(bert)])
    let refused = try tablet.submit([diary("x", "Mine", owner: "anna", by: bert)]).dots[0]
    for _ in 0..<2 {
      _ = try Replication.sync(tablet, office.cloud, readers: [Credential(bert)])
      _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    }
    #expect(try tablet.logLine(refused).reason?.code == "ownerForged")
    #expect(try phone.logLine(refused).reason == Reason(code: "withheld", rule: nil, message: ""))
  }

  @Test func `a credential that has expired brings nothing, and takes nothing away`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    _ = try office.cloud.submit([diary("a", "Anna's", by: anna)])
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    _ = try office.cloud.submit([diary("a2", "Anna's", by: anna)])
    let expired = Credential(anna, expiresMilliseconds: office.clock.milliseconds)
    #expect(try Replication.sync(phone, office.cloud, readers: [expired]).toLeft.takenCount == 0)
    #expect(try phone.records().keys.sorted() == ["Diary a"])
    let bertToo = [expired, Credential(bert)]
    _ = try Replication.sync(phone, office.cloud, readers: bertToo)
    #expect(try phone.records().isEmpty)
    // Another token of the same person is nothing new.
    func token(_ expires: Int64) -> Credential {
      var anna = anna
      anna.claims = [Value.Member("exp", .int(expires))]
      return Credential(anna)
    }
    #expect(
      try Replication.sync(phone, office.cloud, readers: [token(4_000_000_000)]).toLeft
        .disclosedCount == 2)
    #expect(
      try Replication.sync(phone, office.cloud, readers: [token(5_000_000_000)]).toLeft
        .disclosedCount == 0)
  }

  @Test(arguments: [UInt64](1...60))
  func `each device's view is what its principals may read at the authority`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let office = try Office { $0.tuning.pageByteCount = seed % 3 == 0 ? 4 << 20 : 300 }
    let devices = [try office.device("d1"), try office.device("d2"), try office.device("d3")]
    func pick<T>(_ choices: [T]) -> T {
      choices[Int.random(in: 0..<choices.count, using: &random)]
    }
    // What each device syncs for, which changes now and then.
    var readers = [[anna], [bert], [anna, bert]]
    var schema = officeSchema
    for step in 0..<60 {
      office.clock.advance(by: UInt64.random(in: 0...3000, using: &random))
      let place = Int.random(in: 0..<devices.count, using: &random)
      switch Int.random(in: 0..<12, using: &random) {
      case 0:
        readers[place] = pick([
          [anna], [bert], [anna, bert], [chef], [.anonymous], [.user("anna", groups: ["blue"])],
        ])
      case 1:
        schema = pick([officeSchema, openOfficeSchema])
        try office.cloud.adopt(schema: schema)
      case 2:
        // An exchange that is cut off.
        try Self.begin(devices[place], office.cloud, readers[place], pageCount: pick([1, 1, 2, 3]))
      case 3...5:
        _ = try Replication.sync(
          devices[place], office.cloud, readers: readers[place].map { Credential($0) })
        let reader = try #require(Principal(credentials: readers[place]))
        let found = try differences(devices[place], office.cloud, as: reader)
        let problems = try devices[place].verify().problems.map { "\($0.code): \($0.message)" }
        guard found.isEmpty, problems.isEmpty, try devices[place].replay().agrees else {
          Issue.record("seed \(seed), step \(step), device \(place): \(found) \(problems)")
          return
        }
        let (mine, theirs) = (try devices[place].digest(), try office.cloud.digest())
        #expect(mine.live == theirs.live && mine.void == theirs.void, "seed \(seed), step \(step)")
      default:
        let store = pick(devices + [office.cloud])
        let count = pick([1, 1, 2, 3])
        let author = pick([anna, bert, chef, .anonymous])
        let isAhead = pick([0, 0, 0, 0, 1]) == 1
        let at = isAhead ? office.clock.milliseconds + 500_000 : nil
        let operations = (0..<count).map { _ in Self.operation(author, at, pick) }
        _ = try? store.submit(operations)
      }
    }
    // Whoever is given all again has all.
    for device in devices { _ = try Replication.sync(device, office.cloud) }
    #expect(try office.cloud.verify().problems == [], "seed \(seed)")
    for device in devices {
      _ = try Replication.sync(device, office.cloud)
      #expect(try device.digest().live == office.cloud.digest().live, "seed \(seed)")
      #expect(try device.verify().problems == [], "seed \(seed)")
      #expect(try device.digest().portionCount == 0, "seed \(seed)")
      try device.adopt(schema: schema)
      #expect(try device.digest() == office.cloud.digest(), "seed \(seed)")
    }
  }

  private static func operation(
    _ author: Principal, _ at: UInt64?, _ pick: ([Int]) -> Int
  ) -> Tidemark.Operation {
    let model = ["Diary", "Diary", "Task", "Notice"][pick([0, 1, 2, 3])]
    let kind: EventKind = [.create, .create, .update, .update, .update, .delete][
      pick([0, 1, 2, 3, 4, 5])]
    var changes: [Tidemark.Operation.Change] = []
    func text() -> FieldOperation { .set(.string("t\(pick([1, 2, 3, 4, 5]))")) }
    switch model {
    case "Diary":
      changes.append(.init("text", text()))
      if pick([0, 1]) == 0 { changes.append(.init("mood", .add(Int64(pick([1, 2]))))) }
      if pick([0, 1]) == 0 { changes.append(.init("pay", text())) }
      if pick([0, 1, 2]) == 0 {
        changes.append(.init("owner", .set(pick([0, 1]) == 0 ? "anna" : "bert")))
      }
    case "Task":
      if pick([0, 1]) == 0 { changes.append(.init("title", text())) }
      if pick([0, 1]) == 0 {
        let teams: [Value] = [["red"], ["blue"], ["red", "blue"], []][pick([0, 1, 2, 3])]
        changes.append(.init("teams", .set(.list(teams))))
      }
      changes.append(.init("tags", .edit(add: [.string("t\(pick([1, 2]))")], remove: [])))
    default: changes.append(.init("text", text()))
    }
    return Operation(
      kind, model, RecordID("r\(pick([1, 2, 3]))"), kind == .delete ? [] : changes, by: author,
      at: at)
  }

  /// Takes the first pages of what an authority has for a device's readers.
  private static func begin(
    _ device: Store, _ cloud: Store, _ readers: [Principal], pageCount: Int
  ) throws {
    let identity = try cloud.identity
    var cursor = try device.cursor(for: identity.logID)
    let reader = try device.reading(for: readers, of: identity.logID, policy: identity.schema)
    var reviewed: ReviewProgress?
    for number in 0..<pageCount {
      let page = try cloud.page(
        after: cursor, for: try device.knowledge(reader: reader), isContinued: number > 0,
        reviewed: reviewed)
      let outcome = try device.take(page, from: identity.logID)
      #expect(outcome.failure == nil)
      #expect(try device.verify().problems == [])
      (cursor, reviewed) = (page.end, page.reviewed)
      if page.isLast { return }
    }
  }
}
