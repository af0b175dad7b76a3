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

  let files: [JournalFile]
  /// Names this opening of the store among all of them.
  let token: UInt64
  private let shared: UnsafeMutableRawPointer
  private(set) var epoch: UInt64 = 0
  private var isDirectorySynchronized = false
  private let place: JournalPlace
  /// How large the files are to be; `JournalFile.extend` makes them so while they are not written.
  private let wished = Atomic<Int>(0)

  /// Asks for larger files.
  func wish(_ byteCount: Int) {
    wished.store(min(byteCount, Journal.fileByteCountMax), ordering: .relaxed)
  }

  var wishedByteCount: Int { wished.load(ordering: .relaxed) }

  /// Makes the files where there are none.
  /// - Throws: `StoreError`.
  init(_ place: JournalPlace, entropy: () -> UInt64) throws {
    self.place = place
    files = try (0...1).map { try JournalFile(place.medium($0)) }
    try files[0].extend(to: JournalFile.recordsOffset)
    token = entropy() | 1
    unsafe shared = try files[0].medium.mapShared()
  }

  /// The token of who wrote last, in any process.
  var lastToken: UInt64 {
    get { unsafe shared.load(as: UInt64.self) }
    set { unsafe shared.storeBytes(of: newValue, as: UInt64.self) }
  }

  /// Keeps other processes, and other openings in this one, from writing.
  /// - Throws: `busy` after so many seconds.
  func lock(waitSeconds: Double) throws {
    if try files[0].medium.lock() { return }
    let deadline = Deadline.after(seconds: waitSeconds)
    while try !files[0].medium.lock() {
      guard Deadline.now.nanoseconds < deadline.nanoseconds else {
        throw StoreError(
          .busy, "another process has been writing for \(waitSeconds) seconds; try again")
      }
      usleep(500)
    }
  }

  func unlock() { files[0].medium.unlock() }

  /// Begins to write a file from its front.
  func begin(_ number: Int, logID: UInt64, firstLSN: UInt64) throws {
    if !isDirectorySynchronized {
      // Whoever made the files may have died before their names were on the disk.
      try place.synchronizeNames()
      isDirectorySynchronized = true
    }
    epoch += 1
    try files[number].begin(epoch: epoch, logID: logID, firstLSN: firstLSN)
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
