import Tidemark
import TidemarkSync

/// The reference scenario: a feed that anyone reads, whose owners write their own posts and whose
/// `Admins` delete any, on a cloud and two devices.
final class DemoScenario {
  static let schema = """
    type Post @model @deletes(wins: delete) @auth(rules: [
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

    """

  let directory: String
  let teller: Teller
  let cloud: Store
  let phone: Store
  let tablet: Store
  private let ann = Principal.user("ann")
  private let ben = Principal.user("ben")
  private let admin = Principal.user("eve", groups: ["Admins"])

  init(_ directory: String, teller: Teller) throws {
    self.directory = directory
    self.teller = teller
    func make(_ name: String, _ role: StoreRole) throws -> Store {
      try Store.create(
        at: "\(directory)/\(name)", schema: DemoScenario.schema, role: role, acceptance: .optimistic
      )
    }
    try Directories.make(directory)
    cloud = try make("cloud", .authority)
    phone = try make("phone", .device)
    tablet = try make("tablet", .device)
  }

  func run() throws {
    teller.say(
      "A feed on three stores: the \(Text.bold("cloud")) decides, \(Text.bold("phone")) and \(Text.bold("tablet")) write offline."
    )
    teller.say(
      "The rules: anyone reads; who is signed in writes posts of their own; Admins delete any.")
    try fillFeed()
    try signedOut()
    try ownersOnly()
    try adminDeletes()
    try concurrentEdits()
    try lawfulBetweenUnlawful()
    try sameEverywhere()
  }

  // MARK: - Chapters

  private func fillFeed() throws {
    try teller.chapter(
      "Ten posts, written on the phone",
      """
      Every write is an event in the phone's log, at once and offline. The feed is what the
      events fold to. The cloud hears of them at the next sync, and accepts what its rules allow.
      """)
    let titles = [
      "Morning tide", "Low water at noon", "A storm warning", "Shells of the week",
      "How to read a chart", "The old lighthouse", "Gulls", "Night swimming", "Driftwood",
      "What the sea brought",
    ]
    for (index, title) in titles.enumerated() {
      let number = index + 1
      try write(
        phone,
        Operation(
          .create, "Post", RecordID("post-\(number < 10 ? "0" : "")\(number)"),
          [
            .init("title", .set(.string(title))), .init("likes", .add(0)),
            .init("tags", .edit(add: ["sea"], remove: [])),
          ], by: index % 2 == 0 ? ann : ben))
    }
    try teller.feed("phone", phone)
    teller.check("nothing has reached the cloud yet", try count(cloud) == 0)
    try sync(phone)
    try sync(tablet)
    teller.check("after a sync the cloud has all ten", try count(cloud) == 10)
    teller.check("and so has the tablet", try count(tablet) == 10)
  }

  private func signedOut() throws {
    try teller.chapter(
      "Logged out: shown at once, then undone",
      """
      The phone writes without asking, so its user sees the change. The cloud refuses it and
      leaves a tombstone, which takes the event out of every view as if it had never been.
      """)
    try write(phone, post("post-11", "Written by nobody", by: .anonymous))
    try write(phone, Operation(.delete, "Post", "post-01", by: .anonymous))
    teller.check("the phone shows the new post", try title(phone, "post-11") == "Written by nobody")
    teller.check("and post-01 no more", try title(phone, "post-01") == nil)
    try sync(phone)
    teller.check("after a sync the new post is gone", try title(phone, "post-11") == nil)
    teller.check("and post-01 is back", try title(phone, "post-01") == "Morning tide")
    let rejections = try phone.rejections()
    teller.check("the phone was told of both", rejections.count == 2)
    try tell(rejections)
  }

  private func ownersOnly() throws {
    try teller.chapter(
      "A user edits and deletes her own, and not another's",
      """
      post-03 and post-05 are ann's, post-02 is ben's. Her lawful work is not lost with the rest:
      each transaction is judged on its own.
      """)
    try write(phone, retitle("post-03", "A storm warning, now over", by: ann))
    try write(phone, Operation(.delete, "Post", "post-05", by: ann))
    try write(phone, retitle("post-02", "Ann was here", by: ann))
    teller.check("the phone shows all three at once", try title(phone, "post-02") == "Ann was here")
    try sync(phone)
    teller.check("her own edit stays", try title(phone, "post-03") == "A storm warning, now over")
    teller.check("her own delete too", try title(phone, "post-05") == nil)
    teller.check("ben's title is his again", try title(phone, "post-02") == "Low water at noon")
    try tell(Array(try phone.rejections().suffix(1)))
  }

  private func adminDeletes() throws {
    try teller.chapter(
      "An admin deletes any",
      """
      eve owns nothing here, and is one of the Admins.
      """)
    try write(tablet, Operation(.delete, "Post", "post-04", by: admin))
    try write(tablet, retitle("post-06", "Not hers to edit", by: admin))
    try sync(tablet)
    try sync(phone)
    teller.check("post-04 is gone, also from the phone", try title(phone, "post-04") == nil)
    teller.check(
      "but admins may not edit: post-06 is as it was",
      try title(tablet, "post-06") == "The old lighthouse")
    try tell(try tablet.rejections())
  }

  private func concurrentEdits() throws {
    try teller.chapter(
      "Two devices edit one post offline, and converge",
      """
      Neither has seen the other's edit: they are concurrent. Of a field set twice the later stamp
      wins and the loser is listed; counters and sets take both.
      """)
    try write(phone, edit("post-07", "Gulls, and terns", likes: 3, tag: "birds"))
    try write(tablet, edit("post-07", "Gulls at dawn", likes: 2, tag: "dawn"))
    try sync(phone)
    try sync(tablet)
    try sync(phone)
    try teller.feed("phone", phone, limit: 5)
    let post = try phone.record("Post", "post-07")
    teller.check("both show one title", try title(phone, "post-07") == title(tablet, "post-07"))
    teller.check("the likes add up to 5", post?["likes"] == 5)
    teller.check("both tags are there", post?["tags"] == ["birds", "dawn", "sea"])
    teller.check("the title is listed as a conflict", post?.conflicts == ["title"])
  }

  private func lawfulBetweenUnlawful() throws {
    try teller.chapter(
      "Lawful work on top of unlawful work survives",
      """
      ben, who does not own post-09, renames it on the tablet. Before anybody judges that, ann, who
      owns it, likes and tags it, on the same tablet. A tombstone takes out one event, not what follows.
      """)
    try write(tablet, retitle("post-09", "Ben was here", by: ben))
    try write(tablet, edit("post-09", nil, likes: 7, tag: "wood"))
    teller.check("the tablet shows both", try title(tablet, "post-09") == "Ben was here")
    try sync(tablet)
    let post = try tablet.record("Post", "post-09")
    teller.check("the title is ann's again", post?["title"] == "Driftwood")
    teller.check("her likes are kept", post?["likes"] == 7)
    teller.check("her tag too", post?["tags"] == ["sea", "wood"])
    if let rejection = try tablet.rejections().last {
      try tell([rejection])
      teller.check("the rejection names what was built on it", rejection.dependents.count == 1)
    }
  }

  private func sameEverywhere() throws {
    try teller.chapter(
      "The same on all three",
      """
      replay folds each log again from its first event and compares. digest hashes the view and the
      sets behind it, whatever the order in which each store came to know them.
      """)
    for device in [phone, tablet, phone] { try sync(device) }
    let digest = try cloud.digest()
    for (name, store) in [("cloud", cloud), ("phone", phone), ("tablet", tablet)] {
      let replay = try store.replay()
      teller.check(
        "\(name): \(replay.eventCount) live events give the stored view again", replay.agrees)
      teller.check("\(name): every check passes", try store.verify().isSound)
      teller.check("\(name): digest \(digest.view.prefix(16))…", try store.digest() == digest)
    }
    teller.say("")
    teller.say("The stores are in \(directory). Try:")
    if let dot = try tablet.rejections().last?.line.dot {
      teller.say("  tidemark explain \(directory)/tablet \(dot)")
    }
    teller.say("  tidemark history \(directory)/phone Post post-07")
    teller.say("  tidemark log \(directory)/cloud")
  }

  // MARK: - What the chapters do

  private func write(_ store: Store, _ operation: Tidemark.Operation) throws {
    _ = try store.submit([operation])
  }

  private func sync(_ device: Store) throws { _ = try Replication.sync(device, cloud) }

  private func post(_ id: RecordID, _ title: String, by principal: Principal) -> Tidemark.Operation
  {
    Operation(.create, "Post", id, [.init("title", .set(.string(title)))], by: principal)
  }

  private func retitle(
    _ id: RecordID, _ title: String, by principal: Principal
  ) -> Tidemark.Operation {
    Operation(.update, "Post", id, [.init("title", .set(.string(title)))], by: principal)
  }

  private func edit(
    _ id: RecordID, _ title: String?, likes: Int64, tag: String
  ) -> Tidemark.Operation {
    var changes: [Tidemark.Operation.Change] = [
      .init("likes", .add(likes)), .init("tags", .edit(add: [.string(tag)], remove: [])),
    ]
    if let title { changes.append(.init("title", .set(.string(title)))) }
    return Operation(.update, "Post", id, changes, by: ann)
  }

  private func count(_ store: Store) throws -> Int {
    var count = 0
    try store.forEachRecord(of: "Post") { _ in
      count += 1
      return true
    }
    return count
  }

  private func title(_ store: Store, _ id: RecordID) throws -> String? {
    try store.record("Post", id)?["title"]?.text
  }

  private func tell(_ rejections: [Rejection]) throws {
    for rejection in rejections {
      let event = rejection.line.event
      teller.say(
        "   \(Text.yellow("rejected")) \(rejection.line.mark) \(event.map { "\($0.kind) of \($0.id)" } ?? "") by \(event?.principal.name ?? "")"
      )
      teller.say("     \(rejection.line.reason?.message ?? "")")
      teller.say(
        "     reason \(rejection.line.reason?.code ?? ""), rule \(rejection.line.reason?.rule ?? "none")"
      )
    }
  }
}
