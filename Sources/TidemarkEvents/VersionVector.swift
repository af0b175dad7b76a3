/// Replica → highest seq known. A log knows a prefix of every replica's events, so a vector says
/// exactly which events a log holds.
///
/// Invariants: entries are sorted by replica, every seq is at least 1.
public struct VersionVector: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let replica: ReplicaID
    public var seq: UInt64

    public init(replica: ReplicaID, seq: UInt64) {
      self.replica = replica
      self.seq = seq
    }
  }

  /// Sorted by replica.
  public private(set) var entries: [Entry]

  public init() {
    entries = []
  }

  public init(_ pairs: some Sequence<(ReplicaID, UInt64)>) {
    entries = []
    for (replica, seq) in pairs { raise(replica, to: seq) }
  }

  public var isEmpty: Bool { entries.isEmpty }

  /// The highest seq known of a replica; 0 when none is.
  /// - Complexity: O(log n) in the number of replicas; the setter is O(n).
  public subscript(replica: ReplicaID) -> UInt64 {
    let index = position(of: replica)
    guard index < entries.count, entries[index].replica == replica else { return 0 }
    return entries[index].seq
  }

  /// Sets a replica's seq, up or down; 0 removes it.
  public mutating func set(_ replica: ReplicaID, to seq: UInt64) {
    let index = position(of: replica)
    let found = index < entries.count && entries[index].replica == replica
    if seq == 0 {
      if found { entries.remove(at: index) }
    } else if found {
      entries[index].seq = seq
    } else {
      entries.insert(Entry(replica: replica, seq: seq), at: index)
    }
  }

  /// Adds an entry behind all others, as a decoder meets them.
  mutating func appendSorted(_ replica: ReplicaID, _ seq: UInt64) {
    entries.append(Entry(replica: replica, seq: seq))
  }

  /// Sets a replica's seq where that is higher than the one known.
  public mutating func raise(_ replica: ReplicaID, to seq: UInt64) {
    if seq > self[replica] { set(replica, to: seq) }
  }

  /// True where the event with this dot is among those known.
  public func contains(_ dot: Dot) -> Bool { self[dot.replica] >= dot.seq }

  /// The least vector at or above both.
  public mutating func formUnion(_ other: VersionVector) {
    for entry in other.entries { raise(entry.replica, to: entry.seq) }
  }

  /// The entries that are higher here than in an earlier vector.
  public func risen(since earlier: VersionVector) -> VersionVector {
    VersionVector(
      entries.lazy.filter { earlier[$0.replica] < $0.seq }.map { ($0.replica, $0.seq) })
  }

  /// True where everything known here is known there.
  /// - Complexity: O(n + m).
  public func isSubset(of other: VersionVector) -> Bool {
    var index = 0
    for entry in entries {
      while index < other.entries.count, other.entries[index].replica < entry.replica { index += 1 }
      guard index < other.entries.count, other.entries[index].replica == entry.replica,
        other.entries[index].seq >= entry.seq
      else { return false }
    }
    return true
  }

  private func position(of replica: ReplicaID) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].replica < replica { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension VersionVector: CustomStringConvertible {
  /// `REPLICA:SEQ,REPLICA:SEQ`, sorted by replica; `-` when empty.
  public var description: String {
    entries.isEmpty
      ? "-" : entries.map { "\($0.replica):\($0.seq)" }.joined(separator: ",")
  }

  /// Reads what `description` writes.
  public init?(_ text: String) {
    self.init()
    if text == "-" || text.isEmpty { return }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let dot = Dot(String(part)), self[dot.replica] == 0 else { return nil }
      set(dot.replica, to: dot.seq)
    }
  }
}
