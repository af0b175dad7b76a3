internal import TidemarkEvents
internal import TidemarkMerge

/// Where the log holds an event.
struct Position: Hashable, Sendable {
  /// The lsn of the entry.
  var entryLSN: UInt64 = 0
  /// The event's place in the entry's transaction.
  var index: UInt32 = 0
  /// Where its byte count stands, counted from the entry's first byte.
  var offset: UInt32 = 0

  var lsn: UInt64 { entryLSN + UInt64(index) }
}

/// A record whose events lie in one line: a create, then changes each of which had seen all before
/// it, and none of which changed who owns it. What it holds follows from its events alone, so the row
/// says where they are. An event that the next one of its replica wholly supersedes may be left out.
///
/// Invariants:
/// - `positions(0)` is the create; the others are updates, but for the last where `isDeleted`;
/// - their lsns rise; no tombstone and no clamp names one.
struct LinearRow: Hashable, Sendable {
  /// A record with more events has its state in its row.
  static let countMax = 4

  private(set) var count = 0
  /// The last event is a delete.
  private(set) var isDeleted = false
  private var p0 = Position()
  private var p1 = Position()
  private var p2 = Position()
  private var p3 = Position()

  init() {}

  func position(_ index: Int) -> Position {
    switch index {
    case 0: p0
    case 1: p1
    case 2: p2
    default: p3
    }
  }

  /// The newest event's lsn; 0 for none.
  var head: UInt64 { count == 0 ? 0 : position(count - 1).lsn }
  var exists: Bool { count > 0 && !isDeleted }

  mutating func append(_ position: Position, isDelete: Bool) {
    switch count {
    case 0: p0 = position
    case 1: p1 = position
    case 2: p2 = position
    default: p3 = position
    }
    count += 1
    isDeleted = isDelete
  }

  /// Puts the event that supersedes the last one in its place.
  mutating func replaceLast(_ position: Position) {
    precondition(count > 1 && !isDeleted)
    count -= 1
    append(position, isDelete: false)
  }

  /// The row as it was before an lsn.
  func before(_ lsn: UInt64) -> LinearRow {
    if head < lsn { return self }
    var row = self
    while row.count > 0, row.position(row.count - 1).lsn >= lsn {
      row.count -= 1
      row.isDeleted = false
    }
    return row
  }
}

// A row's bytes: one tag, then what it needs.
//
//   0      a state: varint head, state (see `RecordState`)
//   16 + n a line of n events, 1 to 4; + 8 where the last is a delete: for each varint lsn of the entry,
//          varint place in it, varint offset

/// A record's row as the tables hold it.
enum StoredRow: Hashable, Sendable {
  case linear(LinearRow)
  case state(RecordRow)

  func encode(into writer: inout ByteWriter) {
    switch self {
    case .linear(let row): row.encode(into: &writer)
    case .state(let row):
      writer.append(0 as UInt8)
      row.encode(into: &writer)
    }
  }

  init(_ bytes: RawSpan) throws(CodecError) {
    var reader = ByteReader(bytes)
    let tag = try reader.byte()
    if tag == 0 {
      self = .state(try RecordRow(from: &reader))
      return
    }
    let count = Int(tag & 7)
    guard tag & ~15 == 16, (1...LinearRow.countMax).contains(count) else {
      throw CodecError(.newerFormat, "row")
    }
    var row = LinearRow()
    for index in 0..<count {
      let position = Position(
        entryLSN: try reader.varint(),
        index: UInt32(try reader.count("place", max: Limits.transactionEventCountMax)),
        offset: UInt32(try reader.count("offset", max: Int(UInt32.max))))
      guard position.entryLSN < 1 << 62 else { throw CodecError(.outOfBounds, "row") }
      row.append(position, isDelete: index == count - 1 && tag & 8 != 0)
    }
    self = .linear(row)
  }

  /// The lsn of the record's newest event.
  var head: UInt64 {
    switch self {
    case .linear(let row): row.head
    case .state(let row): row.head
    }
  }
}

extension LinearRow {
  func encode(into writer: inout ByteWriter) {
    writer.append(UInt8(16 + count) | (isDeleted ? 8 : 0))
    for index in 0..<count {
      let position = position(index)
      writer.append(varint: position.entryLSN)
      writer.append(varint: UInt64(position.index))
      writer.append(varint: UInt64(position.offset))
    }
  }
}

/// Spreads a record's key over 64 bits. Keyed, so that nobody can choose ids that collide.
func keyHash(_ key: RawSpan, seed: UInt64) -> UInt64 {
  // Folded multiplication of 8 bytes at a time, as in wyhash (Wang Yi, public domain).
  func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
  var hash = seed ^ 0x9e37_79b9_7f4a_7c15 ^ UInt64(truncatingIfNeeded: key.byteCount)
  var offset = 0
  while offset + 8 <= key.byteCount {
    let word = unsafe key.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
    hash = fold(hash ^ word, 0xd6e8_feb8_6659_fd93)
    offset += 8
  }
  var rest: UInt64 = 0
  while offset < key.byteCount {
    let byte = unsafe key.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    rest = rest << 8 | UInt64(byte)
    offset += 1
  }
  return fold(hash ^ rest, 0xa076_1d64_78bd_642f)
}
