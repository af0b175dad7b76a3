internal import TidemarkLMDB

/// The bytes of one of a journal's files, wherever they lie.
protocol JournalMedium: AnyObject {
  /// The page that everybody who has the file open shares, until the medium is let go.
  /// - Throws: `StoreError`.
  func mapShared() throws -> UnsafeMutableRawPointer
  func byteCount() throws -> Int
  func write(_ bytes: RawSpan, at offset: Int) throws
  /// Fewer bytes where the file ends, or zeros for those that are missing.
  func read(_ byteCount: Int, at offset: Int) throws -> [UInt8]
  /// Calls `body` with the first bytes of the file.
  func withBytes(_ byteCount: Int, _ body: (RawSpan) -> Void) throws
  func truncate(to byteCount: Int) throws
  /// Returns when all that was written is on the disk.
  func synchronize() throws
  /// Takes the file's lock; false where somebody else has it.
  func lock() throws -> Bool
  func unlock()
}
