internal import Synchronization
internal import TidemarkEvents
internal import TidemarkLMDB

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

// The first page of the first file is shared by all processes that have the store open, through
// their maps; none of it need outlive a power cut:
//
//   u64 token of who wrote last

/// The log's doorstep: a commit is written here first, with one write, and in `full` one sync of a
/// file that does not grow; LMDB follows in batches.
///
/// Two files take turns: one is written, the other's entries are on their way into LMDB.
///
/// Who writes holds `lock`, save the drain, which only brings into LMDB what is here. Whoever takes it
/// and finds another's token looks first whether there are records that LMDB lacks: `recover`.
@safe final class Journal {
  /// What a file grows to; it doubles when the writer has to wait for LMDB.
  static let fileByteCountMax = 16 << 20
  private static let sharedByteCount = 4096

  let files: [JournalFile]
  /// Names this opening of the store among all of them.
  let token: UInt64
  private let shared: UnsafeMutableRawPointer
  private(set) var epoch: UInt64 = 0
  private var isDirectorySynchronized = false
  private let directory: String
  /// How large the files are to be; `JournalFile.extend` makes them so while they are not written.
  private let wished = Atomic<Int>(0)

  /// Asks for larger files.
  func wish(_ byteCount: Int) {
    wished.store(min(byteCount, Journal.fileByteCountMax), ordering: .relaxed)
  }

  var wishedByteCount: Int { wished.load(ordering: .relaxed) }

  static func path(_ directory: String, _ place: Int) -> String { "\(directory)/journal-\(place)" }

  static func exists(in directory: String) -> Bool {
    (0...1).allSatisfy { unsafe access(path(directory, $0), F_OK) == 0 }
  }

  /// Makes the files where there are none.
  /// - Throws: `StoreError`.
  init(directory: String) throws {
    self.directory = directory
    files = try (0...1).map { try JournalFile(path: Journal.path(directory, $0)) }
    try files[0].extend(to: JournalFile.recordsOffset)
    var generator = SystemRandomNumberGenerator()
    token = UInt64.random(in: 1...UInt64.max, using: &generator)
    let map = unsafe mmap(
      nil, Journal.sharedByteCount, PROT_READ | PROT_WRITE, MAP_SHARED, files[0].descriptor, 0)
    guard let map = unsafe map, unsafe map != MAP_FAILED else {
      throw StoreError.system("map \(files[0].path)", errno)
    }
    unsafe shared = map
  }

  deinit { unsafe munmap(shared, Journal.sharedByteCount) }

  private static func synchronize(directory: String) throws {
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreError.system("open \(directory)", errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw StoreError.system("sync \(directory)", errno) }
  }

  /// The token of who wrote last, in any process.
  var lastToken: UInt64 {
    get { unsafe shared.load(as: UInt64.self) }
    set { unsafe shared.storeBytes(of: newValue, as: UInt64.self) }
  }

  /// Keeps other processes, and other openings in this one, from writing.
  /// - Throws: `busy` after so many seconds.
  func lock(waitSeconds: Double) throws {
    if flock(files[0].descriptor, LOCK_EX | LOCK_NB) == 0 { return }
    let deadline = Deadline.after(seconds: waitSeconds)
    while flock(files[0].descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        throw StoreError.system("lock \(files[0].path)", errno)
      }
      guard Deadline.now.nanoseconds < deadline.nanoseconds else {
        throw StoreError(
          .busy, "another process has been writing for \(waitSeconds) seconds; try again")
      }
      usleep(500)
    }
  }

  func unlock() { flock(files[0].descriptor, LOCK_UN) }

  /// Begins to write a file from its front.
  func begin(_ place: Int, logID: UInt64, firstLSN: UInt64) throws {
    if !isDirectorySynchronized {
      // Whoever made the files may have died before their names were on the disk.
      try Journal.synchronize(directory: directory)
      isDirectorySynchronized = true
    }
    epoch += 1
    try files[place].begin(epoch: epoch, logID: logID, firstLSN: firstLSN)
  }

  /// LMDB holds all that the files do: whoever opens the store next need not read them.
  func clear() throws {
    for file in files where file.byteCount > JournalFile.recordsOffset {
      try file.truncate(to: JournalFile.recordsOffset)
    }
  }

  /// The whole records of both files from an lsn on, in the order in which they were written.
  func recover(logID: UInt64, from lsn: UInt64) throws -> [(lsn: UInt64, bytes: [UInt8])] {
    var found: [(epoch: UInt64, records: [(lsn: UInt64, bytes: [UInt8])])] = []
    for file in files {
      if let recovered = try file.recover(logID: logID, from: lsn) { found.append(recovered) }
    }
    found.sort { $0.epoch < $1.epoch }
    epoch = max(epoch, found.last?.epoch ?? 0)
    return found.flatMap(\.records)
  }
}
