internal import TidemarkEvents

/// One difference between a schema and the one that is to follow it.
public struct SchemaChange: Hashable, Sendable {
  /// The raw values are stable.
  public enum Code: String, Sendable, CaseIterable {
    case modelAdded, fieldAdded
    /// What it holds stays with it.
    case modelRenamed, fieldRenamed
    /// What it holds is kept, and not shown.
    case modelRemoved, fieldRemoved
    /// Records that were created before lack it.
    case requiredFieldAdded
    case rulesChanged, deletePolicyChanged
    /// Where nothing was given, another value is shown.
    case defaultChanged
    /// What a delete does to who names the record.
    case deleteRuleChanged
    /// What is stored is shown as what `Schema.convert` makes of it, and kept as it is.
    case typeConverted
    /// Refused: what is stored would not fit.
    case typeChanged, mergeTypeChanged
    /// Refused: two fields, or models, would be what was one.
    case nameTaken
  }

  public let code: Code
  public let model: String
  public let field: String?
  /// For people: what it means, and where it is refused what to do instead.
  public let message: String

  package init(code: Code, model: String, field: String?, message: String) {
    self.code = code
    self.model = model
    self.field = field
    self.message = message
  }

  /// Whether a store cannot take the schema because of it.
  public var isRefused: Bool {
    switch code {
    case .typeChanged, .mergeTypeChanged, .nameTaken: true
    default: false
    }
  }
}

extension Schema {
  /// What a store would have to go through to take another schema in place of this one: models in the
  /// order of this schema, then those that are new.
  /// - Complexity: O(fields).
  public func changes(to candidate: Schema) -> [SchemaChange] {
    var changes: [SchemaChange] = []
    for model in models {
      guard let next = candidate.successor(of: model) else {
        changes.append(
          SchemaChange(
            code: .modelRemoved, model: model.name, field: nil,
            message: "its records are kept and not shown; nobody can write to them"))
        continue
      }
      changes += model.changes(to: next)
    }
    changes += deleteRuleChanges(to: candidate)
    for model in candidate.models where predecessor(of: model) == nil {
      changes.append(
        SchemaChange(
          code: .modelAdded, model: model.name, field: nil, message: "it has no records yet"))
    }
    return changes
  }

  /// Relations store nothing; their keys are fields like any.
  private func deleteRuleChanges(to candidate: Schema) -> [SchemaChange] {
    references.compactMap { reference in
      guard let model = model(reference.model), let next = candidate.successor(of: model),
        let key = model.field(reference.key).flatMap({ next.successor(of: $0) })
      else { return nil }
      let other = candidate.references.first { $0.model == next.name && $0.key == key.name }
      let rule = other?.onDelete ?? .keep
      guard rule != reference.onDelete else { return nil }
      return SchemaChange(
        code: .deleteRuleChanged, model: model.name, field: reference.key,
        message:
          "\(rule.rawValue) in place of \(reference.onDelete.rawValue) when the \(reference.target) that it names is deleted, from the next delete on"
      )
    }
  }

  private func successor(of model: Model) -> Model? {
    self.model(model.name) ?? models.first { $0.earlierNames.contains(model.name) }
  }

  private func predecessor(of model: Model) -> Model? {
    self.model(model.name) ?? model.earlierNames.lazy.compactMap { self.model($0) }.first
  }
}

extension Model {
  fileprivate func successor(of field: Field) -> Field? {
    self.field(field.name) ?? fields.first { $0.earlierNames.contains(field.name) }
  }

  fileprivate func predecessor(of field: Field) -> Field? {
    self.field(field.name) ?? field.earlierNames.lazy.compactMap { self.field($0) }.first
  }

  fileprivate func changes(to next: Model) -> [SchemaChange] {
    var changes: [SchemaChange] = []
    func note(_ code: SchemaChange.Code, _ field: String?, _ message: String) {
      changes.append(SchemaChange(code: code, model: name, field: field, message: message))
    }
    func noteType(_ field: Field, _ other: Field) {
      guard field.type.isConvertible(to: other.type) else {
        return note(
          .typeChanged, field.name,
          "it is \(field.type) and would be \(other.type), which what is stored need not fit; add a field of another name"
        )
      }
      note(
        .typeConverted, field.name,
        "it is \(field.type) and will be \(other.type): what is stored is shown as that, or as null where it does not convert; nothing is lost"
      )
    }
    if !name.hasSameBytes(as: next.name) {
      note(.modelRenamed, nil, "it is called \(next.name) from now on, with all its records")
    }
    if deletePolicy != next.deletePolicy {
      note(
        .deletePolicyChanged, nil,
        "\(next.deletePolicy.rawValue) wins from now on, over past writes too: records may come back or go"
      )
    }
    if rules.hasOtherMeaning(than: next.rules) { note(.rulesChanged, nil, "its rules differ") }
    for field in fields {
      guard let other = next.successor(of: field) else {
        // A field that only a rule names comes and goes with the rule.
        note(.fieldRemoved, field.name, "what it holds is kept and not shown")
        continue
      }
      if !field.name.hasSameBytes(as: other.name) {
        note(.fieldRenamed, field.name, "it is called \(other.name) from now on, with all it holds")
      }
      if field.merge != other.merge {
        note(
          .mergeTypeChanged, field.name,
          "it is a \(field.merge.rawValue) and would be a \(other.merge.rawValue), which what is stored does not fit; add a field of another name"
        )
      } else if !other.type.takes(field.type) {
        noteType(field, other)
      }
      if field.defaultValue != other.defaultValue {
        note(
          .defaultChanged, field.name,
          "it shows another value where none was given; what creates have filled in stays")
      }
      if (field.rules ?? []).hasOtherMeaning(than: other.rules ?? [])
        || (field.rules == nil) != (other.rules == nil)
      {
        note(.rulesChanged, field.name, "its rules differ")
      }
    }
    for field in next.fields where predecessor(of: field) == nil {
      if field.isGivenOnCreate {
        note(
          .requiredFieldAdded, field.name,
          "records that are there lack it, and so do creates written before; without `!`, or with @default, nobody need mind"
        )
      } else if field.defaultValue != nil {
        note(.fieldAdded, field.name, "records that are there show its default")
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
  /// Whether every value of another type is one of this as it is; `!` apart, for it asks what is given
  /// and not what is there.
  package func takes(_ other: FieldType) -> Bool {
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
