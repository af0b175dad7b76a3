/// One difference between a schema and the one that is to follow it.
public struct SchemaChange: Hashable, Sendable {
  /// The raw values are stable.
  public enum Code: String, Sendable, CaseIterable {
    case modelAdded, fieldAdded
    /// What it holds is kept, and not shown.
    case modelRemoved, fieldRemoved
    /// Records that were created before lack it.
    case requiredFieldAdded
    case rulesChanged, deletePolicyChanged
    /// Refused: what is stored would not fit.
    case typeChanged, mergeTypeChanged
  }

  public let code: Code
  public let model: String
  public let field: String?
  /// For people: what it means, and where it is refused what to do instead.
  public let message: String

  /// Whether a store cannot take the schema because of it.
  public var isRefused: Bool { code == .typeChanged || code == .mergeTypeChanged }
}

extension Schema {
  /// What a store would have to go through to take another schema in place of this one: models in the
  /// order of this schema, then those that are new.
  /// - Complexity: O(fields).
  public func changes(to candidate: Schema) -> [SchemaChange] {
    var changes: [SchemaChange] = []
    for model in models {
      guard let next = candidate.model(model.name) else {
        changes.append(
          SchemaChange(
            code: .modelRemoved, model: model.name, field: nil,
            message: "its records are kept and not shown; nobody can write to them"))
        continue
      }
      changes += model.changes(to: next)
    }
    for model in candidate.models where self.model(model.name) == nil {
      changes.append(
        SchemaChange(
          code: .modelAdded, model: model.name, field: nil, message: "it has no records yet"))
    }
    return changes
  }
}

extension Model {
  fileprivate func changes(to next: Model) -> [SchemaChange] {
    var changes: [SchemaChange] = []
    func note(_ code: SchemaChange.Code, _ field: String?, _ message: String) {
      changes.append(SchemaChange(code: code, model: name, field: field, message: message))
    }
    if deletePolicy != next.deletePolicy {
      note(
        .deletePolicyChanged, nil,
        "\(next.deletePolicy.rawValue) wins from now on, over past writes too: records may come back or go"
      )
    }
    if rules.hasOtherMeaning(than: next.rules) { note(.rulesChanged, nil, "its rules differ") }
    for field in fields {
      guard let other = next.field(field.name) else {
        // A field that only a rule names comes and goes with the rule.
        note(.fieldRemoved, field.name, "what it holds is kept and not shown")
        continue
      }
      if field.merge != other.merge {
        note(
          .mergeTypeChanged, field.name,
          "it is a \(field.merge.rawValue) and would be a \(other.merge.rawValue), which what is stored does not fit; add a field of another name"
        )
      } else if !other.type.takes(field.type) {
        note(
          .typeChanged, field.name,
          "it is \(field.type) and would be \(other.type), which what is stored need not fit; add a field of another name"
        )
      }
      if (field.rules ?? []).hasOtherMeaning(than: other.rules ?? [])
        || (field.rules == nil) != (other.rules == nil)
      {
        note(.rulesChanged, field.name, "its rules differ")
      }
    }
    for field in next.fields where self.field(field.name) == nil {
      if field.isGivenOnCreate {
        note(
          .requiredFieldAdded, field.name,
          "records that are there lack it, and so do creates written before; without `!` nobody need mind"
        )
      } else {
        note(.fieldAdded, field.name, "records that are there lack it")
      }
    }
    return changes
  }
}

extension [AuthRule] {
  /// Whether rules in this order may decide otherwise, or be named otherwise.
  fileprivate func hasOtherMeaning(than other: [AuthRule]) -> Bool { self != other }
}

extension FieldType {
  /// Whether every value of another type is one of this; `!` apart, for it asks what is given and not
  /// what is there.
  fileprivate func takes(_ other: FieldType) -> Bool {
    switch (unwrapped, other.unwrapped) {
    case (.list(let mine), .list(let theirs)): mine.takes(theirs)
    case (.scalar(.float), .scalar(.int)): true
    case (.scalar(.string), .scalar(let theirs)), (.scalar(.id), .scalar(let theirs)):
      theirs.isText
    case (let mine, let theirs): mine == theirs
    }
  }
}

extension Scalar {
  /// Whether its values are texts.
  fileprivate var isText: Bool {
    switch self {
    case .id, .string, .date, .time, .dateTime, .email, .url, .phone, .ipAddress: true
    case .int, .float, .boolean, .timestamp, .json: false
    }
  }
}
