public import TidemarkEvents

extension Schema {
  /// A value as a field of this type stores it: a whole number for a `Float` becomes a double;
  /// everything else stays as it is, or is refused.
  /// - Complexity: O(size of the value).
  public func coerce(
    _ value: Value, to type: FieldType, path: String
  ) throws(ValueError) -> Value {
    switch type {
    case .required(let inner):
      guard !value.isNull else {
        throw ValueError(.missingField, path, "\(path) holds no null; give it a value")
      }
      return try coerce(value, to: inner, path: path)
    case _ where value.isNull: return .null
    case .scalar(let scalar): return try scalar.coerce(value, path: path)
    case .enumeration(let name):
      guard case .string(let text) = value else { throw .wrongType(path, type, value) }
      guard let enumeration = enumeration(name), enumeration.contains(text) else {
        let cases = enumeration(name)?.cases.joined(separator: ", ") ?? ""
        throw ValueError(.unknownCase, path, "\(path) is one of \(cases)")
      }
      return value
    case .list(let element):
      guard case .list(let values) = value else { throw .wrongType(path, type, value) }
      var coerced: [Value] = []
      coerced.reserveCapacity(values.count)
      for (index, value) in values.enumerated() {
        coerced.append(try coerce(value, to: element, path: "\(path)[\(index)]"))
      }
      return .list(coerced)
    case .embedded(let name): return try coerce(value, embedded: name, type, path: path)
    }
  }

  private func coerce(
    _ value: Value, embedded name: String, _ type: FieldType, path: String
  ) throws(ValueError) -> Value {
    guard case .object(let members) = value, let embedded = embeddedType(name) else {
      throw .wrongType(path, type, value)
    }
    for member in members where embedded.fieldIndex(member.name) == nil {
      throw ValueError(.unknownField, path, "\(name) has no field \(member.name); leave it out")
    }
    var coerced: [Value.Member] = []
    for field in embedded.fields {
      let given = value[field.name]
      if given == nil, !field.type.isRequired { continue }
      let inner = "\(path).\(field.name)"
      coerced.append(
        Value.Member(field.name, try coerce(given ?? .null, to: field.type, path: inner)))
    }
    return .object(coerced)
  }

  /// Checks the changes of an event that came from elsewhere against this schema: their places, their
  /// operations, their values, and, for a create, that nothing required is left out.
  public func check(
    kind: EventKind, modelIndex: Int, changes: [FieldChange]
  ) throws(ValueError) {
    guard models.indices.contains(modelIndex) else {
      throw ValueError(.unknownModel, "", "the schema has no model of place \(modelIndex)")
    }
    let model = models[modelIndex]
    if kind == .delete, !changes.isEmpty {
      throw ValueError(.wrongOperation, "", "a delete changes no fields")
    }
    for change in changes {
      guard model.fields.indices.contains(change.field) else {
        throw ValueError(
          .unknownField, "", "\(model.name) has no field of place \(change.field)")
      }
      try check(change.operation, model.fields[change.field])
    }
    guard kind == .create else { return }
    for (place, field) in model.fields.enumerated() where field.isGivenOnCreate {
      guard changes.contains(where: { $0.field == place }) else {
        throw ValueError(
          .missingField, field.name, "a new \(model.name) needs \(field.name); give it a value")
      }
    }
  }

  private func check(_ operation: FieldOperation, _ field: Field) throws(ValueError) {
    guard field.allows(operation) else {
      throw ValueError(
        .wrongOperation, field.name,
        "\(field.name) is a \(field.merge.rawValue), which takes no such operation")
    }
    switch operation {
    case .set(let value):
      guard try coerce(value, to: field.type, path: field.name) == value else {
        throw .wrongType(field.name, field.type, value)
      }
    case .edit(let added, let removed):
      for element in added + removed { _ = try coerce(element: element, of: field) }
    case .add, .unknown: break
    }
  }

  /// An element of a set field.
  public func coerce(element: Value, of field: Field) throws(ValueError) -> Value {
    guard let type = field.type.element, !element.isNull else {
      throw .wrongType(field.name, field.type, element)
    }
    return try coerce(element, to: type, path: field.name)
  }
}

extension ValueError {
  static func wrongType(_ path: String, _ type: FieldType, _ value: Value) -> ValueError {
    ValueError(.wrongType, path, "\(path) takes \(type.unwrapped), and this is \(value.typeName)")
  }
}

extension Value {
  /// What a message calls the value's type.
  var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "a Boolean"
    case .int: "a whole number"
    case .double: "a number with a fraction or exponent"
    case .string: "a string"
    case .list: "a list"
    case .object: "an object"
    }
  }
}
