/// A type without `@model`: stored inside a record, as one value.
public struct EmbeddedType: Sendable {
  public let name: String
  /// In the order of the file, which is the order of the members of a value.
  public let fields: [Field]

  private let fieldIndexes: NameIndex

  package init(name: String, fields: [Field]) {
    self.name = name
    self.fields = fields
    fieldIndexes = NameIndex(fields.map(\.name))
  }

  /// The place in `fields` of the field of that name, compared by bytes.
  public func fieldIndex(_ name: String) -> Int? { fieldIndexes[name] }
}

/// An enum: a value is the name of one of its cases.
public struct EnumType: Sendable {
  public let name: String
  /// In the order of the file.
  public let cases: [String]

  private let caseIndexes: NameIndex

  package init(name: String, cases: [String]) {
    self.name = name
    self.cases = cases
    caseIndexes = NameIndex(cases)
  }

  /// True where a case has that name, compared by bytes.
  public func contains(_ name: String) -> Bool { caseIndexes[name] != nil }
}
