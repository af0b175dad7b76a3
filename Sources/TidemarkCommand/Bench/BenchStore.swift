import Tidemark
import TidemarkEvents

/// Writes the workload into a store through the public API.
struct BenchStore {
  let store: Store
  let posts: ModelReference
  let title, text, owner, date, likes: FieldReference
  let workload: BenchWorkload

  init(_ directory: String, _ durability: Durability, _ workload: BenchWorkload) throws {
    var options = StoreOptions()
    options.durability = durability
    store = try Store.create(at: directory, schema: BenchWorkload.schema, options: options)
    posts = try store.model("Post")
    title = try posts.field("title")
    text = try posts.field("text")
    owner = try posts.field("owner")
    date = try posts.field("date")
    likes = try posts.field("likes")
    self.workload = workload
  }

  /// Writes steps in transactions of so many.
  func write(_ steps: Range<Int>, batch: Int) throws {
    var index = steps.lowerBound
    while index < steps.upperBound {
      let end = min(index + batch, steps.upperBound)
      let part = index..<end
      try store.write(as: .user(BenchWorkload.owner)) { transaction in
        for step in part { try self.apply(self.workload.steps[step], &transaction) }
      }
      index = end
    }
  }

  private func apply(
    _ step: BenchWorkload.Step, _ transaction: inout LocalTransaction
  ) throws {
    switch step {
    case .create(let index):
      let post = workload.posts[index]
      try transaction.create(posts, id: post.id) { record in
        try record.set(title, post.title)
        try record.set(text, post.text)
        try record.set(owner, BenchWorkload.owner)
        try record.set(date, post.date)
        try record.add(likes, 1)
      }
    case .update(let index):
      try transaction.update(posts, id: workload.posts[index].id) { try $0.add(likes, 1) }
    case .delete(let index):
      try transaction.delete(posts, id: workload.posts[index].id)
    }
  }
}

extension BenchStore: Sendable {}
