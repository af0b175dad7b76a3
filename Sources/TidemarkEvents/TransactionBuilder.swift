/// Writes a transaction's bytes event by event, in one pass and without a value of type `Event`.
///
/// ```swift
/// var builder = TransactionBuilder()
/// try builder.begin(header)
/// builder.beginEvent(.create, model: 0, id: "p1", principal: 0, stamp: header.firstStamp)
/// builder.append(FieldChange(field: 0, operation: .set("Low tide")))
/// try builder.endEvent()
/// try builder.endEvents()
/// let hash = builder.seal(after: head)
/// ```
///
/// What stands before the transaction in `bytes`, such as a log's own part of an entry, is the
/// caller's: it is written first, and counted by no offset.
///
/// Invariants: `bytes` holds whole events, save for one that has begun; the count in the header is right
/// after `endEvents`.
public struct TransactionBuilder: ~Copyable {
  @usableFromInline var writer: ByteWriter
  /// Where the transaction begins.
  public private(set) var start = 0
  public private(set) var eventCount = 0
  /// Of the transaction.
  public private(set) var firstSeq: UInt64 = 0
  private var replica = ReplicaID(0)
  private var firstStamp = Stamp.zero
  private var offsets: [UInt32] = []
  /// Where the event's byte count stands, and its body, and the count of its changes.
  @usableFromInline var eventOffset = 0
  @usableFromInline var bodyOffset = 0
  @usableFromInline var changesOffset = 0
  @usableFromInline var changeCount = 0

  static let eventCountOffset = 34

  public init(capacity: Int = 4096) {
    writer = ByteWriter(capacity: capacity)
  }

  /// All that has been written.
  @inlinable public var bytes: RawSpan {
    @_lifetime(borrow self) borrowing get { writer.bytes }
  }

  /// Where the byte count of the event that was begun last stands in `bytes`.
  @inlinable public var lastEventOffset: Int { eventOffset }

  /// Writes what is to stand before, between or behind transactions.
  public mutating func append(raw body: (inout ByteWriter) -> Void) { body(&writer) }

  /// The checksum of bytes that have been written.
  public func checksum(_ range: Range<Int>, seed: UInt32 = 0) -> UInt32 {
    writer.checksum(range, seed: seed)
  }

  /// Forgets what has been written past `byteCount`; keeps the memory.
  public mutating func truncate(to byteCount: Int = 0) { writer.truncate(to: byteCount) }

  /// Gives away all that has been written, and begins anew.
  public mutating func take() -> ByteWriter {
    // The next may be a little larger, and should not have to move.
    let capacity = writer.count + writer.count / 8
    var taken = ByteWriter(capacity: capacity > 1 << 16 ? capacity : 1024)
    swap(&taken, &writer)
    return taken
  }

  /// Writes a transaction's header; its event count is that of the events to come, whatever it says.
  /// - Throws: `CodecError` `outOfBounds` for principals past `Limits`.
  public mutating func begin(_ header: TransactionHeader) throws(CodecError) {
    start = writer.count
    offsets.removeAll(keepingCapacity: true)
    eventCount = 0
    replica = header.replica
    firstSeq = header.firstSeq
    firstStamp = header.firstStamp
    writer.append(TransactionHeader.format)
    writer.append((header.label == nil ? 0 : 1) | (header.cites == nil ? 0 : 2) as UInt8)
    writer.append(littleEndian: header.replica.rawValue)
    writer.append(littleEndian: header.schema.rawValue)
    writer.append(littleEndian: header.firstStamp.rawValue)
    writer.append(littleEndian: header.firstSeq)
    writer.append(littleEndian: 0 as UInt32)
    header.contextChange.encode(into: &writer)
    if let label = header.label { writer.append(counted: label) }
    if let cites = header.cites { cites.encode(into: &writer) }
    writer.append(varint: header.principals.count)
    for principal in header.principals { principal.encode(into: &writer) }
    let isTooDeep = header.principals.contains { principal in
      principal.claims.contains { $0.value.isNested(deeperThan: Limits.valueDepthMax) }
    }
    guard writer.count - start <= Limits.eventByteCountMax, !isTooDeep else {
      throw CodecError(.outOfBounds, "principals of \(header.firstDot)")
    }
    // The place of the checksum, which `endEvents` fills in.
    writer.append(littleEndian: 0 as UInt32)
    eventsOffset = writer.count
  }

  private var eventsOffset = 0

  /// Begins the next event.
  /// - Precondition: stamps rise strictly, the first being the header's.
  public mutating func beginEvent(
    _ kind: EventKind, model: Int, id: RecordID, principal: Int, stamp: Stamp
  ) {
    let uuid = id.packedUUID
    if eventCount > 0, eventCount % TransactionHeader.offsetStride == 0 {
      offsets.append(UInt32(truncatingIfNeeded: writer.count - start))
    }
    eventOffset = writer.count
    // Two bytes hold the byte count of most events; a longer one moves.
    writer.append(littleEndian: 0 as UInt16)
    bodyOffset = writer.count
    writer.append(kind.code | (uuid == nil ? 0 : 0x40) | (principal == 0 ? 0 : 0x80))
    if principal != 0 { writer.append(varint: principal) }
    writer.append(varint: model)
    writer.append(varint: stamp.rawValue - firstStamp.rawValue)
    if let uuid {
      writer.append(bigEndian: uuid.0)
      writer.append(bigEndian: uuid.1)
    } else {
      writer.append(counted: id.string)
    }
    changesOffset = writer.count
    changeCount = 0
    writer.append(0 as UInt8)
  }

  /// The changes of the event that has begun, in the order in which they were added.
  public func pendingChanges() throws(CodecError) -> [FieldChange] {
    var reader = ByteReader(writer.bytes, at: changesOffset + 1)
    return try decodeChanges(changeCount, from: &reader)
  }

  /// Puts other changes in place of those of the event that has begun.
  public mutating func replaceChanges(_ changes: [FieldChange]) {
    writer.truncate(to: changesOffset + 1)
    changeCount = 0
    for change in changes { append(change) }
  }

  /// The same where it is known that the field's change stands at an offset.
  public func pendingText(of field: Int, at offset: Int, isExactly text: [UInt8]) -> Bool {
    var reader = ByteReader(writer.bytes, at: offset)
    guard (try? reader.varint()) == UInt64(field),
      (try? reader.littleEndian(UInt16.self)) == 0x0501,
      let byteCount = try? reader.varint(), byteCount == UInt64(text.count),
      reader.remaining >= text.count
    else { return false }
    return reader.bytes.extracting(reader.offset..<reader.offset + text.count)
      .hasSameBytes(as: text.rawBytes)
  }

  /// Whether the event that has begun sets a field to exactly this text.
  public func pendingText(of field: Int, isExactly text: [UInt8]) -> Bool {
    var reader = ByteReader(writer.bytes, at: changesOffset + 1)
    for _ in 0..<changeCount {
      guard let found = try? reader.varint() else { return false }
      let start = reader.offset
      guard (try? FieldOperation.skip(&reader)) != nil else { return false }
      if found == UInt64(field) {
        return writer.bytes.extracting(start..<reader.offset).isSetText(text)
      }
    }
    return false
  }

  /// Overwrites bytes that have been written.
  public mutating func patch(
    littleEndian value: some FixedWidthInteger & BitwiseCopyable, at offset: Int
  ) {
    writer.patch(littleEndian: value, at: offset)
  }

  /// Adds a change to the event.
  /// - Precondition: fields rise strictly.
  public mutating func append(_ change: FieldChange) {
    changeCount += 1
    writer.append(varint: change.field)
    change.operation.encode(into: &writer)
  }

  /// Adds a field that is set to text.
  /// - Returns: false where the text holds NUL; then nothing has been added.
  @inlinable public mutating func appendSet(_ field: Int, _ text: String) -> Bool {
    let start = writer.count
    writer.append(varint: field)
    writer.append(littleEndian: 0x0501 as UInt16)
    guard writer.append(countedWithoutNUL: text) else {
      writer.truncate(to: start)
      return false
    }
    changeCount += 1
    return true
  }

  /// Adds a counter's change.
  @inlinable public mutating func appendAdd(_ field: Int, _ amount: Int64) {
    changeCount += 1
    writer.append(varint: field)
    writer.append(2 as UInt8)
    writer.append(zigzag: amount)
  }

  /// Ends the event.
  /// - Throws: `CodecError` `outOfBounds` for one past `Limits`, which is then not in the transaction.
  public mutating func endEvent() throws(CodecError) {
    if changeCount < 0x80 {
      writer.patch(littleEndian: UInt8(truncatingIfNeeded: changeCount), at: changesOffset)
    } else {
      patch(varint: changeCount, over: 1, at: changesOffset)
    }
    let byteCount = writer.count - bodyOffset
    guard byteCount <= Limits.eventByteCountMax else {
      writer.truncate(to: eventOffset)
      throw CodecError(.outOfBounds, "event \(replica):\(firstSeq + UInt64(eventCount))")
    }
    if byteCount < 1 << 14 {
      let count = UInt16(truncatingIfNeeded: byteCount & 0x7f | 0x80 | (byteCount >> 7) << 8)
      writer.patch(littleEndian: count, at: eventOffset)
    } else {
      bodyOffset += patch(varint: byteCount, over: 2, at: eventOffset)
    }
    let seed = eventChecksumSeed(replica, firstSeq &+ UInt64(eventCount))
    let checksum = writer.checksum(bodyOffset..<writer.count, seed: seed)
    writer.append(littleEndian: checksum)
    eventCount += 1
  }

  /// Takes back the event that has begun.
  public mutating func dropEvent() {
    writer.truncate(to: eventOffset)
    if eventCount > 0, eventCount % TransactionHeader.offsetStride == 0 { offsets.removeLast() }
  }

  /// Writes a varint over the bytes that were kept for it, and moves what is behind.
  /// - Returns: by how many bytes that moved.
  @discardableResult
  private mutating func patch(varint value: Int, over kept: Int, at offset: Int) -> Int {
    var varint = ByteWriter(capacity: 64)
    varint.append(varint: value)
    let more = varint.count - kept
    writer.insert(byteCount: more, at: offset + kept)
    for index in 0..<varint.count {
      let byte = unsafe varint.bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
      writer.patch(littleEndian: byte, at: offset + index)
    }
    return more
  }

  /// Ends the events: all that the hash covers is there.
  /// - Throws: `CodecError` `outOfBounds` past `Limits`.
  public mutating func endEvents() throws(CodecError) {
    writer.patch(
      littleEndian: UInt32(truncatingIfNeeded: eventCount),
      at: start + TransactionBuilder.eventCountOffset)
    let checksum = writer.checksum(start..<eventsOffset - 4)
    writer.patch(littleEndian: checksum, at: eventsOffset - 4)
    for offset in offsets { writer.append(littleEndian: offset) }
    guard
      writer.count - start <= Limits.transactionByteCountMax - TransactionHash.byteCount,
      eventCount <= Limits.transactionEventCountMax
    else { throw CodecError(.outOfBounds, "transaction \(replica):\(firstSeq)") }
  }

  /// Appends room for the hash, which `TransactionHash.seal` fills in.
  public mutating func appendHashRoom() {
    for _ in 0..<4 { writer.append(littleEndian: 0 as UInt64) }
  }

  /// Appends the hash.
  public mutating func seal(after previous: TransactionHash) -> TransactionHash {
    let hash = writer.hash(start..<writer.count, after: previous)
    hash.encode(into: &writer)
    return hash
  }
}

extension ByteWriter {
  /// The checksum of bytes that have been written.
  @inlinable
  public func checksum(_ range: Range<Int>, seed: UInt32 = 0) -> UInt32 {
    crc32c(bytes.extracting(range), seed: seed)
  }

  func hash(_ range: Range<Int>, after previous: TransactionHash) -> TransactionHash {
    TransactionHash(after: previous, bytes.extracting(range))
  }
}

private func decodeChanges(
  _ count: Int, from reader: inout ByteReader
) throws(CodecError) -> [FieldChange] {
  var changes: [FieldChange] = []
  changes.reserveCapacity(count)
  for _ in 0..<count {
    let field = try reader.count("field", max: Limits.fieldCountMax)
    changes.append(FieldChange(field: field, operation: try FieldOperation(from: &reader)))
  }
  return changes
}

extension RawSpan {
  /// True for the bytes of an operation that sets a field to exactly this text.
  package func isSetText(_ text: [UInt8]) -> Bool {
    var reader = ByteReader(self)
    guard (try? reader.littleEndian(UInt16.self)) == 0x0501,
      let byteCount = try? reader.varint(), Int(truncatingIfNeeded: byteCount) == text.count,
      reader.remaining == text.count
    else { return false }
    return extracting(reader.offset..<self.byteCount).hasSameBytes(as: text.rawBytes)
  }
}

/// What an event's checksum is seeded with, so that an event in another's place shows.
@inlinable
func eventChecksumSeed(_ replica: ReplicaID, _ seq: UInt64) -> UInt32 {
  let mixed = replica.rawValue ^ (replica.rawValue >> 32) ^ seq
  return UInt32(truncatingIfNeeded: mixed)
}
