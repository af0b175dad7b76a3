/// Lines of Swift, indented and broken as `swift format` would.
struct SwiftWriter {
  static let columnMax = 100

  private(set) var text = ""
  private var indentation = 0

  mutating func line(_ line: String = "") {
    if !line.isEmpty { text += String(repeating: " ", count: indentation) + line }
    text += "\n"
  }

  /// A declaration with what is inside its braces.
  mutating func block(_ head: String, _ body: (inout SwiftWriter) -> Void) {
    line(head + " {")
    nested(body)
    line("}")
  }

  mutating func nested(_ body: (inout SwiftWriter) -> Void) {
    indentation += 2
    body(&self)
    indentation -= 2
  }

  /// True where so much fits a line here.
  func fits(_ line: String) -> Bool { indentation + line.count <= SwiftWriter.columnMax }

  /// `head(a, b)tail`: on one line, or the elements on one of their own, or one on each.
  mutating func list(
    _ head: String, _ elements: [String], _ tail: String, endsWithComma: Bool = false
  ) {
    let joined = elements.joined(separator: ", ")
    let opening = head.last.map(String.init) ?? ""
    if fits(head + joined + tail) { return line(head + joined + tail) }
    line(head)
    nested { writer in
      if writer.fits(joined), opening == "(" { return writer.line(joined) }
      for (place, element) in elements.enumerated() {
        let isLast = place == elements.count - 1
        writer.line(element + (isLast && !endsWithComma ? "" : ","))
      }
    }
    line(tail)
  }

  /// A description as a documentation comment, in lines that fit.
  mutating func comment(_ description: [String]) {
    for paragraph in description {
      let trimmed = paragraph.reversed().drop { $0.isWhitespace }.reversed()
      // As it stands, where it fits: it may be indented.
      let whole = "/// " + String(trimmed)
      if !trimmed.isEmpty, fits(whole) {
        line(whole)
        continue
      }
      var current = "///"
      for word in paragraph.split(separator: " ", omittingEmptySubsequences: true) {
        if current.count > 3, !fits(current + " " + word) {
          line(current)
          current = "///"
        }
        current += " " + word
      }
      line(current)
    }
  }
}
