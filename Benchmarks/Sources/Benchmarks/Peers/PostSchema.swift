import Tidemark

/// The reference scenario's rules on the workload's posts.
enum PostSchema {
  static let source = """
    type Post @model @auth(rules: [
      { allow: owner },
      { allow: groups, groups: ["Admins"], operations: [delete, read] },
      { allow: public, operations: [read] },
      { allow: private, operations: [read] }
    ]) {
      title: String!
      text: String!
      owner: String
      date: AWSDateTime
      likes: Int @merge(as: counter)
    }

    """

  /// Who writes all posts.
  static let author = Principal.user(PostBytes.owner)
}

/// The schema's model and fields, looked up once.
struct PostFields: Sendable {
  let posts: ModelReference
  let title: FieldReference
  let text: FieldReference
  let owner: FieldReference
  let date: FieldReference
  let likes: FieldReference

  init(_ store: Store) throws {
    posts = try store.model("Post")
    title = try posts.field("title")
    text = try posts.field("text")
    owner = try posts.field("owner")
    date = try posts.field("date")
    likes = try posts.field("likes")
  }
}
