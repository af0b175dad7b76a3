public import TidemarkEvents

// A device may sync for principals: then an authority gives it what they may read (operation `sync`), and
// keeps to that as rights change. What it was given is judged anew when that may have changed: the
// *review* of an exchange, which comes before what is new.

/// For whom a store asks, and as of when what it holds was judged for them.
public struct ReaderKnowledge: Sendable {
  /// Whose rights count together: what any of them may read. `nil` for a store that is given all, whoever
  /// asks.
  public let principals: [Principal]?
  /// An lsn of the other's log: all that this store holds was judged as of it or later, by the same
  /// rules and for the same principals. `nil` for what has to be judged anew whole.
  public let asOf: UInt64?
  /// Those rules.
  public let policy: SchemaVersion
  /// Where all is judged anew: the dots of the transactions of which the store holds a portion.
  let portions: [StoreDifference.Range]

  /// Whether a store holds a portion of the transaction with a dot.
  /// - Complexity: O(log ranges).
  func holdsPortion(_ dot: Dot) -> Bool {
    var low = 0
    var high = portions.count
    while low < high {
      let middle = (low + high) / 2
      if Dot(portions[middle].replica, portions[middle].lastSeq) < dot {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < portions.count && portions[low].replica == dot.replica
      && portions[low].firstSeq <= dot.seq
  }
}

/// How far an exchange has judged anew what the other holds.
public struct ReviewProgress: Sendable, Hashable {
  /// The end of the log when the review began.
  public let asOf: UInt64
  /// The rules by which is judged. Where others have come since, it begins again.
  public let policy: SchemaVersion
  /// Whether all is judged anew, and not only what has changed.
  let isFull: Bool
  /// The lsn of the last transaction that was judged.
  public internal(set) var lsn: UInt64 = 0
  public internal(set) var isDone = false
}

/// What a device keeps of another log: for whom, by which rules, and as of when what it took was judged.
///
///   u64 fingerprint of the principals · u64 policy · u64 lsn
struct ReadingState: Hashable, Sendable {
  let fingerprint: UInt64
  let policy: SchemaVersion
  let asOf: UInt64

  func encode(into writer: inout ByteWriter) {
    writer.append(littleEndian: fingerprint)
    writer.append(littleEndian: policy.rawValue)
    writer.append(littleEndian: asOf)
  }

  init(fingerprint: UInt64, policy: SchemaVersion, asOf: UInt64) {
    self.fingerprint = fingerprint
    self.policy = policy
    self.asOf = asOf
  }

  init(from reader: inout ByteReader) throws(CodecError) {
    fingerprint = try reader.littleEndian(UInt64.self)
    policy = SchemaVersion(try reader.littleEndian(UInt64.self))
    asOf = try reader.littleEndian(UInt64.self)
  }

  /// Names principals whatever their order; 0 for a store that is given all. Another token of the same
  /// person, with other times, is the same.
  /// Claims left out: RFC 7519, 4.1.4 to 4.1.7; OpenID Connect Core 1.0, `auth_time`.
  static func fingerprint(_ principals: [Principal]?) -> UInt64 {
    guard let principals else { return 0 }
    let passing: Set<String> = ["exp", "nbf", "iat", "jti", "auth_time"]
    let encoded = principals.flatMap(\.credentials).map { credential -> [UInt8] in
      var lasting = credential
      lasting.claims.removeAll { passing.contains($0.name) }
      var writer = ByteWriter(capacity: 128)
      lasting.encode(into: &writer)
      return writer.toArray()
    }
    var writer = ByteWriter(capacity: 256)
    for bytes in encoded.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      writer.append(varint: bytes.count)
      writer.append(bytes)
    }
    return max(1, TransactionHash(of: writer.bytes).prefix)
  }
}

/// The value of the `peers` table: u64 lsn, u32 checksum; then, for a log that was read for principals, a
/// `ReadingState`.
struct PeerState {
  var cursor: LogCursor
  var reading: ReadingState?

  init(cursor: LogCursor, reading: ReadingState?) {
    self.cursor = cursor
    self.reading = reading
  }

  init(_ bytes: RawSpan) throws(CodecError) {
    var reader = ByteReader(bytes)
    let lsn = try reader.littleEndian(UInt64.self)
    cursor = LogCursor(lsn: lsn, checksum: try reader.littleEndian(UInt32.self))
    reading = reader.isAtEnd ? nil : try ReadingState(from: &reader)
  }

  var bytes: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.append(littleEndian: cursor.lsn)
    writer.append(littleEndian: cursor.checksum)
    reading?.encode(into: &writer)
    return writer.toArray()
  }
}
