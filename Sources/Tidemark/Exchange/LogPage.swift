public import TidemarkEvents

/// How far a log was taken: an entry's lsn, and its checksum, which tells whether it is still the same log.
public struct LogCursor: Hashable, Sendable {
  public let lsn: UInt64
  public let checksum: UInt32

  public init(lsn: UInt64, checksum: UInt32) {
    self.lsn = lsn
    self.checksum = checksum
  }
}

/// What a store tells another so that it is given what it lacks.
public struct PeerKnowledge: Sendable {
  public let role: StoreRole
  /// Every event that it holds.
  public let vector: VersionVector
  /// Every event of whose decision it knows.
  public let decided: VersionVector
  public let schemas: Set<SchemaVersion>
  /// For whom a device asks; `nil` where it was and is given all.
  public let reader: ReaderKnowledge?
}

/// A part of a log on its way to another.
public struct LogPage: Sendable {
  /// Sources of schema versions that the other does not know, in the order they came.
  public let schemas: [String]
  public let items: [LogItem]
  /// The lsn that it was read from.
  public let start: UInt64
  /// What the other was known to hold when the page was made, and is therefore left out.
  public let assumed: VersionVector
  /// Where the next page begins; `nil` where the log is empty.
  public let end: LogCursor?
  public let isLast: Bool
  /// Pending work that is not in it, because nobody vouches for who wrote it.
  public let held: [HeldWork]
  /// For a device that asks for principals: for whom, by what and as of when it was judged.
  let reading: ReadingState?
  /// How far what the other holds has been judged anew; the next page is asked for with it.
  public let reviewed: ReviewProgress?
  /// The first dot of a transaction that ends the page: the source holds a portion of it, and gives on
  /// nothing but what it holds whole.
  public let withheldFrom: Dot?

  public static let byteCountMax = 4 << 20

  package init(
    schemas: [String], items: [LogItem], start: UInt64 = 1,
    assumed: VersionVector = VersionVector(),
    end: LogCursor?, isLast: Bool, held: [HeldWork] = []
  ) {
    self.init(
      schemas: schemas, items: items, start: start, assumed: assumed, end: end, isLast: isLast,
      held: held, reading: nil, reviewed: nil, withheldFrom: nil)
  }

  init(
    schemas: [String], items: [LogItem], start: UInt64, assumed: VersionVector, end: LogCursor?,
    isLast: Bool, held: [HeldWork], reading: ReadingState?, reviewed: ReviewProgress?,
    withheldFrom: Dot?
  ) {
    self.schemas = schemas
    self.items = items
    self.start = start
    self.assumed = assumed
    self.end = end
    self.isLast = isLast
    self.held = held
    self.reading = reading
    self.reviewed = reviewed
    self.withheldFrom = withheldFrom
  }
}

/// What became of a page.
public struct PageOutcome: Sendable {
  /// Events taken into the log.
  public internal(set) var takenCount = 0
  /// Events that the rules here refused.
  public internal(set) var rejectedCount = 0
  /// This store's own events whose acceptance was news.
  public internal(set) var decidedCount = 0
  /// Dots voided by another's decision.
  public internal(set) var voidedCount = 0
  /// Events that were here already.
  public internal(set) var knownCount = 0
  /// Events of which this store's principals may read more than before.
  public internal(set) var disclosedCount = 0
  /// Events that came without their content, or have lost it, because none of this store's principals
  /// may read them.
  public internal(set) var withheldCount = 0
  /// What ended the page early: everything before it was taken.
  public internal(set) var failure: StoreError?
  /// The first dot of the item that failed.
  public internal(set) var failedDot: Dot?
}
