/// Columns of text: the first to the left, the others to the right.
struct TextTable {
  private var rows: [[String]]

  init(_ heads: [String]) {
    rows = [heads]
  }

  mutating func append(_ cells: [String]) {
    rows.append(cells)
  }

  /// Columns that are empty throughout are left out.
  var text: String {
    let columns = rows[0].indices.filter { column in
      column == 0 || rows.dropFirst().contains { !$0[column].isEmpty }
    }
    let widths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (place, column) in columns.enumerated() {
        let space = String(repeating: " ", count: widths[place] - row[column].count)
        line += place == 0 ? "  " + row[column] + space : "  " + space + row[column]
      }
      return line
    }.joined(separator: "\n")
  }

  /// Text in lines of so many columns, the second and those after it after an indent.
  static func wrapped(_ text: String, columns: Int, indent: String = "") -> String {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if line.count + word.count >= columns {
        lines.append(line)
        line = indent + word
      } else {
        line += (line.isEmpty ? "" : " ") + word
      }
    }
    return (lines + [line]).joined(separator: "\n")
  }
}
