public import TidemarkEvents

// An entry of the log: what this log adds to a transaction, or a decision. Every entry ends with a
// CRC-32C, seeded by that of its lsn, so that an entry in another's place shows. It covers what is
// before it, but for a transaction's bytes, which have checksums of their own.
//
//   1 transaction   decision, u32 byte count, the transaction's bytes; then for each event a varint:
//                   how many lsns back the record's entry before it stands, 0 for none
//   2 rejection     u64 replica, varint first seq, varint count, 32 bytes hash, u64 last stamp,
//                   u64 schema, context change, decision, label (counted; empty for none),
//                   then for each dot: counted reason, counted rule, counted message
//   3 acceptance    u64 replica, varint first seq, varint last seq, decision
//   4 withdrawal    u64 replica, varint first seq, varint count: these events of this store go on
//                   under another replica, because somebody else used their dots
//   5 adoption      u64 schema, u64 stamp: from here on this log is judged by that version
//   6 portion       what of a transaction this store may read; see `PortionEntry`
//
//   decision        u8 0 none; or 1, u64 policy, u64 stamp, u64 authority's replica,
//                   varint count of clamps, each varint seq, u64 effective stamp
//
// A transaction, a portion and a rejection take one lsn for each of their events, the others one.

/// What an authority decided of a transaction, beside accepted or rejected.
public struct DecisionRecord: Hashable, Sendable {
  public struct Clamp: Hashable, Sendable {
    public let seq: UInt64
    public let effective: Stamp

    public init(seq: UInt64, effective: Stamp) {
      self.seq = seq
      self.effective = effective
    }
  }

  /// The version of the schema whose rules were applied.
  public let policy: SchemaVersion
  /// When the authority decided, by its clock.
  public let stamp: Stamp
  public let authority: ReplicaID
  /// The events whose stamps were too far in the future.
  public let clamps: [Clamp]

  public init(policy: SchemaVersion, stamp: Stamp, authority: ReplicaID, clamps: [Clamp]) {
    self.policy = policy
    self.stamp = stamp
    self.authority = authority
    self.clamps = clamps
  }
}

/// Why a dot is void.
public struct Reason: Hashable, Sendable {
  /// A `ReasonCode`'s raw value, or that of a later version.
  public let code: String
  /// The rule that refused; `nil` where none covers the operation.
  public let rule: String?
  /// For people.
  public let message: String

  /// The code of a reason that is another author's alone.
  public static let withheldCode = "withheld"

  public init(code: String, rule: String?, message: String) {
    self.code = code
    self.rule = rule
    self.message = message
  }
}

/// A rejected transaction as every log keeps it: its dots are void, its payload is elsewhere.
public struct RejectionEntry: Hashable, Sendable {
  public let replica: ReplicaID
  public let firstSeq: UInt64
  public let hash: TransactionHash
  /// The stamp of the transaction's last event.
  public let lastStamp: Stamp
  public let schema: SchemaVersion
  public let contextChange: VersionVector
  public let decision: DecisionRecord
  public let label: String?
  /// For each dot.
  public let reasons: [Reason]

  public var lastSeq: UInt64 { firstSeq + UInt64(reasons.count) - 1 }
  public func dot(_ index: Int) -> Dot { Dot(replica, firstSeq + UInt64(index)) }
}

struct AcceptanceEntry: Hashable, Sendable {
  let replica: ReplicaID
  let firstSeq: UInt64
  let lastSeq: UInt64
  let decision: DecisionRecord
}

struct WithdrawalEntry: Hashable, Sendable {
  let replica: ReplicaID
  let firstSeq: UInt64
  let count: UInt64
}

struct AdoptionEntry: Hashable, Sendable {
  let schema: SchemaVersion
  let stamp: Stamp
}

/// An entry, borrowed from the log.
enum LogEntry: ~Escapable {
  case transaction(TransactionEntry)
  case rejection(RejectionEntry)
  case acceptance(AcceptanceEntry)
  case withdrawal(WithdrawalEntry)
  case adoption(AdoptionEntry)
  case portion(PortionEntry)

  /// - Throws: `CodecError`, `checksum` among its codes, for an entry that is damaged.
  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, lsn: UInt64) throws(CodecError) {
    guard bytes.byteCount > 4 else { throw CodecError(.truncated, "log entry \(lsn)") }
    let end = bytes.byteCount - 4
    let covered = unsafe bytes.extracting(unchecked: 0..<end)
    var tail = ByteReader(bytes, at: end)
    let expected = try tail.littleEndian(UInt32.self)
    var reader = ByteReader(covered)
    let kind = try reader.byte()
    if kind == 1 {
      self = .transaction(try TransactionEntry(&reader, lsn: lsn, checksum: expected))
      return
    }
    guard expected == LogEntry.checksum(covered, lsn: lsn) else {
      throw CodecError(.checksum, "log entry \(lsn)")
    }
    switch kind {
    case 2: self = .rejection(try RejectionEntry(from: &reader))
    case 3: self = .acceptance(try AcceptanceEntry(from: &reader))
    case 4: self = .withdrawal(try WithdrawalEntry(from: &reader))
    case 5: self = .adoption(try AdoptionEntry(from: &reader))
    case 6: self = .portion(try PortionEntry(from: &reader))
    default: throw CodecError(.newerFormat, "log entry \(lsn) of kind \(kind)")
    }
  }

  static func checksum(_ covered: RawSpan, lsn: UInt64) -> UInt32 {
    crc32c(covered, seed: seed(lsn))
  }

  static func seed(_ lsn: UInt64) -> UInt32 {
    var lsn = lsn.littleEndian
    return unsafe withUnsafeBytes(of: &lsn) { unsafe crc32c(RawSpan(_unsafeBytes: $0)) }
  }

  /// Ends an entry that has been written so far.
  static func seal(_ writer: inout ByteWriter, lsn: UInt64) {
    let checksum = checksum(writer.bytes, lsn: lsn)
    writer.append(littleEndian: checksum)
  }
}

/// A transaction with what this log knows of it.
struct TransactionEntry: ~Escapable {
  /// `nil` where an acceptance or rejection later in the log decides it, or nothing yet.
  let decision: DecisionRecord?
  let transaction: TransactionReader
  private let chain: RawSpan

  @_lifetime(copy reader)
  fileprivate init(
    _ reader: inout ByteReader, lsn: UInt64, checksum expected: UInt32
  ) throws(CodecError) {
    decision = try DecisionRecord(optionalFrom: &reader)
    let byteCount = Int(try reader.littleEndian(UInt32.self))
    let before = crc32c(reader.consumed, seed: LogEntry.seed(lsn))
    guard byteCount <= Limits.transactionByteCountMax else {
      throw CodecError(.outOfBounds, "transaction")
    }
    let bytes = try reader.take(byteCount)
    chain = try reader.take(reader.remaining)
    guard crc32c(chain, seed: before) == expected else {
      throw CodecError(.checksum, "log entry \(lsn)")
    }
    transaction = try TransactionReader(bytes)
  }

  /// How far back the entry before an event's stands in its record's chain; 0 for none.
  /// - Complexity: O(index).
  func distance(_ index: Int) throws(CodecError) -> UInt64 {
    var reader = ByteReader(chain)
    for _ in 0..<index { _ = try reader.varint() }
    return try reader.varint()
  }

  /// `distance` of every event.
  func distances() throws(CodecError) -> [UInt64] {
    var reader = ByteReader(chain)
    var distances: [UInt64] = []
    for _ in 0..<transaction.header.eventCount { distances.append(try reader.varint()) }
    return distances
  }

  static func encode(
    _ transaction: RawSpan, decision: DecisionRecord?, distances: [UInt64], lsn: UInt64,
    into writer: inout ByteWriter
  ) {
    let transactionOffset = encodePrefix(decision, into: &writer)
    writer.append(transaction)
    encodeSuffix(distances, lsn: lsn, transactionOffset: transactionOffset, into: &writer)
  }

  /// The byte count that stands before a transaction.
  static func transactionByteCount(_ prefix: RawSpan) -> Int {
    var reader = ByteReader(prefix, at: prefix.byteCount - 4)
    return Int((try? reader.littleEndian(UInt32.self)) ?? 0)
  }

  /// The event at a position in an entry.
  @_lifetime(copy entry)
  static func event(in entry: RawSpan, at position: Position) throws(CodecError) -> EventReader {
    let prefix = try transactionOffset(in: entry)
    let transaction = unsafe entry.extracting(unchecked: prefix..<entry.byteCount)
    return try EventReader(
      transaction, index: Int(position.index), offset: Int(position.offset) - prefix)
  }

  /// The dot of the event at a position.
  static func dot(in entry: RawSpan, at position: Position) throws(CodecError) -> Dot {
    let start = try transactionOffset(in: entry)
    var reader = ByteReader(entry, at: start + 2)
    let replica = ReplicaID(try reader.littleEndian(UInt64.self))
    try reader.skip(16)
    return Dot(replica, try reader.littleEndian(UInt64.self) &+ UInt64(position.index))
  }

  /// Where an entry's transaction stands.
  static func transactionRange(
    in entry: RawSpan
  ) throws(CodecError) -> (start: Int, byteCount: Int) {
    let start = try transactionOffset(in: entry)
    return (start, transactionByteCount(entry.extracting(0..<start)))
  }

  /// Where an entry's transaction begins.
  private static func transactionOffset(in entry: RawSpan) throws(CodecError) -> Int {
    var reader = ByteReader(entry)
    guard try reader.byte() == 1 else { throw CodecError(.malformed, "log entry") }
    if try reader.byte() == 1 {
      try reader.skip(24)
      for _ in 0..<(try reader.count("clamps", max: Limits.transactionEventCountMax)) {
        _ = try reader.varint()
        try reader.skip(8)
      }
    }
    try reader.skip(4)
    return reader.offset
  }

  /// Writes what stands before the transaction.
  /// - Returns: where the transaction begins.
  static func encodePrefix(_ decision: DecisionRecord?, into writer: inout ByteWriter) -> Int {
    writer.append(1 as UInt8)
    DecisionRecord.encode(decision, into: &writer)
    writer.append(littleEndian: 0 as UInt32)
    return writer.count
  }

  /// Writes what stands behind the transaction, and its byte count before it.
  static func encodeSuffix(
    _ distances: [UInt64], lsn: UInt64, entryOffset: Int = 0, transactionOffset: Int,
    into writer: inout ByteWriter
  ) {
    let end = writer.count
    writer.patch(
      littleEndian: UInt32(truncatingIfNeeded: end - transactionOffset), at: transactionOffset - 4)
    for distance in distances { writer.append(varint: distance) }
    let before = writer.checksum(entryOffset..<transactionOffset, seed: LogEntry.seed(lsn))
    writer.append(littleEndian: writer.checksum(end..<writer.count, seed: before))
  }
}

extension DecisionRecord {
  static func encode(_ decision: DecisionRecord?, into writer: inout ByteWriter) {
    guard let decision else { return writer.append(0 as UInt8) }
    writer.append(1 as UInt8)
    writer.append(littleEndian: decision.policy.rawValue)
    writer.append(littleEndian: decision.stamp.rawValue)
    writer.append(littleEndian: decision.authority.rawValue)
    writer.append(varint: decision.clamps.count)
    for clamp in decision.clamps {
      writer.append(varint: clamp.seq)
      writer.append(littleEndian: clamp.effective.rawValue)
    }
  }

  init?(optionalFrom reader: inout ByteReader) throws(CodecError) {
    guard try reader.byte() == 1 else { return nil }
    policy = SchemaVersion(try reader.littleEndian(UInt64.self))
    stamp = Stamp(rawValue: try reader.littleEndian(UInt64.self))
    authority = ReplicaID(try reader.littleEndian(UInt64.self))
    var clamps: [Clamp] = []
    for _ in 0..<(try reader.count("clamps", max: Limits.transactionEventCountMax)) {
      let seq = try reader.varint()
      clamps.append(
        Clamp(seq: seq, effective: Stamp(rawValue: try reader.littleEndian(UInt64.self))))
    }
    self.clamps = clamps
  }

  init(from reader: inout ByteReader) throws(CodecError) {
    guard let decision = try DecisionRecord(optionalFrom: &reader) else {
      throw CodecError(.malformed, "decision")
    }
    self = decision
  }
}

extension RejectionEntry {
  func encode(lsn: UInt64, into writer: inout ByteWriter) {
    writer.append(2 as UInt8)
    writer.append(littleEndian: replica.rawValue)
    writer.append(varint: firstSeq)
    writer.append(varint: reasons.count)
    hash.encode(into: &writer)
    writer.append(littleEndian: lastStamp.rawValue)
    writer.append(littleEndian: schema.rawValue)
    contextChange.encode(into: &writer)
    DecisionRecord.encode(decision, into: &writer)
    writer.append(counted: label ?? "")
    for reason in reasons {
      writer.append(counted: reason.code)
      writer.append(counted: reason.rule ?? "")
      writer.append(counted: reason.message)
    }
    LogEntry.seal(&writer, lsn: lsn)
  }

  init(from reader: inout ByteReader) throws(CodecError) {
    replica = ReplicaID(try reader.littleEndian(UInt64.self))
    firstSeq = try reader.varint()
    let count = try reader.count("dots", max: Limits.transactionEventCountMax)
    guard count >= 1, firstSeq >= 1, firstSeq <= Dot.seqMax - UInt64(count) else {
      throw CodecError(.outOfBounds, "rejection")
    }
    hash = try TransactionHash(from: &reader)
    lastStamp = Stamp(rawValue: try reader.littleEndian(UInt64.self))
    schema = SchemaVersion(try reader.littleEndian(UInt64.self))
    contextChange = try VersionVector(from: &reader)
    decision = try DecisionRecord(from: &reader)
    let label = try reader.string()
    self.label = label.isEmpty ? nil : label
    var reasons: [Reason] = []
    for _ in 0..<count {
      let code = try reader.string()
      let rule = try reader.string()
      let message = try reader.string()
      reasons.append(Reason(code: code, rule: rule.isEmpty ? nil : rule, message: message))
    }
    self.reasons = reasons
  }
}

extension AcceptanceEntry {
  func encode(lsn: UInt64, into writer: inout ByteWriter) {
    writer.append(3 as UInt8)
    writer.append(littleEndian: replica.rawValue)
    writer.append(varint: firstSeq)
    writer.append(varint: lastSeq)
    DecisionRecord.encode(decision, into: &writer)
    LogEntry.seal(&writer, lsn: lsn)
  }

  fileprivate init(from reader: inout ByteReader) throws(CodecError) {
    replica = ReplicaID(try reader.littleEndian(UInt64.self))
    firstSeq = try reader.varint()
    lastSeq = try reader.varint()
    decision = try DecisionRecord(from: &reader)
  }
}

extension WithdrawalEntry {
  func encode(lsn: UInt64, into writer: inout ByteWriter) {
    writer.append(4 as UInt8)
    writer.append(littleEndian: replica.rawValue)
    writer.append(varint: firstSeq)
    writer.append(varint: count)
    LogEntry.seal(&writer, lsn: lsn)
  }

  fileprivate init(from reader: inout ByteReader) throws(CodecError) {
    replica = ReplicaID(try reader.littleEndian(UInt64.self))
    firstSeq = try reader.varint()
    count = try reader.varint()
  }
}

extension AdoptionEntry {
  func encode(lsn: UInt64, into writer: inout ByteWriter) {
    writer.append(5 as UInt8)
    writer.append(littleEndian: schema.rawValue)
    writer.append(littleEndian: stamp.rawValue)
    LogEntry.seal(&writer, lsn: lsn)
  }

  fileprivate init(from reader: inout ByteReader) throws(CodecError) {
    schema = SchemaVersion(try reader.littleEndian(UInt64.self))
    stamp = Stamp(rawValue: try reader.littleEndian(UInt64.self))
  }
}
