import Tidemark
import TidemarkEvents

/// The posts of the benchmark: the same for every row, from a fixed seed.
struct BenchWorkload: Sendable {
  static let schema = """
    type Post @model @auth(rules: [
      { allow: owner },
      { allow: groups, groups: ["Admins"], operations: [delete, read] },
      { allow: public, operations: [read] },
      { allow: private, operations: [read] }
    ]) {
      title: String!
      text: String
      owner: String
      date: AWSDateTime
      likes: Int @merge(as: counter)
    }

    """
  static let owner = "user-042"

  struct Post: Sendable {
    let id: RecordID
    let title: String
    let text: String
    let date: String
  }

  enum Step: Sendable {
    case create(Int)
    case update(Int)
    case delete(Int)
  }

  let posts: [Post]
  let steps: [Step]

  /// Ten creates to five updates to one delete.
  init(postCount: Int) {
    var state: UInt64 = 0x7469_6465
    // SplitMix64 (Steele, Lea and Flood, 2014).
    func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
    func letters(_ count: Int) -> String {
      String(decoding: (0..<count).map { _ in UInt8(97 + next() % 26) }, as: UTF8.self)
    }
    posts = (0..<postCount).map { index in
      Post(
        id: RecordID(UUIDText.text(next(), next())), title: letters(40), text: letters(200),
        date: "2026-01-31T10:\(10 + index % 50):\(10 + index % 49).000Z")
    }
    var steps = (0..<postCount).map(Step.create)
    steps += (0..<postCount / 2).map { _ in .update(Int(next() % UInt64(postCount))) }
    steps += (0..<postCount / 10).map { .delete($0 * 10) }
    self.steps = steps
  }
}

enum UUIDText {
  static func text(_ high: UInt64, _ low: UInt64) -> String {
    func digits(_ value: UInt64, _ count: Int) -> String {
      let text = String(value, radix: 16)
      return String(repeating: "0", count: max(count - text.count, 0)) + text.suffix(count)
    }
    return [
      digits(high >> 32, 8), digits(high >> 16 & 0xffff, 4), digits(high & 0xffff, 4),
      digits(low >> 48, 4), digits(low & 0xffff_ffff_ffff, 12),
    ].joined(separator: "-")
  }
}
