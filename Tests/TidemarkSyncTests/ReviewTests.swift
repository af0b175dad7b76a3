import Synchronization
import Testing
import Tidemark
import TidemarkAuthorization
import TidemarkEvents
import TidemarkSync
import TidemarkTesting

private let anna = Principal.user("anna", groups: ["red"])
private let bert = Principal.user("bert", groups: ["blue"])

/// Says what it is told to say.
private final class Door: CustomAuthorizer {
  private let isOpen = Mutex(false)

  func set(_ open: Bool) { isOpen.withLock { $0 = open } }

  func answer(_ question: CustomQuestion) -> CustomAnswer {
    question.operation.isRead && !isOpen.withLock { $0 } ? .denied : .allowed()
  }
}

/// What a device holds is judged anew, whatever it is that changes what may be read.
@Suite struct ReviewTests {
  @Test func `an app's own function is asked at every exchange`() throws {
    let directory = try TemporaryDirectory()
    let door = Door()
    var options = StoreOptions()
    options.customAuthorizer = door
    let schema = "type Safe @model @auth(rules: [{ allow: custom }]) { text: String }"
    let cloud = try Store.create(
      at: directory.path + "/cloud", schema: schema, role: .authority, options: options)
    let phone = try Store.create(at: directory.path + "/phone", schema: schema, options: options)
    let caller = Principal(provider: .function, subject: "f")
    _ = try cloud.submit([
      Operation(.create, "Safe", "s", [.init("text", .set("gold"))], by: caller)
    ])
    for isOpen in [false, true, true, false, true] {
      door.set(isOpen)
      _ = try Replication.sync(phone, cloud, readers: [Credential(caller)])
      #expect(try phone.records().isEmpty == !isOpen)
      #expect(try phone.verify().problems == [])
    }
  }

  @Test func `what another authority refuses is taken from all but its author`() throws {
    let office = try Office()
    let south = try Store.create(
      at: office.directory.path + "/south", schema: openOfficeSchema, role: .authority,
      options: office.clock.options)
    let (annas, berts) = (try office.device("annas"), try office.device("berts"))
    try office.cloud.adopt(schema: openOfficeSchema)
    _ = try annas.submit([diary("a", "Anna's", by: anna)])
    _ = try Replication.sync(annas, office.cloud, readers: [Credential(anna)])
    _ = try Replication.sync(berts, office.cloud, readers: [Credential(bert)])
    #expect(try berts.record("Diary", "a")?["text"] == "Anna's")
    // The south has a record of that id already.
    _ = try south.submit([diary("a", "South's", by: bert)])
    try Replication.merge(from: office.cloud, into: south)
    try Replication.merge(from: south, into: office.cloud)
    #expect(try office.cloud.stats().tombstoneCount > 0)
    for (device, reader) in [(annas, anna), (berts, bert)] {
      _ = try Replication.sync(device, office.cloud, readers: [Credential(reader)])
      #expect(try differences(device, office.cloud, as: reader) == [])
      #expect(try device.verify().problems == [] && device.replay().agrees)
    }
    #expect(try annas.kinds().contains("create") && berts.kinds().contains("withheld"))
    #expect(try annas.rejections().map(\.line.event?.id) == ["a"])
  }

  @Test func `who is anonymous learns which rule refused`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    let refused = try phone.submit([diary("x", "Mine", by: .anonymous)]).dots[0]
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(.anonymous)])
    let reason = try phone.logLine(refused).reason
    #expect(reason?.code == "notSignedIn" && reason?.message == "")
  }

  @Test func `a device for two keeps what one of them wrote while the other asks`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    _ = try phone.submit([diary("a", "Anna's", by: anna)])
    _ = try phone.submit([diary("b", "Bert's", by: bert)])
    let both = [Credential(anna), Credential(bert)]
    _ = try Replication.sync(phone, office.cloud, credentials: both, readers: both)
    #expect(try phone.records().count == 2)
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    #expect(try phone.records().keys.sorted() == ["Diary a"])
    // His work goes on from what he wrote, once he may read it again.
    office.clock.advance(by: 10)
    _ = try Replication.sync(phone, office.cloud, readers: both)
    _ = try phone.submit([diary("b", "Bert's again", by: bert, .update)])
    _ = try Replication.sync(phone, office.cloud, credentials: both, readers: both)
    #expect(try office.cloud.record("Diary", "b")?["text"] == "Bert's again")
    #expect(try phone.verify().problems == [])
  }

  @Test func `a copy of a store that holds portions is whole, and goes on`() throws {
    let office = try Office()
    let phone = try office.device("phone")
    _ = try office.cloud.submit([diary("b", "Bert's", by: bert)])
    _ = try phone.submit([diary("a", "Anna's", by: anna)])
    _ = try Replication.sync(phone, office.cloud, readers: [Credential(anna)])
    try phone.backup(to: office.directory.path + "/copy")
    let copy = try Store.open(
      at: office.directory.path + "/copy", options: office.clock.options)
    #expect(try copy.digest() == phone.digest() && copy.verify().problems == [])
    _ = try copy.submit([diary("a2", "Anna's", by: anna)])
    _ = try Replication.sync(copy, office.cloud, readers: [Credential(bert)])
    #expect(try copy.records().keys.sorted() == ["Diary b"])
    #expect(try differences(copy, office.cloud, as: bert) == [])
  }
}
