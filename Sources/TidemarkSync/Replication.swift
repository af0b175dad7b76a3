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
  /// Events of which the store's principals may read more than before.
  public internal(set) var disclosedCount = 0
  /// Events that came without their content, or have lost it, because none of them may read them.
  public internal(set) var withheldCount = 0
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
  /// - Parameter readers: for whom a device asks an authority: it is given what any of them may read,
  ///   and keeps no more of what it was given before. Where none has a credential that holds, it is given
  ///   nothing, and keeps all. `nil` for all that there is.
  /// - Throws: `StoreError` `early` or `fork` with everything before it taken.
  @discardableResult
  public static func merge(
    from source: Store, into target: Store, credentials: [Credential]? = nil,
    readers: [Credential]? = nil, progress: (MergeSummary) -> Void = { _ in }
  ) throws(StoreError) -> MergeSummary {
    var summary = MergeSummary()
    while let stop = try take(from: source, into: target, credentials, readers, &summary, progress)
    {
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
    _ readers: [Credential]?, _ summary: inout MergeSummary,
    _ progress: (MergeSummary) -> Void
  ) throws(StoreError) -> (failure: StoreError, dot: Dot?)? {
    let readers = readers.map { source.holding($0) }
    if readers?.isEmpty == true, try target.identity.role == .device { return nil }
    let logID = try source.identity.logID
    var cursor = try target.cursor(for: logID)
    let reader = try target.reading(for: readers, of: logID, policy: try source.identity.schema)
    var isContinued = false
    var reviewed: ReviewProgress?
    while true {
      let page = try source.page(
        after: cursor, for: try target.knowledge(reader: reader), isContinued: isContinued,
        credentials: credentials, reviewed: reviewed)
      let outcome = try target.take(page, from: logID)
      summary.add(outcome)
      summary.held = page.held
      progress(summary)
      if let failure = outcome.failure { return (failure, outcome.failedDot) }
      if let dot = page.withheldFrom {
        throw StoreError(
          .early,
          "\(dot) was withheld from the store that was asked, which gives on what it holds whole; sync with an authority"
        )
      }
      cursor = page.end
      reviewed = page.reviewed
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
  /// - Parameter readers: for whom a device asks its authority; see `merge`.
  /// - Returns: what went from `left` to `right`, and back.
  public static func sync(
    _ left: Store, _ right: Store, credentials: [Credential]? = nil,
    readers: [Credential]? = nil, progress: (MergeSummary) -> Void = { _ in }
  ) throws(StoreError) -> (toRight: MergeSummary, toLeft: MergeSummary) {
    if try left.identity.role == .authority, try right.identity.role == .device {
      let toLeft = try submit(right, to: left, credentials, progress)
      return (try merge(from: left, into: right, readers: readers, progress: progress), toLeft)
    }
    var toRight = try submit(left, to: right, credentials, progress)
    let toLeft = try merge(from: right, into: left, readers: readers, progress: progress)
    if !toLeft.forks.isEmpty {
      // What goes on under a new id has not been submitted yet.
      let again = try sync(
        left, right, credentials: credentials, readers: readers, progress: progress)
      toRight.add(again.toRight)
    }
    return (toRight, toLeft)
  }

  /// As `merge`, and heals a fork on the side of the source.
  private static func submit(
    _ source: Store, to target: Store, _ credentials: [Credential]?,
    _ progress: (MergeSummary) -> Void
  ) throws(StoreError) -> MergeSummary {
    var summary = MergeSummary()
    while let stop = try take(from: source, into: target, credentials, nil, &summary, progress) {
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
    disclosedCount += other.disclosedCount
    withheldCount += other.withheldCount
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
    disclosedCount += outcome.disclosedCount
    withheldCount += outcome.withheldCount
  }
}
