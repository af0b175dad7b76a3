// A transaction's bytes. They are written once, by its author's store, and are the same on every log
// that holds it; nothing in them is a log's own. All numbers are little-endian.
//
//   u8       format, 1
//   u8       flags: 1 a label follows
//   u64      replica
//   u64      schema version
//   u64      stamp of the first event
//   varint   seq of the first event
//   varint   number of events
//   context  varint count, then (u64 replica, varint seq) for each entry that rose since the
//            transaction before it of the same replica; sorted by replica, without its own
//   label    counted string, where flagged
//   principals  varint count, then each
//   u32      CRC-32C of all the above
//   events   varint byte count, body, u32 CRC-32C of the body seeded by the header's XOR its index
//   offsets  u32 for the 17th, 33rd, … event: where its byte count stands
//   32 bytes hash: SHA-256 over the hash of the replica's transaction before, and all the above

/// What stands at the front of a transaction: who wrote it, its place, and what its author had seen.
public struct TransactionHeader: Hashable, Sendable {
  package static let format: UInt8 = 1
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
  /// Who acts; events refer to these by place. At least one.
  public let principals: [Principal]

  public init(
    replica: ReplicaID, firstSeq: UInt64, eventCount: Int, schema: SchemaVersion, firstStamp: Stamp,
    contextChange: VersionVector, label: String?, principals: [Principal]
  ) {
    self.replica = replica
    self.firstSeq = firstSeq
    self.eventCount = eventCount
    self.schema = schema
    self.firstStamp = firstStamp
    self.contextChange = contextChange
    self.label = label
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
  let checksum = encodeHeader(header, into: &writer)
  let claims = header.principals.flatMap(\.claims)
  guard writer.count <= Limits.eventByteCountMax,
    !claims.contains(where: { $0.value.isNested(deeperThan: Limits.valueDepthMax) })
  else { throw CodecError(.outOfBounds, "principals of \(header.firstDot)") }
  var offsets: [UInt32] = []
  var body = ByteWriter()
  for (index, event) in events.enumerated() {
    if index > 0, index % TransactionHeader.offsetStride == 0 {
      offsets.append(UInt32(truncatingIfNeeded: writer.count))
    }
    body.truncate()
    try encodeEvent(event, in: header, into: &body)
    guard body.count <= Limits.eventByteCountMax else {
      throw CodecError(.outOfBounds, "event \(header.dot(index))")
    }
    writer.append(varint: body.count)
    writer.append(body.bytes)
    writer.append(
      littleEndian: crc32c(body.bytes, seed: checksum ^ UInt32(truncatingIfNeeded: index)))
  }
  for offset in offsets { writer.append(littleEndian: offset) }
  guard writer.count <= Limits.transactionByteCountMax - TransactionHash.byteCount else {
    throw CodecError(.outOfBounds, "transaction \(header.firstDot)")
  }
  let hash = TransactionHash(after: previous, writer.bytes)
  hash.encode(into: &writer)
  return hash
}

private func encodeHeader(_ header: TransactionHeader, into writer: inout ByteWriter) -> UInt32 {
  writer.append(TransactionHeader.format)
  writer.append((header.label == nil ? 0 : 1) as UInt8)
  writer.append(littleEndian: header.replica.rawValue)
  writer.append(littleEndian: header.schema.rawValue)
  writer.append(littleEndian: header.firstStamp.rawValue)
  writer.append(varint: header.firstSeq)
  writer.append(varint: header.eventCount)
  header.contextChange.encode(into: &writer)
  if let label = header.label { writer.append(counted: label) }
  writer.append(varint: header.principals.count)
  for principal in header.principals { principal.encode(into: &writer) }
  let checksum = crc32c(writer.bytes)
  writer.append(littleEndian: checksum)
  return checksum
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
