public import TidemarkEvents
public import TidemarkSchema

/// A verdict that would be another under a candidate's rules.
public struct VerdictChange: Sendable {
  public enum Verdict: String, Sendable {
    case accepted, rejected, pending
  }

  public let dot: Dot
  /// The dot of the transaction's first event: what is refused is refused together.
  public let transactionDot: Dot
  public let kind: EventKind
  public let model: String
  public let id: RecordID
  public let principal: Principal
  /// What became of it, or has not yet: `pending` stands for what the rules of now would accept.
  public let was: Verdict
  /// Why, where it was refused.
  public let wasReason: Reason?
  /// `accepted` or `rejected`.
  public let now: Verdict
  /// Why it would be refused.
  public let reason: Reason?
  /// The candidate's rule that would allow or refuse it; `nil` where none covers it.
  public var rule: String? { reason == nil ? allowedBy : reason?.rule }
  let allowedBy: String?

  /// Whether work that waits on this device would be lost.
  public var losesPendingWork: Bool { was == .pending && now == .rejected }
}

/// What replaying a log under a candidate came to.
public struct DryRun: Sendable {
  /// How many verdicts would change.
  public struct Count: Sendable, Hashable {
    public internal(set) var refused = 0
    public internal(set) var allowed = 0
    /// Of the refused, those that wait on this device.
    public internal(set) var lost = 0

    public var total: Int { refused + allowed }
  }

  public let candidate: SchemaVersion
  /// What adopting the candidate changes in the schema.
  public let schemaChanges: [SchemaChange]
  /// Events that were judged.
  public internal(set) var eventCount = 0
  /// Refused events whose payload is not kept here, so that they cannot be judged.
  public internal(set) var unknownCount = 0
  public internal(set) var count = Count()
  /// By the candidate's rule, or where none covers an event by the reason's code.
  public internal(set) var byRule: [String: Count] = [:]
  /// By subject; `""` for who is anonymous.
  public internal(set) var byUser: [String: Count] = [:]
  /// By the replica that wrote it.
  public internal(set) var byDevice: [ReplicaID: Count] = [:]

  /// Past so many, users and rules are counted together under `…`.
  public static let groupCountMax = 10_000

  mutating func note(_ change: VerdictChange) {
    func add(_ count: inout Count) {
      if change.now == .rejected { count.refused += 1 } else { count.allowed += 1 }
      if change.losesPendingWork { count.lost += 1 }
    }
    func add(_ key: String, _ counts: inout [String: Count]) {
      let isRoom = counts[key] != nil || counts.count < DryRun.groupCountMax
      add(&counts[isRoom ? key : "…", default: Count()])
    }
    add(&count)
    add(change.rule ?? change.reason?.code ?? "", &byRule)
    add(change.principal.subject ?? "", &byUser)
    add(&byDevice[change.dot.replica, default: Count()])
  }
}

extension Store {
  /// Replays the log under a candidate schema and its rules, and calls `body` with each verdict that
  /// would be another, in the order of the log, until it returns false. Nothing is written.
  ///
  /// Every transaction is judged as an authority with the candidate would that takes them in this
  /// log's order: what it refuses has no effect on what comes after. An authority judges what it
  /// refused too, as far as the payload is kept. What is pending on a device is judged as it would be
  /// if the candidate held from now on: on what was decided as it was decided; and once more so by the
  /// current rules, to tell what the candidate alone would lose.
  /// - Throws: `StoreError` `schema` where the candidate does not parse; what `body` throws.
  /// - Complexity: O(events) in time, O(records + events) in memory, a few words for each event.
  public func dryRun(
    schema source: String, _ body: (VerdictChange) throws -> Bool = { _ in true }
  ) throws(StoreError) -> DryRun {
    do {
      _ = try Schema.parse(source)
    } catch {
      throw StoreError(.schema, "\(error.line):\(error.column): \(error.message)")
    }
    return try read { tx, snapshot in
      let catalog = try snapshot.tables.catalog(tx, adopting: source)
      var run = DryRun(
        candidate: SchemaVersion(source: source),
        schemaChanges: snapshot.catalog.changes(to: catalog))
      let past = LogJudge(snapshot, catalog, isOnward: false)
      // What waits has no verdict yet: the rules of now say what it would be.
      let hasPending = try snapshot.firstPending(tx) != nil
      let onward = hasPending ? LogJudge(snapshot, catalog, isOnward: true) : nil
      let present = hasPending ? LogJudge(snapshot, snapshot.catalog, isOnward: true) : nil
      var goesOn = true
      try snapshot.forEachTransaction(tx) { item in
        var verdict = try past.judge(item, tx)
        if let onward = try onward?.judge(item, tx), item.was == .pending { verdict = onward }
        let now = try present?.judge(item, tx)
        run.eventCount += item.events.count
        guard goesOn else { return }
        for change in item.changes(verdict, now: now, snapshot.catalog) {
          run.note(change)
          goesOn = try goesOn && body(change)
        }
      } unknown: {
        run.unknownCount += $0
      }
      return run
    }
  }
}
