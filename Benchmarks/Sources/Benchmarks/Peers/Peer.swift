import Foundation
import Synchronization

/// What a commit survives: the death of the process, or a power cut too.
enum Durability: String, Codable, Sendable {
  case relaxed, full
}

/// One store under test, in a child process of its own.
///
/// What a peer has no way to do returns `nil`, and its row stays out of the table.
protocol Peer: AnyObject, Sendable {
  /// Makes a store, or opens the one that is there.
  init(directory: String, durability: Durability) throws
  /// Prepares all strings and values of a workload; not timed.
  func load(_ workload: Workload) throws
  /// Writes operations of the workload with one commit. Threads may call it at once.
  func commit(_ operations: Range<Int>) throws
  /// As many threads as `writers` write the first operations, one a commit.
  func commitConcurrently(_ count: Int, writers: Int) throws
  func close() throws

  /// Reads the posts of these places, and returns how many there were.
  func get(_ posts: [UInt32]) throws -> Int?
  /// Reads all that there is.
  func scan() throws -> Int?
  /// Makes the state anew from the log, and returns how many events that took.
  func replay() throws -> Int?
  /// Reads one thing of the store that was opened just now.
  func touch() throws
  /// The bytes that the log alone takes on disk.
  func logBytes() throws -> Int?
}

extension Peer {
  func commitConcurrently(_ count: Int, writers: Int) throws {
    try WriterThreads.run(count, writers: writers) { try self.commit($0..<($0 + 1)) }
  }

  func get(_ posts: [UInt32]) throws -> Int? { nil }
  func scan() throws -> Int? { nil }
  func replay() throws -> Int? { nil }
  func logBytes() throws -> Int? { nil }
}

/// Threads that each write their share.
enum WriterThreads {
  static func run(
    _ count: Int, writers: Int, _ write: @escaping @Sendable (Int) throws -> Void
  ) throws {
    let failure = Mutex<(any Error)?>(nil)
    let group = DispatchGroup()
    for writer in 0..<writers {
      group.enter()
      let thread = Thread {
        defer { group.leave() }
        do {
          for index in stride(from: writer, to: count, by: writers) { try write(index) }
        } catch {
          failure.withLock { $0 = $0 ?? error }
        }
      }
      thread.stackSize = 1 << 20
      thread.start()
    }
    group.wait()
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
