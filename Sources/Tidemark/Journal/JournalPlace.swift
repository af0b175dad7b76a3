internal import TidemarkLMDB

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
