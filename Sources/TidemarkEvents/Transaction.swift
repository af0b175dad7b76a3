// A transaction's bytes. They are written once, by its author's store, and are the same on every log
// that holds it; nothing in them is a log's own. All numbers are little-endian.
//
//   u8       format, 2
//   u8       flags: 1 a label follows, 2 a citation
//   u64      replica
//   u64      schema version
//   u64      stamp of the first event
//   u64      seq of the first event
//   u32      number of events
//   context  varint count, then (u64 replica, varint seq) for each entry that rose since the
//            transaction before it of the same replica; sorted by replica, without its own
//   label    counted string, where flagged
//   citation u64 replica, varint seq, where flagged
//   principals  varint count, then each
//   u32      CRC-32C of all the above
//   events   varint byte count, body, u32 CRC-32C of the body seeded by the event's dot
//   offsets  u32 for the 17th, 33rd, … event: where its byte count stands
//   32 bytes hash: SHA-256 over the hash of the replica's transaction before, and all the above
//
// What stands before the context has one place in every transaction, so that an event can be read,
// and its checksum checked, without reading the rest of the header.

/// What stands at the front of a transaction: who wrote it, its place, and what its author had seen.
public struct TransactionHeader: Hashable, Sendable {
  package static let format: UInt8 = 2
  /// An offset is kept for every so many events.
  package static let offsetStride = 16

  public let replica: ReplicaID
  public let firstSeq: UInt64
  public let eventCount: Int
  public let schema: SchemaVersion
  public let firstStamp: Stamp
  /// The entries of the context that rose since the replica's previous transaction, without the
  /// replica's own, which is always the seq before the event's.
  public let contextChange: VersionVector
  /// The name that the application gave the transaction.
  public let label: String?
  /// The first dot of the refused transaction that this one takes the place of.
  public let cites: Dot?
  /// Who acts; events refer to these by place. At least one.
  public let principals: [Principal]

  public init(
    replica: ReplicaID, firstSeq: UInt64, eventCount: Int, schema: SchemaVersion, firstStamp: Stamp,
    contextChange: VersionVector, label: String?, cites: Dot? = nil, principals: [Principal]
  ) {
    self.replica = replica
    self.firstSeq = firstSeq
    self.eventCount = eventCount
    self.schema = schema
    self.firstStamp = firstStamp
    self.contextChange = contextChange
    self.label = label
    self.cites = cites
    self.principals = principals
  }

  public var firstDot: Dot { Dot(replica, firstSeq) }
  public var lastSeq: UInt64 { firstSeq + UInt64(eventCount) - 1 }

  /// The dot of the event at this place.
  public func dot(_ index: Int) -> Dot { Dot(replica, firstSeq + UInt64(index)) }
}

/// Writes a transaction and returns its hash.
/// - Throws: `CodecError` `outOfBounds` past `Limits`; `malformed` where the header lacks a principal.
/// - Precondition: at least one event; stamps strictly rising; changes sorted by field.
/// - Complexity: O(bytes).
@discardableResult
public func encodeTransaction(
  _ header: TransactionHeader, _ events: [Event], after previous: TransactionHash,
  into writer: inout ByteWriter
) throws(CodecError) -> TransactionHash {
  precondition(writer.count == 0 && header.eventCount == events.count && !events.isEmpty)
  var builder = TransactionBuilder()
  try builder.begin(header)
  for event in events {
    guard let principal = header.principals.firstIndex(of: event.principal) else {
      throw CodecError(.malformed, "the header lacks an event's principal")
    }
    builder.beginEvent(
      event.kind, model: event.model, id: event.id, principal: principal, stamp: event.stamp)
    for change in event.changes { builder.append(change) }
    try builder.endEvent()
  }
  try builder.endEvents()
  let hash = builder.seal(after: previous)
  writer.append(builder.bytes)
  return hash
}

extension VersionVector {
  public func encode(into writer: inout ByteWriter) {
    writer.append(varint: entries.count)
    for entry in entries {
      writer.append(littleEndian: entry.replica.rawValue)
      writer.append(varint: entry.seq)
    }
  }

  public init(from reader: inout ByteReader) throws(CodecError) {
    self.init()
    var last: ReplicaID?
    for _ in 0..<(try reader.count("context", max: Limits.contextEntryCountMax)) {
      let replica = ReplicaID(try reader.littleEndian(UInt64.self))
      let seq = try reader.varint()
      guard seq >= 1, seq <= Dot.seqMax else { throw CodecError(.outOfBounds, "seq") }
      if let last, last >= replica { throw CodecError(.malformed, "order of a context") }
      last = replica
      appendSorted(replica, seq)
    }
  }
}
