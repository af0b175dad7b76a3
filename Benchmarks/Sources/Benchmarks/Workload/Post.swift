import CPeers

/// A post as a Swift application holds it, and what a typed read makes.
struct Post: Sendable {
  var id: String
  var title: String
  var text: String
  var owner: String
  var date: String
  var likes: Int64
}

extension Workload {
  /// The posts as strings, for the peers that take them so. Made before anything is timed.
  func stringPosts() -> [Post] {
    let stride = PEER_POST_BYTES
    return (0..<postCount).map { place in
      var start = place * stride
      func next(_ count: Int) -> String {
        defer { start += count }
        return String(decoding: posts[start..<(start + count)], as: UTF8.self)
      }
      return Post(
        id: next(PEER_POST_ID), title: next(PEER_POST_TITLE), text: next(PEER_POST_TEXT),
        owner: next(PEER_POST_OWNER), date: next(PEER_POST_DATE), likes: 1)
    }
  }
}
