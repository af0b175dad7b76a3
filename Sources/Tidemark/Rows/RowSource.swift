internal import TidemarkEvents
internal import TidemarkLMDB

/// Rows in memory, in the order of their keys.
struct RowBatch: ~Copyable {
  private struct Entry {
    let keyOffset: Int
    let keyByteCount: Int
    let rowByteCount: Int
  }

  private var bytes = ByteWriter(capacity: 4096)
  private var entries: [Entry] = []

  var count: Int { entries.count }

  mutating func append(_ key: RawSpan, _ row: RawSpan) {
    entries.append(
      Entry(keyOffset: bytes.count, keyByteCount: key.byteCount, rowByteCount: row.byteCount))
    bytes.append(key)
    bytes.append(row)
  }

  mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
    bytes.truncate()
  }

  @_lifetime(borrow self)
  func key(_ index: Int) -> RawSpan {
    let entry = entries[index]
    let span = bytes.bytes.extracting(entry.keyOffset..<entry.keyOffset + entry.keyByteCount)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  @_lifetime(borrow self)
  func row(_ index: Int) -> RawSpan {
    let entry = entries[index]
    let start = entry.keyOffset + entry.keyByteCount
    let span = bytes.bytes.extracting(start..<start + entry.rowByteCount)
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}

/// One of the places where rows lie, read from a key on, a batch at a time.
final class RowSource {
  private enum Place {
    case memory
    case tree(Tables)
    case run(RowRun, Tables)
  }

  private static let batchCountMax = 256

  private let place: Place
  private let storage: Unguarded<RowBatch>
  private var index = 0
  /// What is read next begins at or after this key, or after it.
  private var from: [UInt8]
  private var isAfter = false
  private var isRead = false

  private(set) var batch: RowBatch {
    @inline(__always) _read { yield storage.value }
    @inline(__always) _modify { yield &storage.value }
  }

  /// - Parameter start: the first key at or after it.
  init(tree tables: Tables, from start: [UInt8] = []) {
    place = .tree(tables)
    from = start
    storage = Unguarded(RowBatch())
  }

  init(run: RowRun, _ tables: Tables, from start: [UInt8] = []) {
    place = .run(run, tables)
    from = start
    storage = Unguarded(RowBatch())
  }

  init(_ rows: consuming RowBatch) {
    place = .memory
    from = []
    storage = Unguarded(rows)
    isRead = true
  }

  /// Calls `body` with the row that it stands at.
  func withCurrent<R>(_ body: (RawSpan, RawSpan) throws -> R) rethrows -> R {
    try body(batch.key(index), batch.row(index))
  }

  func currentOrder(_ other: RowSource) -> Int {
    batch.key(index).order(other.batch.key(other.index))
  }

  /// The first eight bytes of the key that it stands at, zeros behind a shorter one: where two differ,
  /// the keys are in the order of these numbers.
  var currentPrefix: UInt64 {
    let key = batch.key(index)
    guard key.byteCount < 8 else {
      return unsafe key.unsafeLoadUnaligned(as: UInt64.self).bigEndian
    }
    var prefix: UInt64 = 0
    for offset in 0..<key.byteCount {
      let byte = unsafe key.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      prefix |= UInt64(byte) << UInt64(56 - 8 * offset)
    }
    return prefix
  }

  func advance() { index += 1 }

  /// Makes sure that it stands at a row; false at the end.
  func settle(_ tx: borrowing some Reading & ~Copyable & ~Escapable) throws -> Bool {
    while index >= batch.count {
      if isRead { return false }
      batch.removeAll()
      index = 0
      switch place {
      case .memory: isRead = true
      case .tree(let tables): try fill(tables.records, max: RowSource.batchCountMax, tx)
      case .run(let run, let tables): try fill(run, tables, tx)
      }
    }
    return true
  }

  private func add(_ key: RawSpan, _ row: RawSpan) { storage.value.append(key, row) }

  /// Reads all there is of a tree.
  func fillWholly(_ tx: borrowing some Reading & ~Copyable & ~Escapable) throws {
    guard case .tree(let tables) = place else { return }
    try fill(tables.records, max: .max, tx)
  }

  private func fill(
    _ table: Table, max: Int, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws {
    let from = from
    try tx.withCursor(table) { cursor in
      var isThere = from.isEmpty ? try cursor.first() : try cursor.seek(from.rawBytes)
      if isThere, isAfter, cursor.key.hasSameBytes(as: from.rawBytes) {
        isThere = try cursor.next()
      }
      while isThere, batch.count < max {
        add(cursor.key, cursor.value)
        isThere = try cursor.next()
      }
      isRead = !isThere
    }
    if batch.count > 0 {
      self.from = batch.key(batch.count - 1).toArray()
      isAfter = true
    }
  }

  private func fill(
    _ run: RowRun, _ tables: Tables, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws {
    let from = from
    var prefix = ByteWriter(capacity: 512)
    prefix.append(bigEndian: run.id)
    prefix.append(from)
    try tx.withCursor(tables.rowBlocks) { cursor in
      // The block that a key lies in begins at or before it; the next block begins after it.
      var isThere = try isAfter ? cursor.seek(prefix.bytes) : cursor.seek(atOrBefore: prefix.bytes)
      if isThere, isAfter, cursor.key.hasSameBytes(as: prefix.bytes) {
        isThere = try cursor.next()
      } else if isThere, !isAfter, try !cursor.key.begins(with: run.id) {
        isThere = try cursor.next()
      } else if !isThere, !isAfter {
        isThere = try cursor.first()
      }
      guard isThere, try cursor.key.begins(with: run.id) else {
        isRead = true
        return
      }
      let block = try RowBlock(cursor.value)
      try block.verify()
      let start = isAfter ? 0 : try block.firstIndex(atOrAfter: from.rawBytes)
      for index in start..<block.count { add(try block.key(index), try block.row(index)) }
      self.from = cursor.key.extracting(4..<cursor.key.byteCount).toArray()
      isAfter = true
    }
  }
}

extension RawSpan {
  /// Whether a key of `rowBlocks` is of a run.
  func begins(with run: UInt32) throws(CodecError) -> Bool {
    var reader = ByteReader(self)
    return try reader.bigEndian(UInt32.self) == run
  }
}

/// Rows of several sources in the order of their keys; of equal keys the row of the first source.
struct RowMerge {
  private var sources: [RowSource]
  /// By source: the first bytes of the key that it stands at, which tell most keys apart.
  private var prefixes: [UInt64] = []
  /// The places of those that stand at the row that was given last.
  private var current: [Int] = []
  private var hasBegun = false

  /// - Parameter sources: the newest first.
  init(_ sources: [RowSource]) {
    self.sources = sources
  }

  /// The source that stands at the next row; `nil` at the end.
  /// - Complexity: O(sources).
  mutating func next(
    _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> RowSource? {
    if hasBegun {
      while let place = current.popLast() {
        sources[place].advance()
        try settle(place, tx)
      }
    } else {
      hasBegun = true
      prefixes = [UInt64](repeating: 0, count: sources.count)
      for place in sources.indices.reversed() { try settle(place, tx) }
    }
    guard !sources.isEmpty else { return nil }
    current.append(0)
    for place in sources.indices.dropFirst() {
      let order = order(place, current[0])
      if order < 0 { current.removeAll(keepingCapacity: true) }
      if order <= 0 { current.append(place) }
    }
    return sources[current[0]]
  }

  private func order(_ place: Int, _ other: Int) -> Int {
    let (a, b) = (prefixes[place], prefixes[other])
    if a != b { return a < b ? -1 : 1 }
    return sources[place].currentOrder(sources[other])
  }

  /// Notes where a source stands, or drops one that is at its end.
  private mutating func settle(
    _ place: Int, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws {
    let source = sources[place]
    if try source.settle(tx) {
      prefixes[place] = source.currentPrefix
    } else {
      sources.remove(at: place)
      prefixes.remove(at: place)
    }
  }
}
