public import TidemarkEvents

/// How records of one type are read from those of another: what the relations of generated types are
/// made of.
///
/// ```swift
/// let comments = try session.related(Post.relations.comments, of: post)
/// for (post, author, comments) in try session.all(
///   Post.self, including: Post.relations.author, Post.relations.comments)
/// { … }
/// ```
///
/// `Loaded` is what each record has of it: an array, or an optional record.
public struct RecordRelation<Root: Record, Loaded: Sendable>: Sendable {
  /// The fields of a join model that name both ends of a link.
  struct Ends: Sendable {
    let join: String
    let own: String
    let other: String
  }

  /// The field's name in the schema.
  public let name: String
  /// Reads what each of some records has, in their order.
  let load: @Sendable ([Root], borrowing StoreSnapshot, Principal?) throws -> [Loaded]
  /// `nil` where records are not joined by links.
  let ends: Ends?

  /// One record, which the root names by a key of its own.
  public init<Target: Record>(
    _ name: String, of target: Target.Type, key: @escaping @Sendable (Root) -> RecordID?
  ) where Loaded == Target? {
    self.name = name
    ends = nil
    load = { roots, snapshot, principal in
      let keys = roots.map(key)
      let found = try snapshot.records(target, Set(keys.compactMap { $0 }), as: principal)
      return keys.map { key in key.flatMap { found[$0] } }
    }
  }

  /// One record, which names the root by its key; of several, the first by id.
  public init<Target: Record>(
    _ name: String, ofOne target: Target.Type, key: String
  ) where Loaded == Target? {
    self.name = name
    ends = nil
    load = { roots, snapshot, principal in
      let found = try snapshot.holders(
        target, key: key, of: Set(roots.map(\.id)), as: principal)
      return roots.map { found[$0.id]?.first }
    }
  }

  /// The records that name the root by their key, sorted by id.
  public init<Target: Record>(
    _ name: String, ofMany target: Target.Type, key: String
  ) where Loaded == [Target] {
    self.name = name
    ends = nil
    load = { roots, snapshot, principal in
      let found = try snapshot.holders(
        target, key: key, of: Set(roots.map(\.id)), as: principal)
      return roots.map { found[$0.id] ?? [] }
    }
  }

  /// The records that links of a join model lead to, sorted by id, each once.
  /// - Parameters:
  ///   - key: the join model's field that names the root.
  ///   - targetKey: its field that names the other record.
  public init<Target: Record>(
    _ name: String, ofMany target: Target.Type, through join: String, key: String,
    targetKey: String
  ) where Loaded == [Target] {
    self.name = name
    ends = Ends(join: join, own: key, other: targetKey)
    load = { roots, snapshot, principal in
      let links = try snapshot.links(
        join, key, targetKey, of: Set(roots.map(\.id)), as: principal)
      let found = try snapshot.records(
        target, links.values.reduce(into: []) { $0.formUnion($1) }, as: principal)
      return roots.map { root in
        (links[root.id] ?? []).compactMap { found[$0] }.sorted { $0.id < $1.id }
      }
    }
  }
}
