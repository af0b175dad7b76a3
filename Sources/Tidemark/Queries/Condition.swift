internal import TidemarkEvents
internal import TidemarkSchema

/// A filter made ready for one schema version: fields are found, constants are in the form in which
/// they are compared.
struct Condition: Sendable {
  /// What a condition is of.
  enum Subject: Sendable {
    case id
    case field(FieldReference)
    /// Of a model that has no such field: always null.
    case nothing
  }

  fileprivate indirect enum Node: Sendable {
    case text(FieldReference, Filter.Comparison, [UInt8])
    case integer(FieldReference, Filter.Comparison, Int64)
    case compare(Subject, Filter.Comparison, Value)
    case between(Subject, Value, Value)
    case beginsWith(Subject, [UInt8])
    case contains(Subject, Value)
    case isIn(Subject, Set<Value>)
    case exists(Subject)
    case not(Node)
    case all([Node])
    case any([Node])
  }

  private let node: Node

  /// - Parameter lacks: what a field is taken for that the model does not have; refused where `nil`.
  /// - Throws: `StoreError` `invalid` for a field that is not there, or a constant that none of its
  ///   values can be compared with.
  init(_ filter: Filter, _ model: ModelReference, lacks: Subject? = nil) throws(StoreError) {
    node = try Node(filter, model, lacks)
  }

  /// Whether a record meets it.
  /// - Complexity: O(conditions × fields + bytes compared).
  func holds(of record: borrowing some FieldValues & ~Copyable) throws(StoreError) -> Bool {
    try node.holds(of: record)
  }
}

extension Condition.Subject {
  init(
    _ name: String, _ model: ModelReference, _ lacks: Condition.Subject?
  ) throws(StoreError) {
    if name == "id" {
      self = .id
    } else if model.shape.model.fieldIndex(name) != nil {
      self = .field(try model.field(name))
    } else if let lacks {
      self = lacks
    } else {
      let names = model.shape.model.fields.map(\.name).joined(separator: ", ")
      throw StoreError(.invalid, "\(model.name) has no field \(name); it has id, \(names)")
    }
  }

  func value(
    in record: borrowing some FieldValues & ~Copyable
  ) throws(StoreError) -> Value {
    switch self {
    case .id: .string(record.id.string)
    case .field(let field): try record.value(field) ?? .null
    case .nothing: .null
    }
  }
}

extension Condition.Node {
  fileprivate init(
    _ filter: Filter, _ model: ModelReference, _ lacks: Condition.Subject?
  ) throws(StoreError) {
    func subject(_ name: String) throws(StoreError) -> Condition.Subject {
      try Condition.Subject(name, model, lacks)
    }
    func nodes(_ filters: [Filter]) throws(StoreError) -> [Condition.Node] {
      var nodes: [Condition.Node] = []
      for filter in filters { nodes.append(try Condition.Node(filter, model, lacks)) }
      return nodes
    }
    switch filter {
    case .compare(let name, let comparison, let value):
      let subject = try subject(name)
      switch (subject, value) {
      case (.field(let field), .string(let text)) where field.check.isText:
        self = .text(field, comparison, Array(text.utf8))
      case (.field(let field), .int(let number)) where field.check.isInteger:
        self = .integer(field, comparison, number)
      default: self = .compare(subject, comparison, value)
      }
    case .between(let name, let first, let last):
      self = .between(try subject(name), first, last)
    case .beginsWith(let name, let text): self = .beginsWith(try subject(name), Array(text.utf8))
    case .contains(let name, let value): self = .contains(try subject(name), value)
    case .isIn(let name, let values):
      self = .isIn(try subject(name), Set(values.map(\.normalized)))
    case .exists(let name): self = .exists(try subject(name))
    case .not(let filter): self = .not(try Condition.Node(filter, model, lacks))
    case .all(let filters): self = .all(try nodes(filters))
    case .any(let filters): self = .any(try nodes(filters))
    }
  }

  fileprivate func holds(
    of record: borrowing some FieldValues & ~Copyable
  ) throws(StoreError) -> Bool {
    switch self {
    case .text(let field, let comparison, let constant):
      let order = try record.withText(field) { text in text.order(constant.rawBytes) }
      return comparison.holds(order)
    case .integer(let field, let comparison, let constant):
      guard let number = try record.integer(field) else { return comparison.holds(nil) }
      return comparison.holds(number < constant ? -1 : number > constant ? 1 : 0)
    case .compare(let subject, let comparison, let constant):
      let value = try subject.value(in: record)
      if constant.isNull {
        return comparison.holds(value.isNull ? 0 : nil, isEquality: true)
      }
      return comparison.holds(value.worth(constant))
    case .between(let subject, let first, let last):
      let value = try subject.value(in: record)
      guard let low = value.worth(first), let high = value.worth(last) else { return false }
      return low >= 0 && high <= 0
    case .beginsWith(let subject, let prefix):
      if case .field(let field) = subject {
        return try record.withText(field) { $0.begins(with: prefix) } ?? false
      }
      return try subject.value(in: record).stringValue?.withBytes { $0.begins(with: prefix) }
        ?? false
    case .contains(let subject, let wanted):
      switch try subject.value(in: record) {
      case .string(let text): return wanted.stringValue.map { text.holdsBytes(of: $0) } ?? false
      case .list(let elements): return elements.contains { $0.worth(wanted) == 0 }
      default: return false
      }
    case .isIn(let subject, let values):
      return try values.contains(subject.value(in: record).normalized)
    case .exists(let subject): return try !subject.value(in: record).isNull
    case .not(let node): return try !node.holds(of: record)
    case .all(let nodes):
      for node in nodes where try !node.holds(of: record) { return false }
      return true
    case .any(let nodes):
      for node in nodes where try node.holds(of: record) { return true }
      return false
    }
  }
}

extension Filter.Comparison {
  /// Whether it holds where a value compares so with the constant; `nil`: neither precedes.
  fileprivate func holds(_ order: Int?, isEquality: Bool = false) -> Bool {
    guard let order else { return self == .notEqual }
    switch self {
    case .equal: return order == 0
    case .notEqual: return order != 0
    // Null precedes nothing, itself neither.
    case .less: return order < 0
    case .lessOrEqual: return order <= 0 && !isEquality
    case .greater: return order > 0
    case .greaterOrEqual: return order >= 0 && !isEquality
    }
  }
}

extension RawSpan {
  fileprivate func begins(with prefix: [UInt8]) -> Bool {
    byteCount >= prefix.count && extracting(0..<prefix.count).hasSameBytes(as: prefix.rawBytes)
  }
}

extension String {
  /// Whether it holds another text, byte for byte.
  /// - Complexity: O(bytes of both multiplied), at worst.
  fileprivate func holdsBytes(of other: String) -> Bool {
    if other.isEmpty { return true }
    let (text, wanted) = (Array(utf8), Array(other.utf8))
    guard text.count >= wanted.count else { return false }
    return (0...text.count - wanted.count).contains { start in
      text[start] == wanted[0] && text[start..<start + wanted.count].elementsEqual(wanted)
    }
  }
}
