// What a schema file says before it is checked: names with their places, nothing resolved.

struct SchemaDocument {
  var types: [ParsedType] = []
  var enums: [ParsedEnum] = []
  /// `input AMPLIFY { globalAuthRule: AuthRule = … }`.
  var defaultRules: ParsedDefaultRules?
}

struct ParsedDefaultRules {
  /// Of `globalAuthRule`.
  let position: SourcePosition
  /// One rule, or a list of them.
  let value: ParsedValue
}

struct ParsedName {
  let text: String
  let position: SourcePosition
}

struct ParsedType {
  let name: ParsedName
  let directives: [ParsedDirective]
  let fields: [ParsedField]

  var isModel: Bool { directives.contains { $0.name.text == "model" } }
}

struct ParsedField {
  let name: ParsedName
  let type: ParsedTypeReference
  let directives: [ParsedDirective]
}

struct ParsedEnum {
  let name: ParsedName
  let directives: [ParsedDirective]
  let cases: [ParsedName]
}

indirect enum ParsedTypeReference {
  case named(ParsedName)
  case list(ParsedTypeReference, SourcePosition)
  case required(ParsedTypeReference)

  var position: SourcePosition {
    switch self {
    case .named(let name): name.position
    case .list(_, let position): position
    case .required(let type): type.position
    }
  }
}

struct ParsedDirective {
  let name: ParsedName
  /// Of the `@`.
  let position: SourcePosition
  let arguments: [ParsedArgument]

  func argument(_ name: String) -> ParsedArgument? {
    arguments.first { $0.name.text == name }
  }
}

struct ParsedArgument {
  let name: ParsedName
  let value: ParsedValue
}

struct ParsedValue {
  indirect enum Content {
    case name(String)
    case string(String)
    case number(String)
    case list([ParsedValue])
    case object([ParsedArgument])
  }

  let content: Content
  let position: SourcePosition

  /// The elements of a list; any other value stands for a list of itself, as GraphQL has it.
  var elements: [ParsedValue] {
    if case .list(let values) = content { return values }
    return [self]
  }
}
