internal import TidemarkSchema

/// A relation as what reads it.
struct SwiftRelation {
  /// In Swift, as it is declared.
  let declared: String
  /// What a record has of it.
  let loaded: String
  /// Of `RecordRelation`'s initializer.
  let arguments: [String]
  let description: [String]

  init(_ relation: Relation, swiftName: String, description: [String]) {
    declared = SwiftName.escaped(swiftName)
    let target = SwiftName.type(relation.target) ?? relation.target
    loaded = relation.isMany ? "[\(target)]" : "\(target)?"
    let name = "\"\(relation.name)\""
    let place: String
    switch relation.key {
    case .own(let key):
      arguments = [
        name, "of: \(target).self",
        "key: { $0.\(SwiftName.escaped(SwiftName.member(key))) }",
      ]
      place = "The \(target) that `\(SwiftName.member(key))` names"
    case .target(let key):
      arguments = [
        name, "\(relation.isMany ? "ofMany" : "ofOne"): \(target).self", "key: \"\(key)\"",
      ]
      place =
        relation.isMany
        ? "Every \(target) whose `\(SwiftName.member(key))` names this, sorted by id"
        : "The \(target) whose `\(SwiftName.member(key))` names this; of several the first by id"
    case .join(let join, let own, let other):
      arguments = [
        name, "ofMany: \(target).self", "through: \"\(join)\"", "key: \"\(own)\"",
        "targetKey: \"\(other)\"",
      ]
      place = "Every \(target) that a \(SwiftName.type(join) ?? join) joins with this, sorted by id"
    }
    self.description =
      description.isEmpty ? ["\(place), as far as the session may read it."] : description
  }
}
