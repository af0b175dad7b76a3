public import TidemarkEvents

// Invariants of a record's state, for the set E of its events that no tombstone names:
//
//   writes     = the least vector that contains every create and update in E
//   deletes    = the least vector that contains every delete in E that counts
//   overturned = the least vector that contains every delete in E that a concurrent write overturned
//   a write e is live ⇔ deletes ≤ e.context
//   created    = the least rank of the live creates; nil ⇔ the record does not exist
//   updated    = the greatest rank of the live writes
//   register   = the live sets that no other live set has seen, greatest rank first
//   counter    = the sum of the live additions
//   set        = for each element the live adds that no live remove of it has seen
//
// Under causal delivery no event arrives after one that has seen it. So a delete that counts ends
// every write before it, and a remove or a set need only look back.

/// What folding one record's events gives: its fields with what competes for them, and what is
/// needed to fold in the next event.
///
/// Source of the rules: `Documentation/Semantics.md`. The set is an observed-remove set (Shapiro et
/// al., “A comprehensive study of CRDTs”, 2011), the register one with all maximal writes kept.
public struct RecordState: Hashable, Sendable {
  /// A value that competes for a register.
  public struct Candidate: Hashable, Sendable {
    public let rank: Rank
    public let value: Value

    public init(_ rank: Rank, _ value: Value) {
      self.rank = rank
      self.value = value
    }
  }

  /// An element of a set with the dots of the adds that hold it in.
  public struct Element: Hashable, Sendable {
    public let value: Value
    /// Sorted; never empty.
    public internal(set) var adds: [Dot]
  }

  public enum FieldState: Hashable, Sendable {
    /// Greatest rank first: the winner, then who lost to it without having been seen by it.
    case register([Candidate])
    /// Exact; more than an `Int64` can be shown for is shown as the nearest.
    case counter(Int128)
    /// Sorted by value.
    case set([Element])
  }

  public struct FieldEntry: Hashable, Sendable {
    public let field: FieldID
    public internal(set) var state: FieldState
  }

  /// Who owns: what the earliest live create gave an owner field, and the last update that changed it.
  public struct Ownership: Hashable, Sendable {
    public let field: FieldID
    public internal(set) var given: Candidate?
    public internal(set) var changed: Candidate?

    public var value: Value? { (changed ?? given)?.value }
  }

  public internal(set) var writes = VersionVector()
  public internal(set) var deletes = VersionVector()
  public internal(set) var overturned = VersionVector()
  public internal(set) var created: Rank?
  public internal(set) var updated: Rank?
  /// Sorted by field.
  public internal(set) var fields: [FieldEntry] = []
  /// Sorted by field; one for each owner field that a live write gave a value.
  public internal(set) var ownerships: [Ownership] = []

  public init() {}

  public var exists: Bool { created != nil }

  /// True where an author with this context had seen every event of the record.
  public func isSeen(by context: VersionVector) -> Bool {
    writes.isSubset(of: context) && deletes.isSubset(of: context)
      && overturned.isSubset(of: context)
  }

  /// True where it is plain that the record was there for an author with this context if it is there
  /// now: every event had been seen, or nobody ever deleted it and its create had been seen.
  public func isPlainlySeen(by context: VersionVector) -> Bool {
    if let created, deletes.isEmpty, overturned.isEmpty, context.contains(created.dot) {
      return true
    }
    return isSeen(by: context)
  }

  public func field(_ field: FieldID) -> FieldState? {
    fields.first { $0.field == field }?.state
  }

  /// The value that the view shows for a field; `nil` where no live write gave one.
  public func value(_ field: FieldID) -> Value? { self.field(field)?.value }

  /// What an owner field says for the rules: the earliest create's value, unless an update changed it.
  public func owner(_ field: FieldID) -> Value? {
    ownerships.first { $0.field == field }?.value
  }

  /// The registers for which concurrent writes compete.
  public var conflicts: [FieldID] {
    fields.compactMap {
      if case .register(let candidates) = $0.state, candidates.count > 1 { $0.field } else { nil }
    }
  }
}

extension RecordState.FieldState {
  public var value: Value {
    switch self {
    case .register(let candidates): candidates.first?.value ?? .null
    case .counter(let sum): .int(Int64(clamping: sum))
    case .set(let elements): .list(elements.map(\.value))
    }
  }
}
