/// Reads a transaction's bytes without copying them: the header at once, events as they are asked for.
///
/// The header's checksum is checked on opening, each event's when it is read; the hash by `verify`.
public struct TransactionReader: ~Escapable {
  public let header: TransactionHeader
  /// The transaction's bytes, with its hash at the end.
  public let bytes: RawSpan
  /// The hash that the bytes end with.
  public let hash: TransactionHash

  /// Where the first event's byte count stands, and where the last event ends.
  public let eventsOffset: Int
  public let eventsEnd: Int
  /// For `next()`: the event's place, where it stands, and the stamp of the one before.
  private var index = 0
  private var offset: Int
  private var stamp: Stamp

  /// - Throws: `CodecError` for bytes that no store wrote.
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(CodecError) {
    guard bytes.byteCount <= Limits.transactionByteCountMax else {
      throw CodecError(.outOfBounds, "transaction")
    }
    guard bytes.byteCount > TransactionHash.byteCount else {
      throw CodecError(.truncated, "transaction")
    }
    let hashOffset = bytes.byteCount - TransactionHash.byteCount
    var reader = ByteReader(unsafe bytes.extracting(unchecked: 0..<hashOffset))
    header = try decodeHeader(&reader)
    let expected = crc32c(reader.consumed)
    guard try reader.littleEndian(UInt32.self) == expected else {
      throw CodecError(.checksum, "transaction header")
    }
    let offsetCount = (header.eventCount - 1) / TransactionHeader.offsetStride
    guard reader.remaining >= offsetCount * 4 else { throw CodecError(.truncated, "offsets") }
    self.bytes = bytes
    eventsOffset = reader.offset
    eventsEnd = hashOffset - offsetCount * 4
    offset = eventsOffset
    stamp = header.firstStamp
    var tail = ByteReader(bytes, at: hashOffset)
    hash = try TransactionHash(from: &tail)
  }

  /// The next event in order, or `nil` after the last.
  @_lifetime(self: copy self)
  public mutating func next() throws(CodecError) -> Event? {
    guard index < header.eventCount else {
      guard offset == eventsEnd else { throw CodecError(.malformed, "transaction's end") }
      return nil
    }
    try checkOffset()
    let event = try decodeEvent(
      try body(of: index, advancing: &offset), in: header, isFirst: index == 0)
    guard index == 0 || event.stamp > stamp else { throw CodecError(.malformed, "order of stamps") }
    stamp = event.stamp
    index += 1
    return event
  }

  /// The table of offsets must lead where the events are: `event(at:)` goes by it.
  private func checkOffset() throws(CodecError) {
    try check(offset: offset, of: index)
  }

  /// Checks that the table of offsets, where it has a place for an event, leads to it.
  public func check(offset: Int, of index: Int) throws(CodecError) {
    let stride = TransactionHeader.offsetStride
    guard index > 0, index % stride == 0 else { return }
    var table = ByteReader(bytes, at: eventsEnd + (index / stride - 1) * 4)
    guard Int(try table.littleEndian(UInt32.self)) == offset else {
      throw CodecError(.malformed, "offsets")
    }
  }

  /// Every event, in order.
  public func events() throws(CodecError) -> [Event] {
    var events: [Event] = []
    events.reserveCapacity(header.eventCount)
    var copy = self
    while let event = try copy.next() { events.append(event) }
    return events
  }

  /// The event at a place; its stamp's order is not checked.
  /// - Complexity: O(1); at most 16 events are stepped over.
  public func event(at place: Int) throws(CodecError) -> Event {
    guard place >= 0, place < header.eventCount else { throw CodecError(.outOfBounds, "event") }
    var offset = eventsOffset
    let stride = place / TransactionHeader.offsetStride
    if stride > 0 {
      var table = ByteReader(bytes, at: eventsEnd + (stride - 1) * 4)
      offset = Int(try table.littleEndian(UInt32.self))
    }
    var reader = ByteReader(unsafe bytes.extracting(unchecked: 0..<eventsEnd), at: offset)
    for _ in stride * TransactionHeader.offsetStride..<place {
      try reader.skip(try reader.count("event", max: Limits.eventByteCountMax) + 4)
    }
    offset = reader.offset
    return try decodeEvent(
      try body(of: place, advancing: &offset), in: header, isFirst: place == 0)
  }

  /// Checks that the bytes hash to what they say, after the replica's transaction before.
  public func verify(after previous: TransactionHash) -> Bool {
    let covered = unsafe bytes.extracting(
      unchecked: 0..<bytes.byteCount - TransactionHash.byteCount)
    return TransactionHash(after: previous, covered) == hash
  }

  @_lifetime(copy self)
  private func body(of index: Int, advancing offset: inout Int) throws(CodecError) -> RawSpan {
    var reader = ByteReader(unsafe bytes.extracting(unchecked: 0..<eventsEnd), at: offset)
    let byteCount = try reader.count("event", max: Limits.eventByteCountMax)
    let body = try reader.take(byteCount)
    let expected = try reader.littleEndian(UInt32.self)
    guard crc32c(body, seed: eventChecksumSeed(header.replica, header.dot(index).seq)) == expected
    else {
      throw CodecError(.checksum, "event \(header.dot(index))")
    }
    offset = reader.offset
    return body
  }
}

extension ReplicaID {
  /// Who wrote a transaction, of whose bytes only the first need be there; nothing is checked.
  public init(ofTransaction bytes: RawSpan) throws(CodecError) {
    var reader = ByteReader(bytes, at: 2)
    self.init(try reader.littleEndian(UInt64.self))
  }
}

private func decodeHeader(_ reader: inout ByteReader) throws(CodecError) -> TransactionHeader {
  let format = try reader.byte()
  guard format <= TransactionHeader.format else {
    throw CodecError(.newerFormat, "transaction of format \(format)")
  }
  guard format == TransactionHeader.format else {
    throw CodecError(.malformed, "transaction of format \(format)")
  }
  let flags = try reader.byte()
  guard flags & ~3 == 0 else { throw CodecError(.malformed, "transaction flags") }
  let replica = ReplicaID(try reader.littleEndian(UInt64.self))
  let schema = SchemaVersion(try reader.littleEndian(UInt64.self))
  let stamp = Stamp(rawValue: try reader.littleEndian(UInt64.self))
  let firstSeq = try reader.littleEndian(UInt64.self)
  let eventCount = Int(try reader.littleEndian(UInt32.self))
  guard firstSeq >= 1, eventCount >= 1, eventCount <= Limits.transactionEventCountMax,
    firstSeq <= Dot.seqMax - UInt64(eventCount)
  else {
    throw CodecError(.outOfBounds, "seq")
  }
  let context = try VersionVector(from: &reader)
  guard context[replica] == 0 else { throw CodecError(.malformed, "context") }
  var label: String?
  if flags & 1 != 0 {
    let byteCount = try reader.count("label", max: Limits.labelByteCountMax)
    label = try reader.string(byteCount: byteCount)
  }
  let cites = flags & 2 == 0 ? nil : try Dot(from: &reader)
  var principals: [Principal] = []
  for _ in 0..<(try reader.count("principals", max: Limits.principalCountMax)) {
    principals.append(try Principal(from: &reader))
  }
  guard !principals.isEmpty else { throw CodecError(.malformed, "principals") }
  return TransactionHeader(
    replica: replica, firstSeq: firstSeq, eventCount: eventCount, schema: schema,
    firstStamp: stamp, contextChange: context, label: label, cites: cites,
    principals: principals)
}
