public import TidemarkEvents
public import TidemarkSchema

/// One line of the log as people and programs read it: an event, the tombstone of one, or that there is
/// one which is withheld from this store.
public struct LogLine: Sendable {
  public enum Status: String, Sendable {
    /// No authority has decided yet.
    case pending
    case accepted
    case rejected
  }

  /// Its place in this log.
  public let lsn: UInt64
  /// The event's dot; for a tombstone the dot that it voids.
  public let dot: Dot
  public let isTombstone: Bool
  /// `nil` for a tombstone whose payload is not here, and for what is withheld.
  public internal(set) var event: Event?
  /// The model that the event names, as the schema that it was written under says.
  public let model: Model?
  /// The schema version that it was written under.
  public let schema: SchemaVersion?
  /// The event's stamp; for a tombstone, when it was decided.
  public let stamp: Stamp
  /// Where an authority held the stamp to its clock.
  public let effective: Stamp?
  /// What the author had seen; empty for a tombstone whose payload is not here.
  public let context: VersionVector
  /// The application's name for the transaction, or the dot of its first event.
  public let transaction: String
  /// The first dot of the refused transaction that this event's takes the place of.
  public internal(set) var cites: Dot?
  /// The dot of the transaction's first event, which names it and no other.
  public let transactionDot: Dot
  public let status: Status
  public let reason: Reason?
  /// The version of the rules that decided.
  public let policy: SchemaVersion?
  /// Who decided.
  public let authority: ReplicaID?
  /// When it was decided, by the authority's clock.
  public let decided: Stamp?
  /// The fields that are shown as null because who asked may not read them.
  public internal(set) var hidden: [String] = []

  /// Whether no principal of this store may read the event.
  public var isWithheld: Bool { !isTombstone && event == nil }

  public var kindName: String { isTombstone ? "tombstone" : event?.kind.name ?? "withheld" }
}

/// Which lines of the log are wanted.
public struct LogQuery: Sendable {
  /// By any name that it has had.
  public var model: String?
  public var id: RecordID?
  public var replica: ReplicaID?
  /// Only lines after this lsn.
  public var afterLSN: UInt64 = 0

  public init() {}

  func matches(_ line: LogLine, _ catalog: Catalog) -> Bool {
    if let replica, line.dot.replica != replica { return false }
    if let model {
      guard let name = line.model?.name, let number = catalog.modelNumber(named: model),
        number == catalog.modelNumber(named: name)
      else { return false }
    }
    if let id, line.event?.id != id { return false }
    return true
  }
}
