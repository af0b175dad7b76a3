import Tidemark

/// The chapters on how what was written apart comes together.
extension DemoScenario {
  func concurrentEdits() throws {
    try teller.chapter(
      "Two devices edit one post offline, and converge",
      """
      Neither has seen the other's edit: they are concurrent. Of a field set twice the later stamp
      wins and the loser is listed; counters and sets take both.
      """)
    try write(phone, edit("post-07", "Gulls, and terns", likes: 3, tag: "birds"))
    try write(tablet, edit("post-07", "Gulls at dawn", likes: 2, tag: "dawn"))
    try teller.posts("the phone, alone", phone, ["post-07"])
    try teller.posts("the tablet, alone", tablet, ["post-07"])
    try sync(phone)
    try sync(tablet)
    try sync(phone)
    try teller.posts("both, after they have synced", phone, ["post-07"])
    let post = try phone.record("Post", "post-07")
    teller.check("both show one title", try title(phone, "post-07") == title(tablet, "post-07"))
    teller.check("the likes add up to 5", post?["likes"] == 5)
    teller.check("both tags are there", post?["tags"] == ["birds", "dawn", "sea"])
    teller.check("the title is listed as a conflict", post?.conflicts == ["title"])
  }

  func lawfulBetweenUnlawful() throws {
    try teller.chapter(
      "Lawful work on top of unlawful work survives",
      """
      ben, who does not own post-09, renames it on the tablet. Before anybody judges that, ann, who
      owns it, likes and tags it, on the same tablet. A tombstone takes out one event, not what
      follows.
      """)
    try write(tablet, retitle("post-09", "Ben was here", by: ben))
    try write(tablet, edit("post-09", nil, likes: 7, tag: "wood"))
    try teller.posts("the tablet, before it has synced", tablet, ["post-09"])
    let shown = try tablet.record("Post", "post-09")
    teller.check(
      "the tablet shows both", shown?["title"] == "Ben was here" && shown?["likes"] == 7)
    try sync(tablet)
    try teller.posts("the tablet, after", tablet, ["post-09"])
    let post = try tablet.record("Post", "post-09")
    teller.check("the title is ann's again", post?["title"] == "Driftwood")
    teller.check("her likes are kept", post?["likes"] == 7)
    teller.check("her tag too", post?["tags"] == ["sea", "wood"])
    if let rejection = try tablet.rejections().last {
      try tell([rejection])
      teller.check("the rejection names what was built on it", rejection.dependents.count == 1)
    }
  }

  func sameEverywhere() throws {
    try teller.chapter(
      "The same on all three",
      """
      replay folds each log again from its first event and compares. digest hashes the view and the
      sets behind it, whatever the order in which each store came to know them.
      """)
    for device in [phone, tablet, phone] { try sync(device) }
    try teller.feed("the cloud", cloud, limit: 10)
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
}
