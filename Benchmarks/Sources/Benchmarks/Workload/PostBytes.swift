import CPeers

/// Makes the bytes of one post: id 36, title 40, text 200, owner 8, date 24, and its 16-byte key.
///
/// All posts are of one owner: a device has one user, and the rules let an owner alone change a
/// post.
enum PostBytes {
  static let owner = "ann-2026"
  private static let letters = Array("abcdefghijklmnopqrstuvwxyz     ,".utf8)
  private static let digits = Array("0123456789abcdef".utf8)

  /// Appends the post of a number, the same on every call with the same seed.
  static func append(
    _ number: UInt64, seed: UInt64, posts: inout [UInt8], keys: inout [UInt8]
  ) {
    var generator = SeededGenerator(seed: seed, stream: number)
    appendID(&generator, &posts, &keys)
    posts.append(contentsOf: text(PEER_POST_TITLE + PEER_POST_TEXT, &generator))
    posts.append(contentsOf: owner.utf8)
    appendDate(&generator, &posts)
  }

  /// A random UUID, version 4.
  private static func appendID(
    _ generator: inout SeededGenerator, _ posts: inout [UInt8], _ keys: inout [UInt8]
  ) {
    let high = generator.next() & 0xffff_ffff_ffff_0fff | 0x4000
    let low = generator.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
    for index in 0..<16 {
      let word = index < 8 ? high : low
      let byte = UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index % 8)))
      keys.append(byte)
      if index == 4 || index == 6 || index == 8 || index == 10 { posts.append(0x2d) }
      posts.append(digits[Int(byte >> 4)])
      posts.append(digits[Int(byte & 15)])
    }
  }

  /// Random letters and spaces.
  static func text(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    var word: UInt64 = 0
    return (0..<count).map { index in
      if index % 12 == 0 { word = generator.next() }
      defer { word >>= 5 }
      return letters[Int(word & 31)]
    }
  }

  /// A time of 2026, to the millisecond.
  private static func appendDate(_ generator: inout SeededGenerator, _ posts: inout [UInt8]) {
    var word = generator.next()
    func take(_ bound: UInt64) -> UInt64 {
      defer { word /= bound }
      return word % bound
    }
    func appendDecimal(_ number: UInt64, _ places: [UInt64]) {
      for place in places { posts.append(0x30 + UInt8(number / place % 10)) }
    }
    posts.append(contentsOf: "2026-".utf8)
    appendDecimal(take(12) + 1, [10, 1])
    posts.append(0x2d)
    appendDecimal(take(28) + 1, [10, 1])
    posts.append(0x54)
    appendDecimal(take(24), [10, 1])
    posts.append(0x3a)
    appendDecimal(take(60), [10, 1])
    posts.append(0x3a)
    appendDecimal(take(60), [10, 1])
    posts.append(0x2e)
    appendDecimal(take(1000), [100, 10, 1])
    posts.append(0x5a)
  }
}
