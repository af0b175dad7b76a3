/// Reads one event of a transaction in place: its checksum is checked, nothing is copied, and of the
/// transaction's header only what has a fixed place is looked at.
public struct EventReader: ~Escapable {
  public let dot: Dot
  public let schema: SchemaVersion
  public let stamp: Stamp
  public let kind: EventKind
  /// The model's place in the transaction's schema.
  public let model: Int
  /// Behind the event and its checksum.
  public let endOffset: Int
  /// The principal's place in the header.
  public let principal: Int
  /// The record's id: 16 bytes of a UUID where `isPacked`, else UTF-8.
  public let id: RawSpan
  public let isPacked: Bool
  /// How many changes there are.
  public let changeCount: Int
  /// Behind the count of changes.
  @usableFromInline var reader: ByteReader
  @usableFromInline var changesLeft: Int

  /// - Parameters:
  ///   - transaction: from the transaction's first byte to its last.
  ///   - index: the event's place in the transaction.
  ///   - offset: where its byte count stands.
  /// - Throws: `CodecError` for bytes that no store wrote.
  /// - Complexity: O(bytes of the event).
  @_lifetime(copy transaction)
  public init(_ transaction: RawSpan, index: Int, offset: Int) throws(CodecError) {
    var fixed = ByteReader(transaction, at: 2)
    let replica = ReplicaID(try fixed.littleEndian(UInt64.self))
    schema = SchemaVersion(try fixed.littleEndian(UInt64.self))
    let firstStamp = try fixed.littleEndian(UInt64.self)
    let firstSeq = try fixed.littleEndian(UInt64.self)
    dot = Dot(replica, firstSeq &+ UInt64(truncatingIfNeeded: index))
    var outer = ByteReader(transaction, at: offset)
    let byteCount = try outer.count("event", max: Limits.eventByteCountMax)
    let body = try outer.take(byteCount)
    guard
      crc32c(body, seed: eventChecksumSeed(replica, dot.seq))
        == (try outer.littleEndian(UInt32.self))
    else { throw CodecError(.checksum, "event \(dot)") }
    endOffset = outer.offset
    reader = ByteReader(body)
    let head = try reader.byte()
    guard head & 0x30 == 0 else { throw CodecError(.malformed, "event flags") }
    kind = try EventKind(code: head & 0x0f)
    principal = head & 0x80 != 0 ? try reader.count("principal", max: Limits.principalCountMax) : 0
    model = try reader.count("model", max: Limits.fieldCountMax)
    stamp = Stamp(rawValue: firstStamp &+ (try reader.varint()))
    isPacked = head & 0x40 != 0
    id = try reader.take(
      isPacked ? 16 : try reader.count("record id", max: RecordID.byteCountMax))
    changeCount = try reader.count("changes", max: Limits.fieldCountMax)
    changesLeft = changeCount
  }

  /// Nothing stands behind what has been read.
  public var isAtEnd: Bool { reader.isAtEnd }

  /// The bytes of all changes.
  public var changeBytes: RawSpan {
    @_lifetime(copy self) get {
      unsafe reader.bytes.extracting(unchecked: reader.offset..<reader.bytes.byteCount)
    }
  }

  /// The next change's field; its operation is then to be read or skipped with one of the others.
  @inlinable @_lifetime(self: copy self)
  public mutating func nextField() throws(CodecError) -> Int? {
    guard changesLeft > 0 else { return nil }
    changesLeft -= 1
    return try reader.count("field", max: Limits.fieldCountMax)
  }

  /// The operation of the field that `nextField` gave.
  @_lifetime(self: copy self)
  public mutating func operation() throws(CodecError) -> FieldOperation {
    try FieldOperation(from: &reader)
  }

  /// The bytes of the operation of the field that `nextField` gave, tag and all.
  @inlinable @_lifetime(copy self) @_lifetime(self: copy self)
  public mutating func operationBytes() throws(CodecError) -> RawSpan {
    let start = reader.offset
    try FieldOperation.skip(&reader)
    return unsafe reader.bytes.extracting(unchecked: start..<reader.offset)
  }

  /// Every change, in order.
  public func changes() throws(CodecError) -> [FieldChange] {
    var copy = self
    var changes: [FieldChange] = []
    changes.reserveCapacity(changeCount)
    while let field = try copy.nextField() {
      changes.append(FieldChange(field: field, operation: try copy.operation()))
    }
    return changes
  }
}

extension FieldOperation {
  /// Steps over an operation.
  @inlinable
  public static func skip(_ reader: inout ByteReader) throws(CodecError) {
    switch try reader.byte() {
    case 1: try Value.skip(&reader)
    case 2: _ = try reader.varint()
    case 3:
      for _ in 0..<2 {
        for _ in 0..<(try reader.count("values", max: reader.remaining)) {
          try Value.skip(&reader)
        }
      }
    default: try reader.skip(try reader.count("field operation", max: reader.remaining))
    }
  }
}

extension Value {
  /// Steps over a value.
  @inlinable
  static func skip(_ reader: inout ByteReader) throws(CodecError) {
    switch try reader.byte() {
    case 0, 1, 2: break
    case 3: _ = try reader.varint()
    case 4: try reader.skip(8)
    case 5: try reader.skip(try reader.count("string", max: reader.remaining))
    default:
      // Lists and objects are rare: decoding bounds their depth.
      var whole = ByteReader(reader.bytes, at: reader.offset - 1)
      _ = try Value(from: &whole)
      try reader.skip(whole.offset - reader.offset)
    }
  }
}
