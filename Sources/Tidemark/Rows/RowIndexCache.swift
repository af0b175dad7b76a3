internal import Synchronization
internal import TidemarkEvents
internal import TidemarkLMDB

/// The row index of the last snapshot that was read: as long as nothing was committed to LMDB, the
/// next one needs none of its own.
final class RowIndexCache: Sendable {
  private struct Entry {
    let transaction: UInt64
    /// Where the list of runs lies, which tells one map from another.
    let address: UInt
    let index: RowIndex
  }

  private let entry = Mutex<Confined<Entry>?>(nil)

  func index(
    _ tables: Tables, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> RowIndex {
    let address = try tx.get(tables.header, RowRun.listKey)?.address ?? 0
    if let known = entry.withLock({ $0 })?.value, known.transaction == tx.id,
      known.address == address
    {
      return known.index
    }
    let index = try RowIndex(tables, tx)
    let made = Confined(Entry(transaction: tx.id, address: address, index: index))
    entry.withLock { $0 = made }
    return index
  }
}

extension RawSpan {
  fileprivate var address: UInt {
    unsafe withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
  }
}
