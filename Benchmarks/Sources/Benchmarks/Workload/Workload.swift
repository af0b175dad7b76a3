import CPeers

/// What every peer writes: creates, then updates of one field of random records, then deletes of
/// random distinct ones. It follows from its seed and its counts alone.
final class Workload: Sendable {
  static let seed: UInt64 = 0x7469_6465_6d61_726b

  /// Posts of `PEER_POST_BYTES` each, and their keys. `operations` count them.
  let posts: [UInt8]
  let keys: [UInt8]
  let operations: [peer_operation]
  /// How many of the operations come first and create the posts of the same places.
  let createCount: Int

  /// Ten creates to five updates to one delete, as 200,000 to 100,000 to 20,000.
  convenience init(operationCount: Int) {
    let creates = operationCount * 20 / 32
    let deletes = operationCount * 2 / 32
    self.init(creates: creates, updates: operationCount - creates - deletes, deletes: deletes)
  }

  /// - Parameter first: the number of the first post that it creates. Its updates are of any post
  ///   from zero on, so that they go all over a store to which it adds.
  init(
    creates: Int, updates: Int, deletes: Int, first: Int = 0, seed: UInt64 = Workload.seed
  ) {
    var posts: [UInt8] = []
    var keys: [UInt8] = []
    var operations: [peer_operation] = []
    let postBytes = PEER_POST_BYTES
    posts.reserveCapacity((creates + (first > 0 ? updates : 0)) * postBytes)
    operations.reserveCapacity(creates + updates + deletes)
    for place in 0..<creates {
      PostBytes.append(UInt64(first + place), seed: seed, posts: &posts, keys: &keys)
      operations.append(peer_operation(kind: UInt32(PEER_CREATE), post: UInt32(place)))
    }
    var generator = SeededGenerator(seed: ~seed, stream: UInt64(first))
    for _ in 0..<updates {
      let number = Int.random(in: 0..<(first + creates), using: &generator)
      var place = number - first
      if place < 0 {
        place = keys.count / 16
        PostBytes.append(UInt64(number), seed: seed, posts: &posts, keys: &keys)
      }
      operations.append(peer_operation(kind: UInt32(PEER_UPDATE), post: UInt32(place)))
    }
    for place in (0..<creates).shuffled(using: &generator).prefix(deletes) {
      operations.append(peer_operation(kind: UInt32(PEER_DELETE), post: UInt32(place)))
    }
    self.posts = posts
    self.keys = keys
    self.operations = operations
    createCount = creates
  }

  var postCount: Int { keys.count / PEER_KEY_BYTES }

  /// The posts that are there after all operations, shuffled: what point reads ask for.
  func livePosts() -> [UInt32] {
    var isDeleted = [Bool](repeating: false, count: createCount)
    for operation in operations where operation.kind == UInt32(PEER_DELETE) {
      isDeleted[Int(operation.post)] = true
    }
    var generator = SeededGenerator(seed: Workload.seed, stream: UInt64.max)
    return (0..<createCount).filter { !isDeleted[$0] }.map(UInt32.init).shuffled(using: &generator)
  }

  /// The bytes of the values that an application hands over: an id is 16 bytes, a counter 4.
  var valueBytes: Int {
    operations.reduce(0) { sum, operation in
      switch Int(operation.kind) {
      case PEER_CREATE: sum + 16 + PEER_RECORD_BYTES
      case PEER_UPDATE: sum + 16 + 4
      default: sum + 16
      }
    }
  }

  /// Lends the workload to a peer in C.
  func withPeerWorkload<R>(_ body: (UnsafePointer<peer_workload>) throws -> R) rethrows -> R {
    try operations.withUnsafeBufferPointer { operations in
      try posts.withUnsafeBufferPointer { posts in
        try keys.withUnsafeBufferPointer { keys in
          var workload = peer_workload(
            operations: operations.baseAddress, posts: posts.baseAddress, keys: keys.baseAddress)
          return try withUnsafePointer(to: &workload, body)
        }
      }
    }
  }
}
