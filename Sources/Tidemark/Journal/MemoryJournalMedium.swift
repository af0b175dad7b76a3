internal import TidemarkEvents
internal import TidemarkLMDB

/// A file of a journal in memory.
final class MemoryJournalMedium: JournalMedium {
  private let file: MemoryFile
  private let incarnation: Int

  init(_ opening: MemoryOpening, _ number: Int) {
    file = opening.disk.files[number]
    incarnation = opening.incarnation
  }

  func mapShared() throws -> UnsafeMutableRawPointer { unsafe file.shared }

  func byteCount() throws -> Int { file.byteCount }

  func write(_ bytes: RawSpan, at offset: Int) throws {
    try file.write(bytes, at: offset, incarnation)
  }

  func read(_ byteCount: Int, at offset: Int) throws -> [UInt8] {
    let bytes = file.read(byteCount, at: offset)
    return bytes + [UInt8](repeating: 0, count: byteCount - bytes.count)
  }

  func withBytes(_ byteCount: Int, _ body: (RawSpan) -> Void) throws {
    let bytes = file.read(byteCount, at: 0)
    body(bytes.rawBytes)
  }

  func truncate(to byteCount: Int) throws { try file.truncate(to: byteCount, incarnation) }
  func synchronize() throws { try file.synchronize(incarnation) }
  func lock() throws -> Bool { file.lock() }
  func unlock() { file.unlock() }
}
