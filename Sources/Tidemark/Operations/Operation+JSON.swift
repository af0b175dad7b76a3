public import TidemarkEvents
public import TidemarkJSON
public import TidemarkSchema

// {"op":"create|update|delete","model":"Post","id":"p1","fields":{…},"actor":{…},"at":"…","tx":"…"}

extension Operation {
  /// Reads an operation from JSON and checks it against a schema.
  /// - Throws: `OperationError`.
  /// - Complexity: O(bytes).
  public init(json bytes: [UInt8], schema: Schema) throws(OperationError) {
    guard bytes.count <= Operation.byteCountMax else {
      throw OperationError(
        .tooLong, "an operation has at most \(Operation.byteCountMax) bytes; split it")
    }
    let value: Value
    do {
      value = try JSONReader.read(bytes)
    } catch {
      throw OperationError(.malformedJSON, "\(error.message), at byte \(error.byteOffset + 1)")
    }
    try self.init(value, schema: schema)
  }

  /// Reads an operation from a JSON object.
  public init(_ value: Value, schema: Schema) throws(OperationError) {
    guard case .object(let members) = value else {
      throw OperationError(.notAnObject, "an operation is a JSON object")
    }
    let keys = ["op", "model", "id", "fields", "actor", "at", "tx"]
    for member in members where !keys.contains(where: { $0.hasSameBytes(as: member.name) }) {
      throw OperationError(
        .unknownKey,
        "an operation has no key \(member.name); it has \(keys.joined(separator: ", "))")
    }
    let kind: EventKind
    switch try Operation.text("op", value) {
    case "create": kind = .create
    case "update": kind = .update
    case "delete": kind = .delete
    case let other:
      throw OperationError(
        .unknownOperation, "op is create, update or delete, and this is \(other)")
    }
    let name = try Operation.text("model", value)
    guard let model = schema.model(name) else {
      throw OperationError(
        .unknownModel,
        "the schema has no model \(name); it has \(schema.models.map(\.name).joined(separator: ", "))"
      )
    }
    self.init(
      kind, model.name, try Operation.recordID(try Operation.text("id", value)),
      try Operation.changes(value["fields"], kind, model, schema),
      by: try Principal(actor: value["actor"]), at: try Operation.time(value["at"]),
      transactionLabel: try Operation.label(value))
  }

  private static func text(_ key: String, _ value: Value) throws(OperationError) -> String {
    guard let given = value[key] else {
      throw OperationError(.missingKey, "the operation lacks \"\(key)\"")
    }
    guard case .string(let text) = given else {
      throw OperationError(.wrongKeyType, "\"\(key)\" is a string")
    }
    return text
  }

  private static func recordID(_ text: String) throws(OperationError) -> RecordID {
    guard !text.isEmpty else {
      throw OperationError(.idEmpty, "the id is empty; give 1 to \(RecordID.byteCountMax) bytes")
    }
    guard text.utf8.count <= RecordID.byteCountMax else {
      throw OperationError(
        .idTooLong,
        "the id has \(text.utf8.count) bytes, and at most \(RecordID.byteCountMax) are taken")
    }
    guard !text.utf8.contains(0) else { throw OperationError(.idNUL, "an id holds no NUL") }
    return RecordID(text)
  }

  private static func label(_ value: Value) throws(OperationError) -> String? {
    guard value["tx"] != nil else { return nil }
    let label = try text("tx", value)
    guard !label.isEmpty, label.utf8.count <= Limits.labelByteCountMax else {
      throw OperationError(
        .wrongKeyType,
        "\"tx\" has 1 to \(Limits.labelByteCountMax) bytes; shorten it, or leave it out")
    }
    return label
  }

  private static func time(_ value: Value?) throws(OperationError) -> UInt64? {
    guard let value else { return nil }
    guard case .string(let text) = value, let milliseconds = Timestamp.milliseconds(text) else {
      throw OperationError(
        .badTime, "\"at\" is a time from 1970 to 9999, as \"2026-01-02T03:04:05.678Z\"")
    }
    return milliseconds
  }

  private static func changes(
    _ value: Value?, _ kind: EventKind, _ model: Model, _ schema: Schema
  ) throws(OperationError) -> [Change] {
    var changes: [(place: Int, change: Change)] = []
    if let value {
      guard case .object(let members) = value else {
        throw OperationError(.wrongKeyType, "\"fields\" is an object")
      }
      for member in members {
        guard let place = model.fieldIndex(member.name) else {
          let names = model.fields.map(\.name).joined(separator: ", ")
          throw OperationError(
            .unknownField, "\(model.name) has no field \(member.name); it has \(names)")
        }
        let field = model.fields[place]
        do {
          let operation = try Operation.operation(member.value, field, kind, schema)
          changes.append((place, Change(field.name, operation)))
        } catch {
          throw OperationError(error)
        }
      }
    }
    if kind == .delete, !changes.isEmpty {
      throw OperationError(.wrongOperation, "a delete takes no fields; leave \"fields\" out")
    }
    changes.sort { $0.place < $1.place }
    if kind == .create {
      for field in model.fields where field.isGivenOnCreate {
        guard changes.contains(where: { $0.change.name == field.name }) else {
          throw OperationError(
            .missingField, "a new \(model.name) needs \(field.name); give it a value")
        }
      }
    }
    return changes.map(\.change)
  }

  /// What a member of `fields` does to its field.
  private static func operation(
    _ value: Value, _ field: Field, _ kind: EventKind, _ schema: Schema
  ) throws(ValueError) -> FieldOperation {
    switch field.merge {
    case .register:
      return .set(try schema.coerce(value, to: field.type, path: field.name))
    case .counter:
      if case .int(let initial) = value, kind == .create { return .add(initial) }
      guard case .object(let members) = value, members.count == 1, let amount = value["add"] else {
        throw ValueError(
          .wrongOperation, field.name, "\(field.name) is a counter; write {\"add\": 1}")
      }
      guard case .int(let amount) = amount else {
        throw ValueError(
          .wrongType, field.name, "\(field.name) adds a whole number from -2^63 to 2^63-1")
      }
      return .add(amount)
    case .set:
      if case .list(let initial) = value, kind == .create {
        return .edit(add: try elements(.list(initial), field, schema), remove: [])
      }
      guard case .object(let members) = value, !members.isEmpty,
        members.allSatisfy({ $0.name == "add" || $0.name == "remove" })
      else {
        throw ValueError(
          .wrongOperation, field.name,
          "\(field.name) is a set; write {\"add\": [\"a\"], \"remove\": [\"b\"]}")
      }
      return .edit(
        add: try elements(value["add"] ?? .list([]), field, schema),
        remove: try elements(value["remove"] ?? .list([]), field, schema))
    case .text:
      throw ValueError(.wrongOperation, field.name, "text merge is not supported yet")
    }
  }

  private static func elements(
    _ value: Value, _ field: Field, _ schema: Schema
  ) throws(ValueError) -> [Value] {
    guard case .list(let values) = value else {
      throw ValueError(.wrongType, field.name, "\(field.name) adds and removes lists of elements")
    }
    var elements: [Value] = []
    for value in values {
      let element = try schema.coerce(element: value, of: field)
      if !elements.contains(element) { elements.append(element) }
    }
    return elements
  }

  /// The JSON object of an event's changes, as `fields` of an operation takes them.
  public static func appendFields(
    _ changes: [FieldChange], of model: Model, key: String = "fields",
    to builder: inout JSONBuilder
  ) {
    builder.beginObject(key)
    for change in changes where model.fields.indices.contains(change.field) {
      let name = model.fields[change.field].name
      switch change.operation {
      case .set(let value): builder.append(name, value)
      case .add(let amount): builder.append(name, .object([Value.Member("add", .int(amount))]))
      case .edit(let added, let removed):
        var sides: [Value.Member] = []
        if !added.isEmpty { sides.append(Value.Member("add", .list(added))) }
        if !removed.isEmpty { sides.append(Value.Member("remove", .list(removed))) }
        builder.append(name, .object(sides))
      case .unknown(let tag, _):
        builder.append(name, .object([Value.Member("unknown", .int(Int64(tag)))]))
      }
    }
    builder.endObject()
  }
}

extension OperationError {
  init(_ error: ValueError) {
    let code: Code =
      switch error.code {
      case .wrongType: .wrongType
      case .outOfRange: .outOfRange
      case .badFormat: .badFormat
      case .missingField: .missingField
      case .unknownField: .unknownField
      case .unknownCase: .unknownCase
      case .unknownModel: .unknownModel
      case .wrongOperation: .wrongOperation
      }
    self.init(code, error.message)
  }
}
