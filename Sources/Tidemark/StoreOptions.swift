public import TidemarkAuthorization

/// What a commit survives.
public enum Durability: String, Sendable, CaseIterable {
  /// A power cut: a write returns when the disk has it. Writers that wait at once share one sync.
  case full
  /// The death of the process. A power cut loses at most what was written last: whole transactions
  /// from one on, never one before another that is kept.
  case relaxed
}

/// What a store does in this process.
public struct StoreOptions: Sendable {
  /// What a write's return promises.
  public var durability = Durability.full
  /// The wall clock, in milliseconds since 1970.
  public var wallMilliseconds: @Sendable () -> UInt64 = WallClock.milliseconds
  public var limits = StoreLimits()
  /// How long a write waits for another process's before it gives up with `busy`, in seconds.
  public var writeWaitSeconds = 10.0
  /// The address space that a store begins with, in bytes; it doubles when it is full, up to 1 TiB.
  public var mapByteCountInitial = 256 << 20
  /// Where the store lies in memory, and not in its directory, which then only names it.
  public var memory: StoreMemory?
  /// The app's own function, for rules with `allow: custom`; without it these allow nothing. It is
  /// asked on the thread that writes or reads, and must be a pure function of the question.
  public var customAuthorizer: (any CustomAuthorizer)?
  /// Nothing is written, and nothing can be.
  public var readOnly = false

  /// When rows move from memory to the tree, and from there to runs; small in tests.
  package var tuning = StoreTuning()
  /// Where new ids come from.
  package var entropy: @Sendable () -> UInt64 = {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }
  /// The store has no threads: what they would do is done by its callers, and in `runPosted`, so that
  /// one thread decides what happens when.
  package var isInline = false

  public init() {}
}

/// How many rows lie where before they move on.
package struct StoreTuning: Sendable {
  /// In a segment of the tail, before it is sent to LMDB.
  package var segmentRowCount = 1 << 16
  /// In a segment, for it to become a run and not go into the tree.
  package var runRowCount = 1 << 13
  /// In the tree, before it becomes a run.
  package var treeRowCount = 1 << 16
  /// Merged in one transaction.
  package var mergeStepRowCount = 1 << 18
  /// What a journal file begins with.
  package var journalByteCount = 1 << 20
  /// What it grows to while the writer is faster than LMDB.
  package var journalByteCountMax = Journal.fileByteCountMax
  /// After which a page of an exchange ends.
  package var pageByteCount = LogPage.byteCountMax

  package init() {}
}

/// A store's bounds.
public struct StoreLimits: Sendable {
  /// How far past an authority's clock a stamp may be before it is held to that clock: 2 minutes.
  public var driftMilliseconds: UInt64 = 120_000
  /// How many bytes of rejected transactions an authority keeps, the newest: 64 MiB.
  public var quarantineByteCountMax: UInt64 = 64 << 20

  public init() {}
}
