public import TidemarkEvents

/// A type with `@model`: its records are what the store keeps.
public struct Model: Sendable {
  public enum DeletePolicy: String, Sendable {
    case deleteWins = "delete"
    case updateWins = "update"
  }

  public let name: String
  /// The declared fields in the order of the file, without `id`, which every record has, and without
  /// relations, which store nothing; then the implicit ones: the keys of relations, and what rules name,
  /// in the order in which they do.
  public let fields: [Field]
  public let deletePolicy: DeletePolicy
  /// The model's `@auth` rules, in the order of the file; empty means nobody may do anything.
  public let rules: [AuthRule]
  /// The names that it had in earlier versions of the schema, as `@renamed` gives them.
  public let earlierNames: [String]
  /// In the order of the file.
  public let relations: [Relation]
  /// The fields that owner rules read, in the order of the rules: the model's, then its fields'.
  public let ownerFields: [String]
  /// The fields that dynamic group rules read, in the same order.
  public let groupsFields: [String]

  private let fieldIndexes: NameIndex

  /// Adds to the declared fields those that rules name and the type does not declare, as Strings
  /// that may be left out.
  package init(
    name: String, fields: [Field], deletePolicy: DeletePolicy, rules: [AuthRule],
    earlierNames: [String] = [], relations: [Relation] = []
  ) {
    self.name = name
    self.relations = relations
    self.earlierNames = earlierNames
    self.deletePolicy = deletePolicy
    self.rules = rules
    let allRules = rules + fields.flatMap { $0.rules ?? [] }
    ownerFields = Model.distinct(allRules.filter { $0.allow == .owner }.map(\.ownerField))
    groupsFields = Model.distinct(allRules.compactMap(\.groupsField))
    let declared = Set(fields.map(\.name))
    let implied = Model.distinct(allRules.compactMap(\.readField)).filter { !declared.contains($0) }
    self.fields =
      fields
      + implied.map { name in
        Field(
          name: name, type: .scalar(.string), merge: .register, rules: nil, isImplicit: true)
      }
    fieldIndexes = NameIndex(self.fields.map(\.name))
  }

  /// The place in `fields` of the field of that name, compared by bytes.
  public func fieldIndex(_ name: String) -> Int? { fieldIndexes[name] }

  /// The field of that name, compared by bytes.
  public func field(_ name: String) -> Field? { fieldIndexes[name].map { fields[$0] } }

  /// True where the field at that place takes that operation, whatever its value: registers take
  /// `set`, counters `add`, sets `edit`; all take what a later version brings.
  public func isOperationAllowed(_ operation: FieldOperation, field: Int) -> Bool {
    fields.indices.contains(field) && fields[field].allows(operation)
  }

  private static func distinct(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }
}
