internal import CProcessor
internal import TidemarkEvents
internal import TidemarkLMDB

/// The runs of one snapshot with their filters at hand, for many lookups in it.
///
/// Good only as long as the transaction that it was made in, or another of the same state.
@safe final class RowIndex {
  @safe private struct Entry {
    let run: RowRun
    let filter: UnsafeRawBufferPointer
  }

  private let tables: Tables
  private var entries: [Entry] = []
  private let isTreeEmpty: Bool

  init(_ tables: Tables, _ tx: borrowing some Reading & ~Copyable & ~Escapable) throws {
    self.tables = tables
    isTreeEmpty = try tx.count(tables.records) == 0
    for run in try tables.rowRuns(tx) {
      guard let filter = try tx.get(tables.rowFilters, UInt64(run.id)) else {
        throw CodecError(.malformed, "filter of run \(run.id)")
      }
      unsafe filter.withUnsafeBytes { unsafe entries.append(Entry(run: run, filter: $0)) }
    }
  }

  /// Asks for the memory that `row` will look at first: the filters' lines.
  func prefetch(_ key: RawSpan) {
    guard let seed = entries.first?.run.seed else { return }
    let hash = keyHash(key, seed: seed)
    for entry in entries where entry.run.seed == seed {
      let offset = RowFilter.line(hash, entry.run.filterLineCount) * 64
      unsafe tidemark_prefetch(entry.filter.baseAddress.map { unsafe $0 + offset })
    }
  }

  func row(
    _ key: RawSpan, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> StoredRow? {
    if !isTreeEmpty, let bytes = try tx.get(tables.records, key) { return try StoredRow(bytes) }
    var seed: UInt64?
    var hash: UInt64 = 0
    for entry in entries {
      if seed != entry.run.seed {
        seed = entry.run.seed
        hash = keyHash(key, seed: entry.run.seed)
      }
      let filter = unsafe RawSpan(_unsafeBytes: entry.filter)
      guard RowFilter.mayHold(hash, filter, lineCount: entry.run.filterLineCount) else { continue }
      if let row = try tables.storedRow(key, hash, in: entry.run, tx) { return row }
    }
    return nil
  }
}
