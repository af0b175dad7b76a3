public import Tidemark
public import TidemarkEvents

/// What one direction of an exchange did.
public struct MergeSummary: Sendable {
  /// Events taken into the log.
  public internal(set) var takenCount = 0
  /// Events that the rules of the store that took them refused.
  public internal(set) var rejectedCount = 0
  /// The store's own events that an authority has accepted.
  public internal(set) var decidedCount = 0
  /// Dots that another's decision voided.
  public internal(set) var voidedCount = 0
  /// Forks met and healed: where each began, and the replica id under which the events go on.
  public internal(set) var forks: [Fork] = []
  /// Pending work that was not submitted, because nobody vouches for who wrote it.
  public internal(set) var held: [HeldWork] = []

  public struct Fork: Hashable, Sendable {
    public let dot: Dot
    public let replica: ReplicaID
    public let eventCount: Int
  }
}

/// The exchange of logs between stores that this process has open.
public enum Replication {
  /// How many forks one exchange heals. Copies that go on under one new id fork again where they
  /// differ, once for each copy that came before.
  private static let forkCountMax = 64

  /// Brings `target` all that `source` has and it lacks, through `target`'s acceptance: an authority
  /// judges, a device takes what is decided. Only `target` changes.
  ///
  /// Where `target` is a device whose undecided events have dots that `source` knows as others, it
  /// goes on under a new replica id.
  /// - Parameter credentials: whose pending work a device gives to an authority; `nil` for everybody's.
  /// - Throws: `StoreError` `early` or `fork` with everything before it taken.
  @discardableResult
  public static func merge(
    from source: Store, into target: Store, credentials: [Credential]? = nil,
    progress: (MergeSummary) -> Void = { _ in }
  ) throws(StoreError) -> MergeSummary {
    var summary = MergeSummary()
    while let stop = try take(from: source, into: target, credentials, &summary, progress) {
      guard stop.failure.code == .fork, let dot = stop.dot, summary.forks.count < forkCountMax,
        try target.identity.role == .device
      else { throw stop.failure }
      try summary.heal(dot, in: target)
    }
    return summary
  }

  /// Takes page after page.
  /// - Returns: what stopped it before the end, and the first dot of the item that did.
  private static func take(
    from source: Store, into target: Store, _ credentials: [Credential]?,
    _ summary: inout MergeSummary,
    _ progress: (MergeSummary) -> Void
  ) throws(StoreError) -> (failure: StoreError, dot: Dot?)? {
    let logID = try source.identity.logID
    var cursor = try target.cursor(for: logID)
    var isContinued = false
    while true {
      let page = try source.page(
        after: cursor, for: try target.knowledge(), isContinued: isContinued,
        credentials: credentials)
      let outcome = try target.take(page, from: logID)
      summary.add(outcome)
      summary.held = page.held
      progress(summary)
      if let failure = outcome.failure { return (failure, outcome.failedDot) }
      cursor = page.end
      isContinued = true
      if page.isLast { return nil }
    }
  }

  /// Both ways: up what an authority has to decide, down what it has decided. Between two stores of
  /// one role, each brings the other what it lacks.
  ///
  /// A device whose undecided events have dots that the authority knows as others goes on under a new
  /// replica id, and loses nothing.
  /// - Parameter credentials: whose pending work a device submits to its authority; `nil` for
  ///   everybody's. The rest is held, and said so.
  /// - Returns: what went from `left` to `right`, and back.
  public static func sync(
    _ left: Store, _ right: Store, credentials: [Credential]? = nil,
    progress: (MergeSummary) -> Void = { _ in }
  ) throws(StoreError) -> (toRight: MergeSummary, toLeft: MergeSummary) {
    if try left.identity.role == .authority, try right.identity.role == .device {
      let toLeft = try submit(right, to: left, credentials, progress)
      return (try merge(from: left, into: right, progress: progress), toLeft)
    }
    var toRight = try submit(left, to: right, credentials, progress)
    let toLeft = try merge(from: right, into: left, progress: progress)
    if !toLeft.forks.isEmpty {
      // What goes on under a new id has not been submitted yet.
      toRight.add(try sync(left, right, credentials: credentials, progress: progress).toRight)
    }
    return (toRight, toLeft)
  }

  /// As `merge`, and heals a fork on the side of the source.
  private static func submit(
    _ source: Store, to target: Store, _ credentials: [Credential]?,
    _ progress: (MergeSummary) -> Void
  ) throws(StoreError) -> MergeSummary {
    var summary = MergeSummary()
    while let stop = try take(from: source, into: target, credentials, &summary, progress) {
      guard stop.failure.code == .fork, let dot = stop.dot, summary.forks.count < forkCountMax,
        try source.identity.role == .device, try target.identity.role == .authority
      else { throw stop.failure }
      try summary.heal(dot, in: source)
    }
    return summary
  }
}

extension MergeSummary {
  fileprivate mutating func add(_ other: MergeSummary) {
    takenCount += other.takenCount
    rejectedCount += other.rejectedCount
    decidedCount += other.decidedCount
    voidedCount += other.voidedCount
    forks += other.forks
    held = other.held
  }

  /// Lets a device go on under a new replica id from a dot on that is another's elsewhere.
  fileprivate mutating func heal(_ dot: Dot, in device: Store) throws(StoreError) {
    let moved = try device.reissue(from: dot)
    forks.append(Fork(dot: dot, replica: moved.replica, eventCount: moved.eventCount))
  }

  fileprivate mutating func add(_ outcome: PageOutcome) {
    takenCount += outcome.takenCount
    rejectedCount += outcome.rejectedCount
    decidedCount += outcome.decidedCount
    voidedCount += outcome.voidedCount
  }
}
