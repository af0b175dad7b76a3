import CPeers
import Tidemark

/// A workload as an application that uses our store holds it. Immutable: a transaction's body takes
/// it.
final class PreparedPosts: Sendable {
  let posts: [Post]
  let ids: [RecordID]
  private let operations: [peer_operation]

  init(_ workload: Workload? = nil) {
    posts = workload?.stringPosts() ?? []
    ids = posts.map { RecordID($0.id) }
    operations = workload?.operations ?? []
  }

  @inline(__always)
  func write(
    _ index: Int, _ fields: PostFields, _ transaction: inout LocalTransaction
  ) throws {
    let operation = operations[index]
    let place = Int(operation.post)
    switch Int(operation.kind) {
    case PEER_CREATE:
      try transaction.create(fields.posts, id: ids[place]) { record in
        try record.set(fields.title, posts[place].title)
        try record.set(fields.text, posts[place].text)
        try record.set(fields.owner, posts[place].owner)
        try record.set(fields.date, posts[place].date)
        try record.add(fields.likes, 1)
      }
    case PEER_UPDATE:
      try transaction.update(fields.posts, id: ids[place]) { try $0.add(fields.likes, 1) }
    default:
      try transaction.delete(fields.posts, id: ids[place])
    }
  }
}
