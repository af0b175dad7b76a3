internal import CProcessor
internal import TidemarkEvents
internal import TidemarkLMDB

/// Reads the records of a scan some rows behind the scan. Rows come in the order of ids and events lie
/// in that of the log, so most would be waited for; so they are asked for as their rows come, and read
/// when they are there.
@safe struct RowLookahead: ~Copyable {
  private struct Item {
    let key: RecordKey
    let row: StoredRow
    /// Where its entries begin in `entries`; `nil` where it has to be folded.
    let firstEntry: Int?
  }

  private static let countMax = 32
  /// Of an event's first bytes so many are asked for.
  private static let prefetchByteCount = 320
  private static let lineByteCount = 64

  private let snapshot: RowSnapshot
  private let shape: ModelShape
  /// Few at first, for a reader who wants no more.
  private var count = 2
  private var items: [Item] = []
  /// Of each line's events, the newest first.
  private var entries: [UnsafeRawBufferPointer] = unsafe []
  private var changes: [RecordReader.Changes] = []

  init(_ snapshot: RowSnapshot, _ shape: ModelShape) {
    self.snapshot = snapshot
    self.shape = shape
  }

  var isFull: Bool { items.count >= count }

  mutating func add(
    _ key: RecordKey, _ row: StoredRow, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws {
    guard case .linear(let line) = row, line.exists, shape.isPlain else {
      items.append(Item(key: key, row: row, firstEntry: nil))
      return
    }
    let first = unsafe entries.count
    items.append(Item(key: key, row: row, firstEntry: first))
    for index in stride(from: line.count - 1, through: 0, by: -1) {
      let position = line.position(index)
      let entry = unsafe try snapshot.entry(position.entryLSN, tx)
      unsafe entries.append(entry)
      let start = Int(position.offset)
      let end = min(entry.count, start + RowLookahead.prefetchByteCount)
      for offset in stride(from: start, to: end, by: RowLookahead.lineByteCount) {
        unsafe tidemark_prefetch(entry.baseAddress.map { unsafe $0 + offset })
      }
    }
  }

  /// Calls `body` with the records whose rows have come, until it returns false.
  /// - Returns: whether it wants more.
  mutating func visit(
    _ tx: borrowing some Reading & ~Copyable & ~Escapable,
    _ body: (borrowing RecordReader) throws -> Bool
  ) throws -> Bool {
    for item in items {
      let goesOn =
        if let first = item.firstEntry, case .linear(let line) = item.row,
          try readChanges(line, first)
        {
          try body(RecordReader(id: item.key.id, .line(changes)))
        } else {
          try snapshot.read(item.row, item.key.id, shape, tx, body) ?? true
        }
      guard goesOn else { return false }
    }
    items.removeAll(keepingCapacity: true)
    unsafe entries.removeAll(keepingCapacity: true)
    count = min(count * 2, RowLookahead.countMax)
    return true
  }

  /// - Returns: false where a line has to be folded.
  private mutating func readChanges(_ line: LinearRow, _ first: Int) throws -> Bool {
    changes.removeAll(keepingCapacity: true)
    for place in 0..<line.count {
      let position = line.position(line.count - 1 - place)
      guard unsafe try changes.append(entries[first + place], position, shape) else {
        return false
      }
    }
    return true
  }
}
