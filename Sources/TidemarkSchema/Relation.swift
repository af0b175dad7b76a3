/// A field through which records of one model are read from those of another. It stores nothing: what
/// is stored is a key, a field of type `ID` that names the other record.
public struct Relation: Hashable, Sendable {
  /// The raw values are the directives' names.
  public enum Kind: String, Sendable, CaseIterable {
    case hasOne, hasMany, belongsTo, manyToMany
  }

  /// Where the key is.
  public enum Key: Hashable, Sendable {
    /// In this field of the record itself.
    case own(String)
    /// In this field of the other record.
    case target(String)
    /// In a record of a join model, of which one field names this record and one the other.
    case join(model: String, own: String, target: String)
  }

  /// The field's name.
  public let name: String
  public let kind: Kind
  /// The model that is read.
  public let target: String
  public let key: Key

  package init(name: String, kind: Kind, target: String, key: Key) {
    self.name = name
    self.kind = kind
    self.target = target
    self.key = key
  }

  /// Whether it reads any number of records, and not at most one.
  public var isMany: Bool { kind == .hasMany || kind == .manyToMany }
}

/// A field of type `ID` that names records of a model, and what becomes of who holds it when the named
/// record is deleted.
public struct Reference: Hashable, Sendable {
  /// The raw values are those of `onDelete` in the schema.
  public enum DeleteRule: String, Sendable, CaseIterable {
    /// The record stays as it is, and names one that is not there.
    case keep = "KEEP"
    /// The record is deleted too, and those that name it go by their own rules.
    case cascade = "CASCADE"
    /// The key is set to null.
    case nullify = "NULLIFY"
    /// The delete is refused.
    case deny = "DENY"
  }

  /// The model that has the key.
  public let model: String
  public let key: String
  /// The model whose records it names.
  public let target: String
  public let onDelete: DeleteRule

  package init(model: String, key: String, target: String, onDelete: DeleteRule) {
    self.model = model
    self.key = key
    self.target = target
    self.onDelete = onDelete
  }
}
