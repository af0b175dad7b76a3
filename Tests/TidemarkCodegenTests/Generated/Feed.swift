// Made by `tidemark codegen`: change the schema, and run it again.

import Tidemark

/// A post of the feed: anyone reads it, its author writes it, `Admins` may delete it.
struct Post: Record, Codable, Hashable {
  static let modelName = "Post"
  static let fieldNames = ["title", "content", "likes", "tags", "owner"]

  let id: RecordID
  /// What the list shows.
  var title: String
  var content: String?
  var likes: Int64
  var tags: Set<String>
  /// What the rules read; filled in where a rule says so.
  var owner: String?

  init(
    id: RecordID = .random(),
    title: String,
    content: String? = nil,
    likes: Int64 = 0,
    tags: Set<String> = [],
    owner: String? = nil
  ) {
    self.id = id
    self.title = title
    self.content = content
    self.likes = likes
    self.tags = tags
    self.owner = owner
  }

  init(from decoder: borrowing RecordDecoder) throws(StoreError) {
    id = decoder.id
    title = try decoder.required(0)
    content = try decoder.optional(1)
    likes = try decoder.counter(2)
    tags = try decoder.set(3)
    owner = try decoder.optional(4)
  }

  func encode(into encoder: inout RecordEncoder) throws(StoreError) {
    try encoder.set(0, title)
    try encoder.set(1, content)
    try encoder.set(2, likes)
    try encoder.set(3, tags)
    try encoder.set(4, owner)
  }

  /// For conditions, and for writes to one field.
  struct Fields: Sendable {
    let id = RecordField<Post, RecordID>("id")
    let title = RecordField<Post, String>("title")
    let content = RecordField<Post, String>("content")
    let likes = CounterField<Post>("likes")
    let tags = SetField<Post, String>("tags")
    let owner = RecordField<Post, String>("owner")
  }

  static let fields = Fields()
}
