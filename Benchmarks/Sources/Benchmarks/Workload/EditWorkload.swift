import CPeers
import Foundation

/// What two replicas of one set of posts write apart: edits of titles, which conflict where both
/// edit one post. A batch is a transaction of 1000.
final class EditWorkload: Sendable {
  struct Edit: Sendable {
    let post: Int
    let title: String
  }

  /// The posts that both have at first.
  let base: Workload
  /// What the foreign replica writes, and what the local one does before it hears of that.
  let foreign: [Edit]
  let local: [Edit]

  init(baseCount: Int, foreignCount: Int, localCount: Int) {
    base = Workload(creates: baseCount, updates: 0, deletes: 0)
    foreign = EditWorkload.edits(foreignCount, of: baseCount, stream: 1)
    local = EditWorkload.edits(localCount, of: baseCount, stream: 2)
  }

  private static func edits(_ count: Int, of postCount: Int, stream: UInt64) -> [Edit] {
    var generator = SeededGenerator(seed: Workload.seed &+ 1, stream: stream)
    return (0..<count).map { _ in
      let post = Int.random(in: 0..<postCount, using: &generator)
      let title = PostBytes.text(PEER_POST_TITLE, &generator)
      return Edit(post: post, title: String(decoding: title, as: UTF8.self))
    }
  }

  /// Writes it where a program in another language reads it: each edit as the 32-bit place of its
  /// post and 40 bytes of title.
  func write(to directory: String) throws {
    try base.write(to: directory)
    for (name, edits) in [("foreign", foreign), ("local", local)] {
      var bytes = Data()
      for edit in edits {
        withUnsafeBytes(of: UInt32(edit.post).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: edit.title.utf8)
      }
      try bytes.write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
  }
}
