/// A file in memory: what a process that died leaves, and what a power cut can take back.
///
/// `@unchecked`: every variable is touched under `monitor` only.
@safe package final class MemoryFile: @unchecked Sendable {
  package struct Image {
    fileprivate let bytes: [UInt8]
    fileprivate let unsynced: [Int: [UInt8]]
    fileprivate let syncedByteCount: Int
  }

  static let sectorByteCount = 512
  private let monitor = Monitor()
  private let number: Int
  private var bytes: [UInt8] = []
  /// By sector, the bytes that are durable, of those that were written since the last sync.
  private var unsynced: [Int: [UInt8]] = [:]
  private var syncedByteCount = 0
  private var isLocked = false
  weak var disk: MemoryDisk?
  /// The page that everybody who has the file open maps.
  package let shared: UnsafeMutableRawPointer

  init(_ number: Int) {
    self.number = number
    unsafe shared = .allocate(byteCount: 4096, alignment: 4096)
    unsafe shared.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
  }

  deinit { unsafe shared.deallocate() }

  package var byteCount: Int { monitor.locked { bytes.count } }

  /// The bytes from an offset on, fewer where the file ends.
  package func read(_ count: Int, at offset: Int) -> [UInt8] {
    monitor.locked {
      guard offset < bytes.count else { return [] }
      return Array(bytes[offset..<min(offset + count, bytes.count)])
    }
  }

  package func write(
    _ span: RawSpan, at offset: Int, _ incarnation: Int
  ) throws(LMDBError) {
    // The array, for a span cannot be captured.
    let new = unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
    try perform(.write(file: number, byteCount: new.count), incarnation) { isWhole in
      set(isWhole ? new[...] : new[..<(new.count / 2)], at: offset)
    }
  }

  package func synchronize(_ incarnation: Int) throws(LMDBError) {
    try perform(.sync(file: number), incarnation) { _ in
      monitor.locked {
        unsynced.removeAll()
        syncedByteCount = bytes.count
      }
    }
  }

  package func truncate(to count: Int, _ incarnation: Int) throws(LMDBError) {
    try perform(.resize(file: number), incarnation) { _ in
      monitor.locked { resize(to: count) }
    }
  }

  /// Takes the file's lock; false where somebody has it.
  package func lock() -> Bool {
    monitor.locked {
      guard !isLocked else { return false }
      isLocked = true
      return true
    }
  }

  package func unlock() { monitor.locked { isLocked = false } }

  // MARK: The world

  var image: Image {
    monitor.locked { Image(bytes: bytes, unsynced: unsynced, syncedByteCount: syncedByteCount) }
  }

  func restore(_ image: Image) {
    monitor.locked {
      bytes = image.bytes
      unsynced = image.unsynced
      syncedByteCount = image.syncedByteCount
    }
  }

  /// A power cut: of each sector written since the last sync the closure says whether it stays.
  func loseUnsynced(keeping isKept: () -> Bool) {
    monitor.locked {
      if bytes.count != syncedByteCount, !isKept() { resize(to: syncedByteCount) }
      for sector in unsynced.keys.sorted() where !isKept() {
        let start = sector * MemoryFile.sectorByteCount
        let durable = unsynced[sector] ?? []
        for index in 0..<MemoryFile.sectorByteCount where start + index < bytes.count {
          bytes[start + index] = index < durable.count ? durable[index] : 0
        }
      }
      unsynced.removeAll()
      syncedByteCount = bytes.count
    }
  }

  private func perform(
    _ call: MemoryDisk.Call, _ incarnation: Int, _ effect: (Bool) -> Void
  ) throws(LMDBError) {
    guard let disk else { return effect(true) }
    try disk.perform(call, incarnation, effect)
  }

  private func set(_ new: ArraySlice<UInt8>, at offset: Int) {
    monitor.locked {
      guard !new.isEmpty else { return }
      if offset > bytes.count { resize(to: offset) }
      let unit = MemoryFile.sectorByteCount
      for sector in offset / unit...(offset + new.count - 1) / unit where unsynced[sector] == nil {
        // Past the end there is nothing durable: zeros.
        let start = min(sector * unit, bytes.count)
        unsynced[sector] = Array(bytes[start..<min(start + unit, bytes.count)])
      }
      if offset + new.count > bytes.count {
        bytes.removeSubrange(offset...)
        bytes.append(contentsOf: new)
        return
      }
      bytes.replaceSubrange(offset..<offset + new.count, with: new)
    }
  }

  private func resize(to count: Int) {
    if count < bytes.count {
      bytes.removeSubrange(count...)
    } else {
      bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
    }
  }
}
