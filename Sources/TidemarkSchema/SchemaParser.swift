/// Reads a schema file's tokens into a document: GraphQL's grammar for types and enums, with the
/// remedy where it is something else.
struct SchemaParser {
  private var lexer: SchemaLexer
  private var token: SchemaLexer.Token

  init(_ bytes: [UInt8]) throws(SchemaError) {
    lexer = SchemaLexer(bytes)
    token = try lexer.next()
  }

  mutating func document() throws(SchemaError) -> SchemaDocument {
    var document = SchemaDocument()
    while token.kind != .end {
      try skipDescription()
      guard token.kind == .name else {
        throw unexpected("a definition; write `type Name @model { … }` or `enum Name { … }`")
      }
      switch token.text {
      case "type": document.types.append(try type())
      case "enum": document.enums.append(try enumeration())
      case "input":
        let position = token.position
        let rules = try defaultRules()
        guard document.defaultRules == nil else {
          throw SchemaError(
            .duplicateName, position, "`input AMPLIFY` stands twice; put its rules in one")
        }
        document.defaultRules = rules
      case "interface", "union", "extend", "scalar", "schema", "directive":
        throw SchemaError(
          .notSupported, token.position,
          "`\(token.text)` is not supported; write types with @model, types without it, and enums")
      default:
        throw unexpected("a definition; write `type` or `enum` before the name")
      }
    }
    return document
  }

  private mutating func type() throws(SchemaError) -> ParsedType {
    try advance()
    let name = try name("the type's name")
    if token.kind == .name, token.text == "implements" {
      throw SchemaError(
        .notSupported, token.position, "interfaces are not supported; leave `implements` out")
    }
    let directives = try directives()
    try expect("{", "`{` and the fields of \(name.text)")
    var fields: [ParsedField] = []
    while !isAt("}") {
      try skipDescription()
      let field = try self.name("a field's name, or `}`")
      if isAt("(") {
        throw SchemaError(
          .notSupported, token.position, "fields take no arguments here; leave them out")
      }
      guard isAt(":") else {
        throw SchemaError(
          .unexpectedToken, field.position,
          "\(field.text) has no type; write `\(field.text): String`")
      }
      try advance()
      let type = try typeReference(depth: 0)
      fields.append(ParsedField(name: field, type: type, directives: try self.directives()))
      guard fields.count <= Schema.fieldCountMax else {
        throw SchemaError(
          .tooManyFields, field.position,
          "a type has at most \(Schema.fieldCountMax) fields; split \(name.text)")
      }
    }
    try advance()
    return ParsedType(name: name, directives: directives, fields: fields)
  }

  /// `input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }`, the only input there is: the
  /// rules of every model that has none of its own.
  private mutating func defaultRules() throws(SchemaError) -> ParsedDefaultRules {
    let remedy = "`input AMPLIFY { globalAuthRule: AuthRule = { allow: private } }`"
    let input = token.position
    try advance()
    guard token.kind == .name, token.text == "AMPLIFY" else {
      throw SchemaError(
        .notSupported, input,
        "inputs are not supported, but for the rules of models that have none: \(remedy)")
    }
    try advance()
    try expect("{", remedy)
    try skipDescription()
    let position = token.position
    guard token.kind == .name, token.text == "globalAuthRule" else {
      throw SchemaError(
        .unknownArgument, position, "AMPLIFY has globalAuthRule alone; write \(remedy)")
    }
    try advance()
    try expect(":", "`:` and the type of globalAuthRule; write \(remedy)")
    _ = try typeReference(depth: 0)
    try expect("=", "`=` and a rule; write \(remedy)")
    let value = try value(depth: 0)
    try expect("}", "`}` after the rule; AMPLIFY has globalAuthRule alone")
    return ParsedDefaultRules(position: position, value: value)
  }

  private mutating func enumeration() throws(SchemaError) -> ParsedEnum {
    try advance()
    let name = try name("the enum's name")
    let directives = try directives()
    try expect("{", "`{` and the cases of \(name.text)")
    var cases: [ParsedName] = []
    while !isAt("}") {
      try skipDescription()
      cases.append(try self.name("a case's name, or `}`"))
      if isAt("@") { _ = try self.directives() }
    }
    try advance()
    return ParsedEnum(name: name, directives: directives, cases: cases)
  }

  private mutating func typeReference(depth: Int) throws(SchemaError) -> ParsedTypeReference {
    guard depth <= Schema.listDepthMax else {
      throw SchemaError(
        .tooDeep, token.position, "lists nest at most \(Schema.listDepthMax) deep")
    }
    let reference: ParsedTypeReference
    if isAt("[") {
      let position = token.position
      try advance()
      let element = try typeReference(depth: depth + 1)
      try expect("]", "`]` after the list's element type")
      reference = .list(element, position)
    } else {
      reference = .named(try name("a type"))
    }
    guard isAt("!") else { return reference }
    try advance()
    return .required(reference)
  }

  private mutating func directives() throws(SchemaError) -> [ParsedDirective] {
    var directives: [ParsedDirective] = []
    while isAt("@") {
      let position = token.position
      try advance()
      let name = try name("a directive's name after `@`")
      directives.append(
        ParsedDirective(
          name: name, position: position,
          arguments: isAt("(") ? try arguments(from: "(", to: ")", depth: 0) : []))
    }
    return directives
  }

  private mutating func arguments(
    from open: String, to close: String, depth: Int
  ) throws(SchemaError) -> [ParsedArgument] {
    try expect(open, "`\(open)`")
    var arguments: [ParsedArgument] = []
    while !isAt(close) {
      let name = try name("an argument's name, or `\(close)`")
      if arguments.contains(where: { $0.name.text == name.text }) {
        throw SchemaError(
          .duplicateName, name.position, "\(name.text) is given twice; leave one out")
      }
      try expect(":", "`:` and the value of \(name.text)")
      arguments.append(ParsedArgument(name: name, value: try value(depth: depth)))
    }
    try advance()
    return arguments
  }

  private mutating func value(depth: Int) throws(SchemaError) -> ParsedValue {
    guard depth <= Schema.listDepthMax else {
      throw SchemaError(
        .tooDeep, token.position, "values nest at most \(Schema.listDepthMax) deep")
    }
    let position = token.position
    switch token.kind {
    case .name: return ParsedValue(content: .name(try take()), position: position)
    case .string: return ParsedValue(content: .string(try take()), position: position)
    case .number: return ParsedValue(content: .number(try take()), position: position)
    case .punctuator where token.text == "[":
      try advance()
      var values: [ParsedValue] = []
      while !isAt("]") { values.append(try value(depth: depth + 1)) }
      try advance()
      return ParsedValue(content: .list(values), position: position)
    case .punctuator where token.text == "{":
      let members = try arguments(from: "{", to: "}", depth: depth + 1)
      return ParsedValue(content: .object(members), position: position)
    case .punctuator, .blockString, .end:
      throw unexpected("a value")
    }
  }

  private mutating func skipDescription() throws(SchemaError) {
    while token.kind == .string || token.kind == .blockString { try advance() }
  }

  private mutating func name(_ what: String) throws(SchemaError) -> ParsedName {
    guard token.kind == .name else { throw unexpected(what) }
    let position = token.position
    return ParsedName(text: try take(), position: position)
  }

  private mutating func take() throws(SchemaError) -> String {
    let text = token.text
    try advance()
    return text
  }

  private mutating func advance() throws(SchemaError) { token = try lexer.next() }

  private func isAt(_ punctuator: String) -> Bool {
    token.kind == .punctuator && token.text == punctuator
  }

  private mutating func expect(_ punctuator: String, _ what: String) throws(SchemaError) {
    guard isAt(punctuator) else { throw unexpected(what) }
    try advance()
  }

  private func unexpected(_ what: String) -> SchemaError {
    let found =
      switch token.kind {
      case .end: "the end of the file"
      case .string, .blockString: "a string"
      case .name, .number, .punctuator: "`\(token.text)`"
      }
    return SchemaError(.unexpectedToken, token.position, "expected \(what), found \(found)")
  }
}
