/// Names of a schema as Swift writes them.
enum SwiftName {
  /// What the code that is made says itself, and so cannot be called anything else.
  private static let takenTypes: Set<String> = [
    "Any", "AnyObject", "Array", "Bool", "CaseIterable", "Codable", "CodingKey", "CodingKeys",
    "CounterField", "Double", "Fields", "Hashable", "Int64", "Optional", "Protocol", "Record",
    "RecordDecoder", "RecordEncoder", "RecordField", "RecordID", "RecordRelation", "RecordValue",
    "Relations", "Self", "Sendable", "Session", "Set", "SetField", "StoreError", "String",
    "Tidemark", "Type", "Value",
  ]

  /// Members that a type has of its own, or that no backticks help.
  private static let takenMembers: Set<String> = [
    "allCases", "fields", "hashValue", "init", "rawValue", "recordValue", "relations", "self",
  ]

  private static let keywords: Set<String> = [
    "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer",
    "deinit", "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for",
    "func",
    "guard", "if", "import", "in", "inout", "internal", "is", "let", "nil", "operator",
    "precedencegroup", "private", "protocol", "public", "repeat", "rethrows", "return", "static",
    "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "var",
    "where", "while",
  ]

  /// A type's name; `nil` where the code needs it for something else.
  static func type(_ name: String) -> String? {
    let capitalized = name.prefix(1).uppercased() + name.dropFirst()
    return takenTypes.contains(capitalized) ? nil : capitalized
  }

  /// A field's or case's name: `created_at` and `CREATED_AT` are `createdAt`.
  static func member(_ name: String) -> String {
    let parts = name.split(separator: "_").map(String.init)
    var result = ""
    for part in parts {
      let isShouted = part == part.uppercased()
      let word = isShouted && (parts.count > 1 || part.count > 1) ? part.lowercased() : part
      result +=
        result.isEmpty ? uncapitalized(word) : word.prefix(1).uppercased() + word.dropFirst()
    }
    if result.first.map(\.isNumber) ?? true { result = "_" + result }
    return takenMembers.contains(result) ? result + "Value" : result
  }

  /// In backticks where it is a keyword.
  static func escaped(_ name: String) -> String { keywords.contains(name) ? "`\(name)`" : name }

  /// `URLString` is `urlString`, `Title` is `title`.
  private static func uncapitalized(_ word: String) -> String {
    let capitals = word.prefix { $0.isUppercase }.count
    guard capitals > 0 else { return word }
    let lowered = capitals == 1 || capitals == word.count ? capitals : capitals - 1
    return word.prefix(lowered).lowercased() + word.dropFirst(lowered)
  }
}
