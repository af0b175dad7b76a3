internal import TidemarkEvents

/// What one journal file holds, in memory: entries of the log that LMDB lacks, and the rows that
/// they changed.
///
/// Changed by the writer's thread alone, under the tail's lock; read by others under the lock, but
/// for the bytes of entries, which do not change once they are in.
final class TailSegment {
  struct Entry {
    let lsn: UInt64
    let eventCount: Int
    let chunk: Int
    let offset: Int
    let byteCount: Int
    /// The transaction's first byte, counted from the entry's.
    let transactionOffset: Int
  }

  /// What the log knows of contexts and LMDB does not.
  struct ContextNote {
    let first: Dot
    let whole: VersionVector
  }

  /// The file that holds it; `nil` where the journal cannot be written, and nothing comes in.
  let file: JournalFile?
  let firstLSN: UInt64
  private(set) var nextLSN: UInt64
  private(set) var entries: [Entry] = []
  private var chunks: [TailChunk] = []
  private let rowStorage: Unguarded<TailRows>
  var rows: TailRows {
    @inline(__always) _read { yield rowStorage.value }
    @inline(__always) _modify { yield &rowStorage.value }
  }
  var contexts: [ContextNote] = []
  /// The header and the replica's state behind the last entry; the hash chain's end is not in it.
  var header: StoreHeader
  var own: ReplicaState

  /// - Parameter rowCount: how many rows may be expected.
  init(_ file: JournalFile?, header: StoreHeader, own: ReplicaState, rowCount: Int) {
    self.file = file
    rowStorage = Unguarded(TailRows(rowCount: rowCount))
    firstLSN = header.nextLSN
    nextLSN = header.nextLSN
    self.header = header
    self.own = own
  }

  var isEmpty: Bool { entries.isEmpty }

  /// Takes entries whose bytes stand in a chunk.
  func append(_ chunk: TailChunk, _ added: [Entry]) {
    chunks.append(chunk)
    for entry in added {
      entries.append(
        Entry(
          lsn: entry.lsn, eventCount: entry.eventCount, chunk: chunks.count - 1,
          offset: entry.offset, byteCount: entry.byteCount,
          transactionOffset: entry.transactionOffset))
    }
    if let last = added.last { nextLSN = last.lsn + UInt64(last.eventCount) }
  }

  /// The entry with exactly this lsn.
  func entry(_ lsn: UInt64) -> Entry? {
    let place = firstPlace(from: lsn)
    return place < entries.count && entries[place].lsn == lsn ? entries[place] : nil
  }

  /// The place of the first entry at or after an lsn.
  private func firstPlace(from lsn: UInt64) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].lsn < lsn { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The entries from an lsn on, before another.
  /// - Complexity: O(log entries + those).
  func entries(_ range: Range<UInt64>) -> [Entry] {
    let first = firstPlace(from: range.lowerBound)
    return Array(entries[first..<max(first, firstPlace(from: range.upperBound))])
  }

  /// An entry's bytes, which stay where they are as long as the segment lives.
  func buffer(_ entry: Entry) -> UnsafeRawBufferPointer {
    unsafe chunks[entry.chunk].buffer(entry.offset, entry.byteCount)
  }

  /// The rows from a key on, in their order, as they were before an lsn.
  /// - Complexity: O(n log n).
  func batch(from start: [UInt8], before lsn: UInt64) -> RowBatch {
    var batch = RowBatch()
    var buffer = ByteWriter(capacity: 256)
    for place in rows.sortedPlaces() {
      if rows.key(place).order(start.rawBytes) < 0 { continue }
      guard let row = rows.row(place, before: lsn) else { continue }
      buffer.truncate()
      row.encode(into: &buffer)
      batch.append(rows.key(place), buffer.bytes)
    }
    return batch
  }

  /// Calls `body` with an entry's bytes.
  func withBytes<R, E: Error>(_ entry: Entry, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    defer { withExtendedLifetime(self) {} }
    return try body(unsafe RawSpan(_unsafeBytes: buffer(entry)))
  }

  /// Works out the hashes that the entries have room for, as a chain from `head` on.
  /// - Returns: the chain's end.
  /// - Complexity: O(bytes).
  func seal(after head: TransactionHash) -> TransactionHash {
    var head = head
    for entry in entries {
      head = chunks[entry.chunk].seal(
        entry.offset, transactionOffset: entry.transactionOffset, after: head)
    }
    return head
  }
}

/// Memory that holds log entries; it does not move.
@safe final class TailChunk {
  private let base: UnsafeMutableRawPointer
  private let byteCount: Int

  init(_ writer: consuming ByteWriter) {
    unsafe (base, byteCount) = writer.release()
  }

  deinit { unsafe base.deallocate() }

  func buffer(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
    precondition(offset >= 0 && count >= 0 && offset + count <= byteCount)
    return unsafe UnsafeRawBufferPointer(start: base + offset, count: count)
  }

  func seal(
    _ offset: Int, transactionOffset: Int, after head: TransactionHash
  ) -> TransactionHash {
    let start = offset + transactionOffset
    let count = TransactionEntry.transactionByteCount(
      unsafe RawSpan(_unsafeBytes: buffer(offset, transactionOffset)))
    let covered = unsafe buffer(start, count - TransactionHash.byteCount)
    let hash = TransactionHash(after: head, unsafe RawSpan(_unsafeBytes: covered))
    var writer = ByteWriter(capacity: 64)
    hash.encode(into: &writer)
    precondition(start + count <= byteCount)
    let place = unsafe base + start + count - TransactionHash.byteCount
    unsafe writer.bytes.withUnsafeBytes {
      let target = unsafe UnsafeMutableRawBufferPointer(
        start: place, count: TransactionHash.byteCount)
      unsafe target.copyMemory(from: $0)
    }
    return hash
  }
}
