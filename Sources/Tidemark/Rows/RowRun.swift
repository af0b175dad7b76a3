internal import TidemarkEvents
internal import TidemarkLMDB

// Rows lie in two kinds of place. The newest are in the tree `records`, which stays small. All others
// are in sorted runs, each written once: blocks of rows in the order of their keys, and a filter that
// tells most keys that are not there. As in a log-structured merge tree (O'Neil et al., 1996), runs of
// like size are merged into a larger one, so that a row is written again a few times only, always in
// order, and never by a page of the tree for itself.
//
//   header 1     the runs, newest first: varint count, then for each varint id, varint rows,
//                varint lines of its filter, u64 seed of its filter
//   rowBlocks    u32 id of the run (big-endian) and the block's first key → block
//   rowFilters   id of the run → filter
//
//   block        for each row varint byte count of the key, key, varint byte count of the row, row;
//                then u8 fingerprint of each key; u16 offset of each row; u16 count of rows;
//                u32 CRC-32C of all the above
//   filter       lines of 64 bytes (see `RowFilter`)
//
// Invariants:
// - a row in `records` is newer than that of the same key in any run; one in a run is newer than
//   those in the runs behind it;
// - no row is ever removed, so a merge needs to keep no traces of any.

/// One sorted run of rows.
struct RowRun: Hashable, Sendable {
  let id: UInt32
  let rowCount: Int
  let filterLineCount: Int
  let seed: UInt64

  static let listKey: UInt64 = 1
  /// So many runs of like size are merged.
  static let mergeWidth = 4

  static func decode(_ bytes: RawSpan?) throws(CodecError) -> [RowRun] {
    guard let bytes else { return [] }
    var reader = ByteReader(bytes)
    var runs: [RowRun] = []
    for _ in 0..<(try reader.count("runs", max: 1 << 10)) {
      runs.append(
        RowRun(
          id: UInt32(try reader.count("run", max: Int(UInt32.max))),
          rowCount: try reader.count("rows", max: 1 << 40),
          filterLineCount: try reader.count("filter", max: 1 << 32),
          seed: try reader.littleEndian(UInt64.self)))
    }
    return runs
  }

  static func encode(_ runs: [RowRun], into writer: inout ByteWriter) {
    writer.append(varint: runs.count)
    for run in runs {
      writer.append(varint: UInt64(run.id))
      writer.append(varint: run.rowCount)
      writer.append(varint: run.filterLineCount)
      writer.append(littleEndian: run.seed)
    }
  }

  /// Runs of one tier are within a factor of four of each other.
  /// - Parameter least: the rows of a run of the first tier.
  func tier(least: Int) -> Int {
    var tier = 0
    var size = least
    while size * RowRun.mergeWidth <= rowCount * 2 {
      size *= RowRun.mergeWidth
      tier += 1
    }
    return tier
  }
}

/// A Bloom filter whose bits for one key lie in one line of the processor's cache (Putze, Sanders and
/// Singler, “Cache-, hash- and space-efficient Bloom filters”, 2007): eight bits for each key, about
/// twelve bits of space, one false answer in a few hundred.
struct RowFilter: ~Copyable {
  private var words: [UInt64]
  let lineCount: Int

  init(rowCount: Int) {
    lineCount = max(1, (rowCount * 12 + 511) / 512)
    words = [UInt64](repeating: 0, count: lineCount * 8)
  }

  var bytes: [UInt64] { words }

  /// One bit in each of the line's eight words.
  mutating func insert(_ hash: UInt64) {
    let line = RowFilter.line(hash, lineCount) * 8
    var bits = hash &* 0x9e37_79b9_7f4a_7c15
    for word in 0..<8 {
      words[line + word] |= 1 << (bits >> 58)
      bits <<= 6
    }
  }

  static func line(_ hash: UInt64, _ lineCount: Int) -> Int {
    Int(truncatingIfNeeded: UInt64(lineCount).multipliedFullWidth(by: hash).high)
  }

  /// False where a filter's key is certainly not there.
  static func mayHold(_ hash: UInt64, _ filter: RawSpan, lineCount: Int) -> Bool {
    guard filter.byteCount >= lineCount * 64 else { return true }
    let line = RowFilter.line(hash, lineCount) * 64
    var bits = hash &* 0x9e37_79b9_7f4a_7c15
    for word in 0..<8 {
      let stored = unsafe filter.unsafeLoadUnaligned(
        fromUncheckedByteOffset: line + word * 8, as: UInt64.self)
      if UInt64(littleEndian: stored) & (1 << (bits >> 58)) == 0 { return false }
      bits <<= 6
    }
    return true
  }
}

/// A block of a run, read in place.
struct RowBlock: ~Escapable {
  private let bytes: RawSpan
  let count: Int
  private let fingerprints: Int
  private let offsets: Int

  /// - Throws: `CodecError` for bytes that no store wrote.
  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) throws(CodecError) {
    guard bytes.byteCount >= 6 else { throw CodecError(.truncated, "block of rows") }
    var tail = ByteReader(bytes, at: bytes.byteCount - 6)
    count = Int(try tail.littleEndian(UInt16.self))
    offsets = bytes.byteCount - 6 - 2 * count
    fingerprints = offsets - count
    guard fingerprints >= 0, count > 0 else { throw CodecError(.malformed, "block of rows") }
    self.bytes = bytes
  }

  /// A byte of a key's hash.
  static func fingerprint(_ hash: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: hash) }

  func verify() throws(CodecError) {
    var tail = ByteReader(bytes, at: bytes.byteCount - 4)
    guard crc32c(bytes.extracting(0..<bytes.byteCount - 4)) == (try tail.littleEndian(UInt32.self))
    else { throw CodecError(.checksum, "block of rows") }
  }

  @_lifetime(copy self)
  func key(_ index: Int) throws(CodecError) -> RawSpan {
    var reader = try reader(index)
    return try reader.take(try reader.count("key", max: Table.keyByteCountMax))
  }

  @_lifetime(copy self)
  func row(_ index: Int) throws(CodecError) -> RawSpan {
    var reader = try reader(index)
    try reader.skip(try reader.count("key", max: Table.keyByteCountMax))
    return try reader.take(try reader.count("row", max: bytes.byteCount))
  }

  @_lifetime(copy self)
  private func reader(_ index: Int) throws(CodecError) -> ByteReader {
    var table = ByteReader(bytes, at: offsets + 2 * index)
    let offset = Int(try table.littleEndian(UInt16.self))
    return ByteReader(unsafe bytes.extracting(unchecked: 0..<fingerprints), at: offset)
  }

  /// The row of a key; `nil` where there is none.
  /// - Parameter hash: the key's, under the run's seed.
  /// - Complexity: O(rows of the block), eight at a time: it touches fewer lines of the cache than a
  ///   search by halves.
  @_lifetime(copy self)
  func row(_ key: RawSpan, _ hash: UInt64) throws(CodecError) -> RawSpan? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let pattern = UInt64(RowBlock.fingerprint(hash)) &* ones
    var first = 0
    while first < count {
      // Behind the fingerprints stand at least eight bytes.
      let eight = unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: fingerprints + first, as: UInt64.self)
      let difference = UInt64(littleEndian: eight) ^ pattern
      // The high bit of each byte that is zero, and perhaps of some that are one and follow such.
      var matches = (difference &- ones) & ~difference & (ones &* 0x80)
      while matches != 0 {
        let index = first + matches.trailingZeroBitCount / 8
        if index < count, try self.key(index).hasSameBytes(as: key) { return try row(index) }
        matches &= matches &- 1
      }
      first += 8
    }
    return nil
  }

  /// The first row at or after a key; `count` where all are before.
  func firstIndex(atOrAfter key: RawSpan) throws(CodecError) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if try self.key(middle).order(key) < 0 { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
