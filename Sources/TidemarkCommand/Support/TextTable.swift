#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Rows for people, in aligned columns.
struct TextTable {
  private let header: [String]
  private var rows: [(cells: [String], style: Style?)] = []
  private var isHeaderShown = false

  /// How a whole row is coloured.
  typealias Style = (String) -> String

  init(_ header: [String]) {
    self.header = header
  }

  var isEmpty: Bool { rows.isEmpty }
  var rowCount: Int { rows.count }

  mutating func add(_ row: [String], _ style: Style? = nil) {
    rows.append((row.map(Text.visible), style))
  }

  /// Prints the rows and forgets them, so that a long table can be shown in parts under one header.
  mutating func showPart() throws {
    guard !isEmpty else { return }
    try show()
    rows.removeAll(keepingCapacity: true)
    isHeaderShown = true
  }

  /// Prints the table; the last column gets what is left of the terminal's width.
  func show() throws {
    var widths = header.map(\.count)
    for row in rows {
      for (column, cell) in row.cells.enumerated() {
        widths[column] = max(widths[column], cell.count)
      }
    }
    let room = Terminal.width - widths.dropLast().reduce(0) { $0 + min($1, 48) + 2 }
    func line(_ cells: [String]) -> String {
      cells.enumerated().map { column, cell in
        let isLast = column == cells.count - 1
        let cut = Text.shortened(cell, to: isLast ? max(room, 24) : 48)
        return isLast ? cut : Text.padded(cut, to: min(widths[column], 48))
      }.joined(separator: "  ")
    }
    if !isHeaderShown { try Output.line(Array(Text.dim(line(header)).utf8)) }
    for row in rows {
      let text = line(row.cells)
      try Output.line(Array((row.style?(text) ?? text).utf8))
    }
  }
}

/// Text for a terminal.
enum Text {
  /// Control characters as pictures, so that no stored text can move the cursor, begin a line or turn
  /// the direction of what follows.
  static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0..<0x20: shown.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{fffd}")
      case 0x7f: shown.append("\u{2421}")
      default: shown.append(isControl(scalar) ? "\u{fffd}" : scalar)
      }
    }
    return String(shown)
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // C0, then C1, where 0x9b begins what ESC [ begins.
    case 0..<0x20, 0x7f..<0xa0: true
    // Line and paragraph separators; overrides, embeddings and isolates of direction.
    case 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }

  static func shortened(_ text: String, to width: Int) -> String {
    text.count <= width ? text : text.prefix(max(width - 1, 0)) + "…"
  }

  static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 0))
  }

  static func bold(_ text: String) -> String { styled(text, "1") }
  static func dim(_ text: String) -> String { styled(text, "2") }
  static func green(_ text: String) -> String { styled(text, "32") }
  static func red(_ text: String) -> String { styled(text, "31") }
  static func yellow(_ text: String) -> String { styled(text, "33") }

  private static func styled(_ text: String, _ code: String) -> String {
    Output.isTerminal ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}

enum Terminal {
  /// Columns; 100 where standard output is no terminal.
  static let width: Int = {
    var size = winsize()
    guard Output.isTerminal, unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0,
      size.ws_col > 0
    else { return 100 }
    return Int(size.ws_col)
  }()
}
