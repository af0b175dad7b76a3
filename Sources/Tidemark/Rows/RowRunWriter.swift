internal import TidemarkEvents
internal import TidemarkLMDB

/// Writes a run: rows in the order of their keys, then `finish`.
struct RowRunWriter: ~Copyable {
  /// What fits, with its key elsewhere, in one page of LMDB's for long values.
  private static let blockByteCountMax = 4000

  let id: UInt32
  let seed: UInt64
  private let tables: Tables
  private var filter: RowFilter
  private var rowCount = 0
  private var block = ByteWriter(capacity: 8192)
  private var offsets: [UInt16] = []
  private var fingerprints: [UInt8] = []
  private var firstKey = ByteWriter(capacity: 512)

  /// - Parameters:
  ///   - rowCountMax: at most so many rows will come; the filter is made for them.
  ///   - seed: of another run, so that a key is hashed once for both; a new one where there is none.
  init(_ id: UInt32, _ tables: Tables, seed: UInt64?, rowCountMax: Int) {
    self.id = id
    self.tables = tables
    self.seed = seed ?? UInt64.random(in: .min ... .max)
    filter = RowFilter(rowCount: rowCountMax)
  }

  mutating func append(_ key: RawSpan, _ row: RawSpan, _ tx: inout WriteTransaction) throws {
    let byteCount = key.byteCount + row.byteCount + 10
    if !offsets.isEmpty,
      block.count + byteCount + 3 * offsets.count + 6 > RowRunWriter.blockByteCountMax
    {
      try endBlock(&tx)
    }
    if offsets.isEmpty {
      firstKey.truncate()
      firstKey.append(bigEndian: id)
      firstKey.append(key)
    }
    offsets.append(UInt16(truncatingIfNeeded: block.count))
    block.append(varint: key.byteCount)
    block.append(key)
    block.append(varint: row.byteCount)
    block.append(row)
    let hash = keyHash(key, seed: seed)
    fingerprints.append(RowBlock.fingerprint(hash))
    filter.insert(hash)
    rowCount += 1
  }

  private mutating func endBlock(_ tx: inout WriteTransaction) throws {
    guard !offsets.isEmpty else { return }
    block.append(fingerprints)
    for offset in offsets { block.append(littleEndian: offset) }
    block.append(littleEndian: UInt16(truncatingIfNeeded: offsets.count))
    let checksum = block.checksum(0..<block.count)
    block.append(littleEndian: checksum)
    try tx.put(tables.rowBlocks, firstKey.bytes, block.bytes)
    block.truncate()
    offsets.removeAll(keepingCapacity: true)
    fingerprints.removeAll(keepingCapacity: true)
  }

  /// Ends what has been written so far, so that the transaction can commit.
  mutating func pause(_ tx: inout WriteTransaction) throws { try endBlock(&tx) }

  /// Writes the filter. The run is not yet one of the store's: see `RowRun.encode`.
  mutating func finish(_ tx: inout WriteTransaction) throws -> RowRun {
    try endBlock(&tx)
    let words = filter.bytes
    unsafe try tx.put(tables.rowFilters, UInt64(id), words.span.bytes)
    return RowRun(id: id, rowCount: rowCount, filterLineCount: filter.lineCount, seed: seed)
  }
}

extension Tables {
  func rowRuns(_ tx: borrowing some Reading & ~Copyable & ~Escapable) throws -> [RowRun] {
    try RowRun.decode(try tx.get(header, RowRun.listKey))
  }

  func setRowRuns(_ runs: [RowRun], _ tx: inout WriteTransaction) throws {
    var writer = ByteWriter(capacity: 512)
    RowRun.encode(runs, into: &writer)
    try tx.put(header, RowRun.listKey, writer.bytes)
  }

  /// An id past all that are in use, whole or not.
  func nextRowRunID(_ tx: borrowing some Reading & ~Copyable & ~Escapable) throws -> UInt32 {
    guard let last = try tx.lastKey(rowBlocks) else { return 1 }
    var reader = ByteReader(last)
    return try reader.bigEndian(UInt32.self) + 1
  }

  /// Removes the blocks and the filter of a run.
  func dropRowRun(_ id: UInt32, _ tx: inout WriteTransaction) throws {
    var prefix = ByteWriter(capacity: 64)
    prefix.append(bigEndian: id)
    try tx.deleteRange(rowBlocks, prefix: prefix.bytes)
    _ = try tx.delete(rowFilters, UInt64(id))
  }

  /// Writes rows that have changed: a few into the tree, many as a run.
  func put(_ rows: borrowing TailRows, _ tx: inout WriteTransaction) throws {
    // In the order of the tree, so that neighbours meet on one page.
    let places = rows.sortedPlaces()
    var buffer = ByteWriter(capacity: 4096)
    guard places.count >= tuning.runRowCount else {
      try rows.forEach(places) { key, row in
        buffer.truncate()
        row.encode(into: &buffer)
        try tx.put(records, key, buffer.bytes)
      }
      return try spillRecords(&tx)
    }
    var batch = RowBatch()
    try rows.forEach(places) { key, row in
      buffer.truncate()
      row.encode(into: &buffer)
      batch.append(key, buffer.bytes)
    }
    try addRun([RowSource(batch)], &tx)
  }

  /// Makes a run of `records` where that has grown large enough.
  func spillRecords(_ tx: inout WriteTransaction) throws {
    if try tx.count(records) >= tuning.treeRowCount { try addRun([], &tx) }
  }

  /// Makes a run of sorted rows, newest first, and of all that `records` holds, which is older.
  func addRun(_ newer: [RowSource], _ tx: inout WriteTransaction) throws {
    // All of the tree comes into memory before any of it is written elsewhere.
    let older = RowSource(tree: self)
    try older.fillWholly(tx)
    try tx.clear(records)
    let rowCountMax = (newer + [older]).reduce(0) { $0 + $1.batch.count }
    guard rowCountMax > 0 else { return }
    let runs = try rowRuns(tx)
    var writer = RowRunWriter(
      try nextRowRunID(tx), self, seed: runs.first?.seed, rowCountMax: rowCountMax)
    var merge = RowMerge(newer + [older])
    while let source = try merge.next(tx) {
      try source.withCurrent { key, row in try writer.append(key, row, &tx) }
    }
    let run = try writer.finish(&tx)
    try setRowRuns([run] + runs, &tx)
  }
}
