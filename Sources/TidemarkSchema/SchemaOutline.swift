/// What a schema file says beside its meaning: where each name stands, and how it is described.
public struct SchemaOutline: Sendable {
  public struct Entry: Hashable, Sendable {
    /// The lines of the description, without those that are blank at its ends; empty without one.
    public let description: [String]
    /// Of the name, counted from 1.
    public let line: Int
    public let column: Int
  }

  private var entries: [String: Entry] = [:]

  /// Of a file that has been parsed.
  /// - Throws: `SchemaError` where the text cannot be cut into tokens, which no schema's is.
  /// - Complexity: O(bytes).
  public init(_ schema: Schema) throws(SchemaError) {
    var lexer = SchemaLexer(Array(schema.source.utf8))
    var tokens: [SchemaLexer.Token] = []
    repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
    read(tokens)
  }

  /// A type, by its name; a field or case, with the type's name before it.
  public subscript(type: String, member: String? = nil) -> Entry? {
    entries[member.map { "\(type).\($0)" } ?? type]
  }

  private mutating func read(_ tokens: [SchemaLexer.Token]) {
    var description: [String] = []
    var type = ""
    var isEnum = false
    // Inside braces, and inside the parentheses of a directive.
    var (depth, parentheses) = (0, 0)
    for (place, token) in tokens.enumerated() {
      let before = place > 0 ? tokens[place - 1] : nil
      let next = place + 1 < tokens.count ? tokens[place + 1] : nil
      switch (token.kind, token.text) {
      case (.string, _) where parentheses == 0:
        // An escape may end a line.
        description = SchemaOutline.trimmed(
          token.text.split(omittingEmptySubsequences: false) {
            $0.isNewline
          })
      case (.blockString, _): description = SchemaOutline.lines(of: token.text)
      case (.punctuator, "("): parentheses += 1
      case (.punctuator, ")"): parentheses -= 1
      case (.punctuator, "{"): depth += 1
      case (.punctuator, "}"): depth -= 1
      case (.name, _) where parentheses == 0 && depth == 0:
        guard let before, before.kind == .name, ["type", "enum"].contains(before.text) else {
          continue
        }
        type = token.text
        isEnum = before.text == "enum"
        note(type, token, &description)
      case (.name, _) where parentheses == 0 && depth == 1:
        let isMember = isEnum ? before?.text != "@" : next?.text == ":"
        if isMember { note("\(type).\(token.text)", token, &description) }
      default: break
      }
    }
  }

  private mutating func note(
    _ path: String, _ token: SchemaLexer.Token, _ description: inout [String]
  ) {
    entries[path] = Entry(
      description: description, line: token.position.line, column: token.position.column)
    description = []
  }

  /// The lines of a block string, as GraphQL has them: without the indentation that all but the first
  /// share, and without blank lines at the ends.
  private static func lines(of block: String) -> [String] {
    var lines = block.replacing("\\\"\"\"", with: "\"\"\"")
      .split(omittingEmptySubsequences: false) { $0.isNewline }
    let indentation =
      lines.dropFirst().filter { !$0.allSatisfy(isSpace) }
      .map { $0.prefix(while: isSpace).count }.min() ?? 0
    for index in lines.indices.dropFirst() { lines[index] = lines[index].dropFirst(indentation) }
    return trimmed(lines)
  }

  private static func isSpace(_ character: Character) -> Bool {
    character == " " || character == "\t"
  }

  /// Without blank lines at the ends.
  private static func trimmed(_ lines: [Substring]) -> [String] {
    var lines = lines
    while let first = lines.first, first.allSatisfy(isSpace) { lines.removeFirst() }
    while let last = lines.last, last.allSatisfy(isSpace) { lines.removeLast() }
    return lines.map(String.init)
  }
}
