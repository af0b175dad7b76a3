import Foundation
import Testing
import Tidemark
import TidemarkEvents
import TidemarkLMDB
import TidemarkSync
import TidemarkTesting

private let anna = Principal.user("anna", groups: ["red"])
private let chef = Principal.user("chef", groups: ["Admins"])
/// What may not come to anna says so.
private let mark = "HIDDEN"

/// What is withheld is nowhere on the device and not on the way to it; what is forged is refused; and
/// what is cut off goes on.
@Suite struct WithheldTests {
  @Test(arguments: [UInt64](1...30))
  func `nothing of what may not be read is in the pages or in the device's files`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    let office = try Office { $0.tuning.pageByteCount = seed % 2 == 0 ? 4 << 20 : 500 }
    let phone = try office.device("phone")
    let tablet = try office.device("tablet")
    func pick<T>(_ choices: [T]) -> T {
      choices[Int.random(in: 0..<choices.count, using: &random)]
    }
    var count = 0
    func marked(_ word: String) -> String {
      count += 1
      return "\(mark)-\(word)-\(count)"
    }
    var bert = Principal.user("\(mark)-bert", groups: ["\(mark)-team"])
    bert.username = "\(mark)-name"
    bert.claims = [Value.Member("email", .string("\(mark)-mail"))]
    var clerk = bert
    clerk.subject = "clerk"
    for _ in 0..<40 {
      office.clock.advance(by: 10)
      let diaryID = RecordID("\(mark)-id\(pick([1, 2, 3]))")
      let kind = pick([EventKind.create, .update, .update, .delete])
      switch pick([0, 1, 2, 3, 4, 5, 6, 7]) {
      case 0:
        var operation = diary(diaryID, marked("text"), pay: marked("pay"), by: bert, kind)
        operation.transactionLabel = marked("label")
        if kind == .delete { operation.changes = [] }
        _ = try? pick([tablet, office.cloud]).submit([operation])
      case 1:
        // What anna may read of it has its own text; the whole is of no one.
        let notice = Operation(
          .create, "Notice", RecordID("n\(count)"), [.init("text", .set(.string("open \(count)")))],
          by: clerk)
        count += 1
        _ = try? office.cloud.submit([notice, diary(diaryID, marked("text"), by: bert, .update)])
      case 2:
        _ = try? tablet.submit([
          Operation(.create, "Notice", RecordID("n\(count)"), [.init("text", .set("x"))], by: clerk)
        ])
        count += 1
      case 3:
        // A field of anna's own record that she may not read.
        _ = try? office.cloud.submit([
          Operation(.update, "Diary", "a", [.init("pay", .set(.string(marked("pay"))))], by: chef)
        ])
      case 4:
        // Refused: somebody else's record, an id and a reason that are nobody's business.
        var operation = diary("a", marked("text"), owner: marked("owner"), by: bert, .update)
        operation.transactionLabel = marked("label")
        _ = try? tablet.submit([operation])
      case 5:
        _ = try? tablet.submit([
          Operation(
            kind, "Task", RecordID(marked("task")),
            kind == .delete
              ? [] : [.init("title", .set(.string(marked("title")))), .init("teams", .set([]))],
            by: chef)
        ])
      case 6: _ = try Replication.sync(tablet, office.cloud)
      default:
        _ = try? phone.submit([diary("a", "mine \(count)", by: anna, pick([.create, .update]))])
        try check(office.cloud, phone, seed)
        _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
      }
    }
    _ = try Replication.sync(tablet, office.cloud)
    try check(office.cloud, phone, seed)
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    #expect(try differences(phone, office.cloud, as: anna) == [], "seed \(seed)")
    #expect(try phone.verify().problems == [], "seed \(seed)")
    phone.close()
    let directory = office.directory.path + "/phone"
    for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))
      #expect(bytes.range(of: Data(mark.utf8)) == nil, "seed \(seed): in \(name)")
    }
  }

  /// The pages that the phone would be given.
  private func check(_ cloud: Store, _ phone: Store, _ seed: UInt64) throws {
    let identity = try cloud.identity
    var cursor = try phone.cursor(for: identity.logID)
    let reader = try phone.reading(for: [anna], of: identity.logID, policy: identity.schema)
    let knowledge = try phone.knowledge(reader: reader)
    var reviewed: ReviewProgress?
    while true {
      let page = try cloud.page(after: cursor, for: knowledge, reviewed: reviewed)
      for item in page.items {
        var text = String(reflecting: item)
        if case .transaction(let bytes, _) = item { text = String(decoding: bytes, as: UTF8.self) }
        #expect(!text.contains(mark), "seed \(seed): \(text)")
      }
      (cursor, reviewed) = (page.end, page.reviewed)
      if page.isLast { return }
    }
  }

  // MARK: Forgeries

  /// A phone that holds a portion of each of two transactions of bert's: of the first nothing, of the
  /// second its notice.
  private func withheld() throws -> (Office, phone: Store, whole: [(Portion, [UInt8])]) {
    let office = try Office()
    let phone = try office.device("phone")
    let bert = Principal.user("bert")
    _ = try office.cloud.submit([diary("b", "Bert's", by: bert)])
    _ = try office.cloud.submit([
      Operation(.create, "Notice", "n", [.init("text", .set("All"))], by: bert),
      diary("b", "Bert's again", by: bert, .update),
    ])
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    let other = try office.device("other")
    func items(_ readers: [Principal]?) throws -> [LogItem] {
      let identity = try office.cloud.identity
      let reader = try other.reading(for: readers, of: identity.logID, policy: identity.schema)
      return try office.cloud.page(after: nil, for: other.knowledge(reader: reader)).items
    }
    let whole = zip(try items([anna]), try items(nil)).compactMap { part, all in
      if case .portion(let portion, _) = part, case .transaction(let bytes, _) = all {
        return (portion, bytes)
      }
      return nil
    }
    #expect(whole.count == 2)
    return (office, phone, whole)
  }

  private func give(_ store: Store, _ item: LogItem) throws -> PageOutcome {
    try store.take(LogPage(schemas: [], items: [item], end: nil, isLast: true), from: 77)
  }

  private func decision(_ office: Office) throws -> DecisionRecord {
    DecisionRecord(
      policy: try office.cloud.identity.schema, stamp: .zero, authority: ReplicaID(0xc), clamps: [])
  }

  @Test func `an authority takes no portion`() throws {
    let (office, _, whole) = try withheld()
    let south = try Store.create(
      at: office.directory.path + "/south", schema: officeSchema, role: .authority,
      options: office.clock.options)
    for (portion, _) in whole {
      let item = LogItem.portion(portion, decision: try decision(office))
      for store in [south, office.cloud] {
        let before = try store.digest()
        let error = #expect(throws: StoreError.self) { try give(store, item) }
        #expect(error?.code == .corrupt)
        #expect(try store.digest() == before && store.verify().problems == [])
      }
    }
  }

  @Test func `what fills a place has the hash that came for it`() throws {
    let (office, phone, whole) = try withheld()
    let digest = try phone.digest()
    let decision = try decision(office)
    for (portion, bytes) in whole {
      // Another content, under the hash that is known: the checksums are right, the hash is not.
      let reader = try TransactionReader(bytes.rawBytes)
      var events = try reader.events()
      let last = events.removeLast()
      let changes = [FieldChange(field: 0, operation: .set("Forged"))]
      events.append(
        Event(
          stamp: last.stamp, kind: last.kind, model: last.model, id: last.id,
          principal: last.principal, changes: changes))
      var forged = ByteWriter(capacity: 512)
      try encodeTransaction(reader.header, events, after: .zero, into: &forged)
      var pasted = forged.toArray()
      pasted.replaceSubrange((pasted.count - 32)..., with: bytes.suffix(32))
      for other in [forged.toArray(), pasted] {
        let outcome = try give(phone, .transaction(other, decision: decision))
        #expect(outcome.failure?.code == .fork && outcome.failedDot == portion.header.firstDot)
      }
    }
    #expect(try phone.digest() == digest && phone.verify().problems == [])
    for (_, bytes) in whole {
      #expect(try give(phone, .transaction(bytes, decision: decision)).disclosedCount > 0)
    }
    #expect(try phone.record("Diary", "b")?["text"] == "Bert's again")
    #expect(try phone.digest() == office.cloud.digest() && phone.verify().problems == [])
  }

  @Test func `a portion says nothing else than what is known of its transaction`() throws {
    let (office, phone, whole) = try withheld()
    let digest = try phone.digest()
    let decision = try decision(office)
    let portion = whole[1].0
    let known = try #require(portion.entries.first)
    func changed(
      _ header: TransactionHeader? = nil, hash: TransactionHash? = nil, lastStamp: Stamp? = nil,
      entries: [Portion.Entry]? = nil
    ) -> Portion {
      Portion(
        header: header ?? portion.header, hash: hash ?? portion.hash,
        lastStamp: lastStamp ?? portion.lastStamp, entries: entries ?? portion.entries)
    }
    func event(
      stamp: Stamp? = nil, id: RecordID? = nil, changes: [FieldChange]? = nil
    ) -> Event {
      Event(
        stamp: stamp ?? known.event.stamp, kind: known.event.kind, model: known.event.model,
        id: id ?? known.event.id, principal: known.event.principal,
        changes: changes ?? known.event.changes)
    }
    let forged = [FieldChange(field: 0, operation: .set("Forged"))]
    let later = Stamp(rawValue: portion.lastStamp.rawValue + 1)
    let forks = [
      changed(hash: .zero), changed(lastStamp: later),
      changed(entries: [.init(index: 0, event: event(id: "m"))]),
      changed(entries: [.init(index: 0, event: event(changes: forged))]),
      changed(
        TransactionHeader(
          replica: portion.header.replica, firstSeq: portion.header.firstSeq, eventCount: 3,
          schema: portion.header.schema, firstStamp: portion.header.firstStamp,
          contextChange: portion.header.contextChange, label: nil, principals: [])),
    ]
    for portion in forks {
      let outcome = try give(phone, .portion(portion, decision: decision))
      #expect(outcome.failure?.code == .fork)
    }
    let malformed = [
      changed(entries: [.init(index: 2, event: known.event)]),
      changed(entries: [known, known]),
      changed(entries: [.init(index: 1, event: known.event)]),
      changed(entries: [.init(index: 0, event: event(stamp: later))]),
      changed(entries: [.init(index: 0, event: event(changes: forged + forged))]),
      changed(entries: [.init(index: 0, event: event(id: ""))]),
    ]
    for portion in malformed {
      let error = #expect(throws: StoreError.self) {
        try give(phone, .portion(portion, decision: decision))
      }
      #expect(error?.code == .corrupt)
    }
    #expect(try phone.digest() == digest && phone.verify().problems == [])
  }

  @Test func `a chain through a forged place breaks at the next transaction that is whole`() throws
  {
    let (office, phone, whole) = try withheld()
    let other = try office.device("third")
    let portion = whole[0].0
    let forged = Portion(
      header: portion.header, hash: TransactionHash(of: [1].rawBytes),
      lastStamp: portion.lastStamp, entries: [])
    #expect(try give(other, .portion(forged, decision: try decision(office))).failure == nil)
    let error = #expect(throws: StoreError.self) {
      try Replication.merge(from: office.cloud, into: other)
    }
    #expect(error?.code == .fork)
    #expect(try phone.verify().problems == [])
  }

  // MARK: What is cut off

  /// A phone in memory is filled page by page while rights change, and ends after any of them, also in
  /// the middle of one.
  @Test(arguments: [UInt64](1...25))
  func `a device that ends in the middle of an exchange goes on`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let office = try Office { $0.tuning.pageByteCount = 400 }
    let bert = Principal.user("bert", groups: ["blue"])
    let memory = StoreMemory()
    var options = office.clock.options
    options.memory = memory
    var phone = try Store.create(at: "phone", schema: officeSchema, options: options)
    let readers = [[anna], [bert], [chef], [anna, bert]]
    for step in 0..<25 {
      func write(_ count: Int) throws {
        for _ in 0..<count {
          office.clock.advance(by: 10)
          let owner = Bool.random(using: &random) ? "anna" : "bert"
          let id = RecordID("d\(Int.random(in: 1...4, using: &random))")
          let kind: EventKind = try office.cloud.record("Diary", id) == nil ? .create : .update
          _ = try office.cloud.submit([
            diary(id, "t\(step)", pay: "p", owner: owner, by: chef, kind)
          ])
        }
      }
      try write(Int.random(in: 0...4, using: &random))
      let reader = try #require(readers.randomElement(using: &random))
      let identity = try office.cloud.identity
      var cursor = try phone.cursor(for: identity.logID)
      let asked = try phone.reading(for: reader, of: identity.logID, policy: identity.schema)
      var reviewed: ReviewProgress?
      let last = Int.random(in: 0...6, using: &random)
      for number in 0... {
        let knowledge = try phone.knowledge(reader: asked)
        let page = try office.cloud.page(
          after: cursor, for: knowledge, isContinued: number > 0, reviewed: reviewed)
        if number == last, Bool.random(using: &random) {
          // What stands at the end is refused, and nothing of the page is taken.
          let broken = LogPage(
            schemas: page.schemas, items: page.items + [.transaction([1], decision: nil)],
            end: page.end, isLast: false)
          #expect(throws: StoreError.self) { try phone.take(broken, from: identity.logID) }
          break
        }
        _ = try phone.take(page, from: identity.logID)
        (cursor, reviewed) = (page.end, page.reviewed)
        if number == last || page.isLast { break }
        // What may be read changes between two pages.
        try write(Int.random(in: 0...1, using: &random))
        if Int.random(in: 0..<8, using: &random) == 0 {
          try office.cloud.adopt(schema: [officeSchema, openOfficeSchema][step % 2])
        }
      }
      phone.abandon()
      phone = try Store.open(at: "phone", options: options)
      let problems = try phone.verify().problems
      guard problems.isEmpty, try phone.replay().agrees else {
        Issue.record("seed \(seed), step \(step): \(problems)")
        return
      }
      if Bool.random(using: &random) {
        _ = try Replication.sync(phone, office.cloud, readers: reader.map { Credential($0) })
        let found = try differences(
          phone, office.cloud, as: try #require(Principal(credentials: reader)))
        #expect(found == [], "seed \(seed), step \(step)")
      }
    }
    _ = try Replication.sync(phone, office.cloud)
    try phone.adopt(schema: office.cloud.schema.source)
    #expect(try phone.digest() == office.cloud.digest(), "seed \(seed)")
  }
}
