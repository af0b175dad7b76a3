public import TidemarkSchema

/// Makes Swift from a schema: a struct for each model, an enum for each enum, a struct for each
/// embedded type. The same schema always gives the same text.
public struct SwiftGenerator {
  /// Who sees what is made.
  public enum Access: String, Sendable, CaseIterable {
    case `public`, `internal`
  }

  private let schema: Schema
  private let outline: SchemaOutline
  /// Before a declaration.
  private let access: String

  /// The whole of a Swift file.
  /// - Throws: `SchemaError` with the place of a name that Swift or the code needs for something else,
  ///   or of one that is another's in Swift.
  /// - Complexity: O(bytes).
  public static func source(
    for schema: Schema, access: Access = .internal
  ) throws(SchemaError) -> String {
    let generator = SwiftGenerator(
      schema: schema, outline: try SchemaOutline(schema),
      access: access == .public ? "public " : "")
    return try generator.source()
  }

  private func source() throws(SchemaError) -> String {
    try checkTypes()
    var writer = SwiftWriter()
    writer.line("// Made by `tidemark codegen`: change the schema, and run it again.")
    writer.line()
    writer.line("\(access)import Tidemark")
    for model in schema.models {
      writer.line()
      try write(model, to: &writer)
    }
    for type in schema.embeddedTypes {
      writer.line()
      try write(type, to: &writer)
    }
    for type in schema.enums {
      writer.line()
      try write(type, to: &writer)
    }
    return writer.text
  }

  // MARK: Names

  private func checkTypes() throws(SchemaError) {
    var seen: Set<String> = []
    let names =
      schema.models.map(\.name) + schema.embeddedTypes.map(\.name) + schema.enums.map(\.name)
    for name in names {
      guard let swift = SwiftName.type(name) else {
        throw error(
          .reservedName, name, nil, "the Swift code needs the name \(name) itself; choose another")
      }
      guard seen.insert(swift).inserted else {
        throw error(
          .duplicateName, name, nil,
          "\(name) would be \(swift) in Swift, as another type; rename it")
      }
    }
  }

  private func memberNames(_ names: [String], of type: String) throws(SchemaError) -> [String] {
    var seen: Set<String> = []
    var result: [String] = []
    for name in names {
      let swift = SwiftName.member(name)
      guard seen.insert(swift).inserted else {
        throw error(
          .duplicateName, type, name,
          "\(name) would be \(swift) in Swift, as another of \(type); rename it")
      }
      result.append(swift)
    }
    return result
  }

  private func error(
    _ code: SchemaError.Code, _ type: String, _ member: String?, _ message: String
  ) -> SchemaError {
    let entry = outline[type, member] ?? outline[type]
    return SchemaError(
      code: code, line: entry?.line ?? 1, column: entry?.column ?? 1, message: message)
  }

  private func description(_ type: String, _ member: String? = nil) -> [String] {
    outline[type, member]?.description ?? []
  }

  private func members(_ fields: [Field], of type: String) throws(SchemaError) -> [SwiftMember] {
    // The id is a member too.
    let names = try memberNames(["id"] + fields.map(\.name), of: type).dropFirst()
    return zip(fields, names).map { field, name in
      SwiftMember(field, swiftName: name, description: description(of: field, in: type))
    }
  }

  /// What the file says of a field; of one that it does not declare, what it is there for.
  private func description(of field: Field, in type: String) -> [String] {
    let given = description(type, field.name)
    guard field.isImplicit, given.isEmpty else { return given }
    let reference = schema.references.first { $0.model == type && $0.key == field.name }
    guard let reference else { return ["What the rules read; filled in where a rule says so."] }
    return ["The id of a \(SwiftName.type(reference.target) ?? reference.target)."]
  }

  // MARK: Models

  private func write(_ model: Model, to writer: inout SwiftWriter) throws(SchemaError) {
    let members = try members(model.fields, of: model.name)
    let relations = try relations(of: model)
    let name = SwiftName.type(model.name) ?? model.name
    writer.comment(description(model.name))
    writer.block("\(access)struct \(name): Record, Codable, Hashable") { writer in
      writer.line("\(access)static let modelName = \"\(model.name)\"")
      let head = "\(access)static let fieldNames" + (members.isEmpty ? ": [String]" : "")
      writer.list(
        head + " = [", members.map { "\"\($0.name)\"" }, "]", endsWithComma: members.count > 1)
      writer.line()
      writer.comment(description(model.name, "id"))
      writer.line("\(access)let id: RecordID")
      write(properties: members, to: &writer)
      writer.line()
      write(initializer: members, first: "id: RecordID = .random()", to: &writer)
      writer.line()
      writer.block(
        "\(access)init(from decoder: borrowing RecordDecoder) throws(StoreError)"
      ) { writer in
        writer.line("id = decoder.id")
        for (place, member) in members.enumerated() { writer.line(member.decode(place)) }
      }
      writer.line()
      writer.block("\(access)func encode(into encoder: inout RecordEncoder) throws(StoreError)") {
        for (place, member) in members.enumerated() { $0.line(member.encode(place)) }
      }
      writer.line()
      writer.line("/// For conditions, and for writes to one field.")
      writer.block("\(access)struct Fields: Sendable") { writer in
        writer.line("\(access)let id = RecordField<\(name), RecordID>(\"id\")")
        for member in members {
          writer.line("\(access)let \(member.declared) = \(member.field(of: name))")
        }
      }
      writer.line()
      writer.line("\(access)static let fields = Fields()")
      write(relations, of: name, to: &writer)
      write(keys: members, hasID: true, to: &writer)
    }
  }

  private func relations(of model: Model) throws(SchemaError) -> [SwiftRelation] {
    let others = ["id"] + model.fields.map(\.name)
    let names = try memberNames(others + model.relations.map(\.name), of: model.name)
      .dropFirst(others.count)
    return zip(model.relations, names).map { relation, name in
      SwiftRelation(relation, swiftName: name, description: description(model.name, relation.name))
    }
  }

  private func write(
    _ relations: [SwiftRelation], of name: String, to writer: inout SwiftWriter
  ) {
    guard !relations.isEmpty else { return }
    writer.line()
    writer.line("/// For what is read along with a record.")
    writer.block("\(access)struct Relations: Sendable") { writer in
      for relation in relations {
        writer.list(
          "\(access)let \(relation.declared) = RecordRelation<\(name), \(relation.loaded)>(",
          relation.arguments, ")")
      }
    }
    writer.line()
    writer.line("\(access)static let relations = Relations()")
    for relation in relations {
      writer.line()
      writer.comment(relation.description)
      writer.block(
        "\(access)func \(relation.declared)(in session: Session) throws(StoreError) -> \(relation.loaded)"
      ) { writer in
        writer.line("try session.related(\(name).relations.\(relation.declared), of: self)")
      }
    }
  }

  private func write(properties members: [SwiftMember], to writer: inout SwiftWriter) {
    for member in members {
      writer.comment(member.description)
      writer.line("\(access)var \(member.declared): \(member.type)")
    }
  }

  private func write(
    initializer members: [SwiftMember], first: String?, to writer: inout SwiftWriter
  ) {
    let parameters = (first.map { [$0] } ?? []) + members.map(\.parameter)
    writer.list("\(access)init(", parameters, ") {")
    writer.nested { writer in
      if first != nil { writer.line("self.id = id") }
      for member in members { writer.line("self.\(member.declared) = \(member.declared)") }
    }
    writer.line("}")
  }

  /// Other formats have the schema's names, where they are not Swift's.
  private func write(keys members: [SwiftMember], hasID: Bool, to writer: inout SwiftWriter) {
    guard members.contains(where: { $0.name != $0.swiftName }) else { return }
    writer.line()
    writer.block("private enum CodingKeys: String, CodingKey") { writer in
      if hasID { writer.line("case id") }
      for member in members {
        let isSame = member.name == member.swiftName
        writer.line("case \(member.declared)" + (isSame ? "" : " = \"\(member.name)\""))
      }
    }
  }

  // MARK: Embedded types and enums

  private func write(_ type: EmbeddedType, to writer: inout SwiftWriter) throws(SchemaError) {
    let names = try memberNames(type.fields.map(\.name), of: type.name)
    let members = zip(type.fields, names).map { field, name in
      SwiftMember(field, swiftName: name, description: description(type.name, field.name))
    }
    writer.comment(description(type.name))
    let name = SwiftName.type(type.name) ?? type.name
    writer.block("\(access)struct \(name): RecordValue, Codable, Hashable") { writer in
      write(properties: members, to: &writer)
      writer.line()
      write(initializer: members, first: nil, to: &writer)
      writer.line()
      writer.block("\(access)init?(recordValue: Value)") { writer in
        write(reading: members, to: &writer)
      }
      writer.line()
      writer.block("\(access)var recordValue: Value") { writer in
        writer.list(
          ".object(leavingOutNulls: [",
          members.map { "\"\($0.name)\": \($0.declared).recordValue" }, "])",
          endsWithComma: members.count > 1)
      }
      write(keys: members, hasID: false, to: &writer)
    }
  }

  private func write(reading members: [SwiftMember], to writer: inout SwiftWriter) {
    let conditions = members.map {
      "let \($0.declared): \($0.type) = recordValue.member(\"\($0.name)\")"
    }
    if conditions.count == 1, writer.fits("guard \(conditions[0]) else { return nil }") {
      writer.line("guard \(conditions[0]) else { return nil }")
    } else {
      for (place, condition) in conditions.enumerated() {
        let isLast = place == conditions.count - 1
        writer.line((place == 0 ? "guard " : "  ") + condition + (isLast ? "" : ","))
      }
      writer.line("else { return nil }")
    }
    for member in members { writer.line("self.\(member.declared) = \(member.declared)") }
  }

  private func write(_ type: EnumType, to writer: inout SwiftWriter) throws(SchemaError) {
    let names = try memberNames(type.cases, of: type.name)
    writer.comment(description(type.name))
    let name = SwiftName.type(type.name) ?? type.name
    writer.block("\(access)enum \(name): String, RecordValue, Codable, CaseIterable") { writer in
      for (name, swift) in zip(type.cases, names) {
        writer.comment(description(type.name, name))
        let value = name == swift ? "" : " = \"\(name)\""
        writer.line("case \(SwiftName.escaped(swift))\(value)")
      }
    }
  }
}
