/// Comma-separated values as RFC 4180 has them.
///
/// An empty cell has no value, and an empty text is written `""`: so both come back as they were.
enum CSV {
  /// A row without its line end.
  static func row(_ cells: [String?]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (index, cell) in cells.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      guard let cell else { continue }
      let needsQuotes =
        cell.isEmpty || cell.utf8.contains { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }
      guard needsQuotes else {
        bytes.append(contentsOf: cell.utf8)
        continue
      }
      bytes.append(0x22)
      for byte in cell.utf8 {
        if byte == 0x22 { bytes.append(0x22) }
        bytes.append(byte)
      }
      bytes.append(0x22)
    }
    return bytes
  }

  /// Every row of a file, with the number of the line it begins on. A quoted cell may hold line ends.
  static func rows(_ bytes: [UInt8]) throws -> [(line: Int, cells: [String?])] {
    var rows: [(line: Int, cells: [String?])] = []
    var cells: [String?] = []
    var cell: [UInt8] = []
    var isQuoted = false
    var line = 1
    var rowLine = 1
    var index = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    func take() throws {
      guard let text = String(validating: cell, as: UTF8.self) else {
        throw CommandError(.usage, "line \(line): the file is not UTF-8; save it as UTF-8")
      }
      cells.append(text.isEmpty && !isQuoted ? nil : text)
      cell.removeAll(keepingCapacity: true)
      isQuoted = false
    }
    func endRow() throws {
      if cells.isEmpty, cell.isEmpty, !isQuoted { return }
      try take()
      rows.append((rowLine, cells))
      cells = []
    }
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case 0x22 where cell.isEmpty:
        isQuoted = true
        while true {
          guard index < bytes.count else {
            throw CommandError(.usage, "line \(rowLine): a quoted cell is not closed; add a \"")
          }
          let inner = bytes[index]
          index += 1
          if inner == 0x0a { line += 1 }
          if inner != 0x22 {
            cell.append(inner)
          } else if index < bytes.count, bytes[index] == 0x22 {
            cell.append(0x22)
            index += 1
          } else {
            break
          }
        }
        guard index == bytes.count || [0x2c, 0x0a, 0x0d].contains(bytes[index]) else {
          throw CommandError(
            .usage, "line \(line): text after a closing quote; double the quotes inside a cell")
        }
      case 0x22:
        throw CommandError(
          .usage, "line \(line): a quote inside a cell that does not begin with one; quote the cell"
        )
      case 0x2c: try take()
      case 0x0d where index < bytes.count && bytes[index] == 0x0a: break
      case 0x0a, 0x0d:
        try endRow()
        line += 1
        rowLine = line
      default: cell.append(byte)
      }
    }
    try endRow()
    return rows
  }
}
