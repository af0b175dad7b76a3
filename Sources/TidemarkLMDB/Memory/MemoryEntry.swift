/// A key and a value of a table in memory, in one allocation that does not move.
///
/// Never changed once made, so any number of snapshots share one.
@safe final class MemoryEntry {
  /// What most comparisons end with: an integer key, or the first eight bytes of another, as a
  /// big-endian number.
  let prefix: UInt64
  let keyByteCount: Int
  let valueByteCount: Int
  private let bytes: UnsafeMutableRawPointer

  /// - Parameter value: nil for room that the caller fills.
  init(
    prefix: UInt64, key: UnsafeRawBufferPointer, value: UnsafeRawPointer?, valueByteCount: Int
  ) {
    self.prefix = prefix
    keyByteCount = key.count
    self.valueByteCount = valueByteCount
    let offset = MemoryEntry.valueOffset(keyByteCount)
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: offset + max(valueByteCount, 1), alignment: 8)
    if let base = key.baseAddress {
      unsafe bytes.copyMemory(from: base, byteCount: keyByteCount)
    }
    if let value = unsafe value {
      unsafe (bytes + offset).copyMemory(from: value, byteCount: valueByteCount)
    }
    unsafe self.bytes = bytes
  }

  deinit { unsafe bytes.deallocate() }

  var key: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: bytes, count: keyByteCount)
  }

  var value: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(
      start: bytes + MemoryEntry.valueOffset(keyByteCount), count: valueByteCount)
  }

  private static func valueOffset(_ keyByteCount: Int) -> Int { (keyByteCount + 7) & ~7 }
}

/// Some entries of a table, in order. Copied before a change where a snapshot has it too.
final class MemoryLeaf {
  /// One that has more is split.
  static let countMax = 24

  var entries: ContiguousArray<MemoryEntry>

  init(_ entries: ContiguousArray<MemoryEntry>) { self.entries = entries }
}
