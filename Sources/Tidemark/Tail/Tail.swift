internal import Synchronization
internal import TidemarkEvents
internal import TidemarkLMDB

/// What this opening of the store has committed and LMDB does not hold yet: at most two segments, one
/// that grows and one on its way into LMDB.
///
/// `@unchecked`: every property is guarded by `monitor`.
final class Tail: @unchecked Sendable {
  private let monitor = Monitor()
  private var active: TailSegment?
  private var sealed: TailSegment?
  /// Events before it are committed.
  private var visibleLSN: UInt64 = 0
  private var failure: (any Error)?
  private var sharedJournal: Journal?
  /// Does on this thread what would be waited for, where there is no other; set before any write.
  var assist: (() -> Void)?
  /// What the hashes of keys are seeded with, so that nobody can choose ids that collide.
  let hashSeed = UInt64.random(in: .min ... .max)

  /// The segments as they are at one moment.
  struct View {
    let growing: TailSegment?
    let sealed: TailSegment?
    let visibleLSN: UInt64

    /// LMDB holds everything.
    static var empty: View { View(growing: nil, sealed: nil, visibleLSN: 0) }

    var isEmpty: Bool { growing == nil && sealed == nil }
    /// The newest first.
    var segments: [TailSegment] { [growing, sealed].compactMap { $0 } }
  }

  func locked<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    try monitor.locked(body)
  }

  var view: View {
    monitor.locked {
      View(growing: active, sealed: sealed, visibleLSN: visibleLSN)
    }
  }

  /// Whether nothing of a view has gone to LMDB since it was taken.
  func holds(_ view: View) -> Bool {
    monitor.locked {
      view.segments.allSatisfy { $0 === active || $0 === sealed }
    }
  }

  var journal: Journal? {
    get { monitor.locked { sharedJournal } }
    set { monitor.locked { sharedJournal = newValue } }
  }

  /// Another process has written since this one did, and may have left something in its journal.
  var isBehind: Bool {
    guard let journal else { return false }
    return journal.lastToken != journal.token
  }

  var isEmpty: Bool { monitor.locked { active?.isEmpty ?? true && sealed == nil } }

  var draining: TailSegment? { monitor.locked { sealed } }

  func begin(_ segment: TailSegment) {
    monitor.locked {
      active = segment
      visibleLSN = segment.firstLSN
    }
  }

  /// Makes what was written visible to readers.
  func publish(_ lsn: UInt64) { monitor.locked { visibleLSN = lsn } }

  /// Sends the growing segment on its way.
  /// - Precondition: none is on its way.
  func seal() -> TailSegment? {
    monitor.locked {
      precondition(sealed == nil)
      sealed = active
      active = nil
      return sealed
    }
  }

  /// Forgets the growing segment, which holds no entry: what it knows of rows may soon be old.
  func dropEmpty() {
    monitor.locked {
      if active?.isEmpty ?? false { active = nil }
    }
  }

  /// LMDB holds the sealed segment now, or could not take it.
  func didDrain(_ error: (any Error)?) {
    monitor.locked {
      failure = error
      if error == nil { sealed = nil }
      monitor.broadcast()
    }
  }

  /// Waits until nothing is on its way.
  /// - Throws: why LMDB could not take it; `busy`.
  func waitForDrain(waitSeconds: Double) throws {
    assist?()
    let deadline = Deadline.after(seconds: waitSeconds)
    try monitor.locked {
      while sealed != nil, failure == nil {
        guard monitor.wait(until: deadline) else {
          throw StoreError(
            .busy, "LMDB has not taken the journal for \(waitSeconds) seconds; try again")
        }
      }
      if let error = failure { throw error }
    }
  }

  /// Forgets a failure, before another attempt.
  func clearFailure() { monitor.locked { failure = nil } }

  /// Forgets everything: another process has brought it into LMDB.
  func discard() {
    assist?()
    monitor.locked {
      while sealed != nil, failure == nil { monitor.wait() }
      active = nil
      sealed = nil
      failure = nil
    }
  }
}
