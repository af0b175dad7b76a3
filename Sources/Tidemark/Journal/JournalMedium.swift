internal import TidemarkLMDB

/// The bytes of one of a journal's files, wherever they lie.
protocol JournalMedium: AnyObject {
  var path: String { get }
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

/// Where a journal's files are.
enum JournalPlace {
  case directory(String)
  case memory(MemoryOpening)

  init(_ directory: String, _ environment: Environment) {
    self = environment.memory.map(JournalPlace.memory) ?? .directory(directory)
  }

  var hasJournal: Bool {
    switch self {
    case .directory(let directory): JournalFiles.exist(in: directory)
    case .memory(let opening): opening.disk.journalExists
    }
  }

  func medium(_ number: Int) throws -> any JournalMedium {
    switch self {
    case .directory(let directory):
      return try SystemJournalMedium(path: JournalFiles.path(directory, number))
    case .memory(let opening):
      opening.disk.journalExists = true
      return MemoryJournalMedium(opening, number)
    }
  }

  /// Makes the names of the files durable.
  func synchronizeNames() throws {
    if case .directory(let directory) = self { try JournalFiles.synchronize(directory) }
  }
}

/// What a store's data file is by: its inode.
func anchor(_ directory: String, _ environment: Environment) -> UInt64 {
  environment.memory?.disk.inode ?? inode(directory + "/data.mdb")
}

/// A file of a journal in memory.
final class MemoryJournalMedium: JournalMedium {
  private let file: MemoryFile
  private let incarnation: Int
  let path: String

  init(_ opening: MemoryOpening, _ number: Int) {
    file = opening.disk.files[number]
    incarnation = opening.incarnation
    path = "journal-\(number) in memory"
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
