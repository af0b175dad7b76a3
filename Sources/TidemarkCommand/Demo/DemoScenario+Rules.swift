import Tidemark

/// The chapters on who may do what.
extension DemoScenario {
  func fillFeed() throws {
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
    try teller.feed("the phone", phone)
    teller.check("nothing has reached the cloud yet", try count(cloud) == 0)
    try sync(phone)
    try sync(tablet)
    teller.check("after a sync the cloud has all ten", try count(cloud) == 10)
    teller.check("and so has the tablet", try count(tablet) == 10)
  }

  func signedOut() throws {
    try teller.chapter(
      "Logged out: shown at once, then undone",
      """
      The phone writes without asking, so its user sees the change. The cloud refuses it and
      leaves a tombstone, which takes the event out of every view as if it had never been.
      """)
    try write(phone, post("post-11", "Written by nobody", by: .anonymous))
    try write(phone, Operation(.delete, "Post", "post-01", by: .anonymous))
    try teller.posts("the phone, before it has synced", phone, ["post-01", "post-11"])
    teller.check("the phone shows the new post", try title(phone, "post-11") == "Written by nobody")
    teller.check("and post-01 no more", try title(phone, "post-01") == nil)
    try sync(phone)
    try teller.posts("the phone, after", phone, ["post-01", "post-11"])
    teller.check("after a sync the new post is gone", try title(phone, "post-11") == nil)
    teller.check("and post-01 is back", try title(phone, "post-01") == "Morning tide")
    let rejections = try phone.rejections()
    teller.check("the phone was told of both", rejections.count == 2)
    try tell(rejections)
  }

  func ownersOnly() throws {
    try teller.chapter(
      "A user edits and deletes her own, and not another's",
      """
      post-03 and post-05 are ann's, post-02 is ben's. Her lawful work is not lost with the rest:
      each transaction is judged on its own.
      """)
    try write(phone, retitle("post-03", "A storm warning, now over", by: ann))
    try write(phone, Operation(.delete, "Post", "post-05", by: ann))
    try write(phone, retitle("post-02", "Ann was here", by: ann))
    try teller.posts("the phone, before it has synced", phone, ["post-02", "post-03", "post-05"])
    teller.check("ben's post shows her title", try title(phone, "post-02") == "Ann was here")
    try sync(phone)
    try teller.posts("the phone, after", phone, ["post-02", "post-03", "post-05"])
    teller.check("her own edit stays", try title(phone, "post-03") == "A storm warning, now over")
    teller.check("her own delete too", try title(phone, "post-05") == nil)
    teller.check("ben's title is his again", try title(phone, "post-02") == "Low water at noon")
    try tell(Array(try phone.rejections().suffix(1)))
  }

  func adminDeletes() throws {
    try teller.chapter(
      "An admin deletes any",
      """
      eve owns nothing here and is one of the Admins: the rule of that group names delete and read,
      and nothing else.
      """)
    try write(tablet, Operation(.delete, "Post", "post-04", by: admin))
    try write(tablet, retitle("post-06", "Not hers to edit", by: admin))
    try sync(tablet)
    try sync(phone)
    try teller.posts("the phone, after both have synced", phone, ["post-04", "post-06"])
    teller.check("post-04 is gone, also from the phone", try title(phone, "post-04") == nil)
    teller.check(
      "but admins may not edit: post-06 is as it was",
      try title(tablet, "post-06") == "The old lighthouse")
    try tell(try tablet.rejections())
  }
}
