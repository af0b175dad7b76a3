import Tidemark

/// Tells the demo's story, and checks it: a claim that does not hold is counted and shown.
final class Teller {
  private let isQuiet: Bool
  private(set) var checkCount = 0
  private(set) var failureCount = 0
  private var chapterCount = 0

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
  }

  func chapter(_ title: String, _ why: String) throws {
    chapterCount += 1
    say("")
    say(Text.bold("\(chapterCount). \(title)"))
    for line in why.split(separator: "\n") { say(Text.dim("   \(line)")) }
    try Output.flush()
  }

  func say(_ text: String) {
    if !isQuiet { Output.text(text) }
  }

  /// Something that must be true.
  func check(_ claim: String, _ holds: Bool) {
    checkCount += 1
    if holds {
      say("   \(Text.green("✓")) \(claim)")
    } else {
      failureCount += 1
      say("   \(Text.red("✗")) \(claim): it is not so")
    }
  }

  /// A store's feed, a line a post.
  func feed(_ name: String, _ store: Store, limit: Int = 4) throws {
    var count = 0
    var lines: [String] = []
    try store.forEachRecord(of: "Post") { post in
      count += 1
      if lines.count < limit { lines.append(line(post.id, post)) }
      return true
    }
    say("   \(name) shows \(count) \(count == 1 ? "post" : "posts"):")
    for line in lines { say(line) }
    if count > lines.count { say("     … and \(count - lines.count) more") }
  }

  /// Some posts as a store shows them, also those that it does not.
  func posts(_ name: String, _ store: Store, _ ids: [RecordID]) throws {
    say("   \(name):")
    for id in ids { say(line(id, try store.record("Post", id))) }
  }

  private func line(_ id: RecordID, _ post: RecordView?) -> String {
    guard let post else { return "     \(Text.padded(id.string, to: 9)) \(Text.dim("not there"))" }
    var tags: [String] = []
    if case .list(let values)? = post["tags"] { tags = values.map { "#\($0.text)" } }
    let cells = [
      Text.padded(id.string, to: 9),
      Text.padded(Text.shortened(post["title"]?.text ?? "", to: 28), to: 28),
      Text.padded(post.owner?.text ?? "nobody", to: 7),
      Text.padded(post["likes"].map { "♥ \($0.text)" } ?? "", to: 4),
      tags.joined(separator: " "),
      post.conflicts.isEmpty
        ? "" : Text.yellow("⚡ conflict on \(post.conflicts.joined(separator: ", "))"),
    ]
    let text = cells.joined(separator: " ")
    return "     " + String(text.reversed().drop { $0 == " " }.reversed())
  }
}
