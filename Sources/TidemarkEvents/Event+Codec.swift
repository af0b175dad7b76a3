// An event's body.
//
//   u8       kind in the low four bits (1 create, 2 update, 3 delete); 0x40 the id is a packed UUID;
//            0x80 a principal's place follows, else it is the first
//   varint   principal's place, where flagged
//   varint   model's place in the schema
//   varint   stamp minus the stamp of the transaction's first event
//   id       16 bytes, or counted UTF-8
//   changes  varint count, then each: varint field's place, u8 tag, payload
//
//   tag 1 set: value · 2 add: zigzag · 3 edit: count, values added, count, values removed
//   tag 4…255 of a later version: varint byte count, bytes

extension EventKind {
  package var code: UInt8 {
    switch self {
    case .create: 1
    case .update: 2
    case .delete: 3
    case .unknown(let code): code
    }
  }

  package init(code: UInt8) throws(CodecError) {
    switch code {
    case 1: self = .create
    case 2: self = .update
    case 3: self = .delete
    case 4...15: self = .unknown(code)
    default: throw CodecError(.malformed, "event kind")
    }
  }
}

extension FieldOperation {
  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .set(let value):
      writer.append(1 as UInt8)
      value.encode(into: &writer)
    case .add(let amount):
      writer.append(2 as UInt8)
      writer.append(zigzag: amount)
    case .edit(let added, let removed):
      writer.append(3 as UInt8)
      writer.append(varint: added.count)
      for value in added { value.encode(into: &writer) }
      writer.append(varint: removed.count)
      for value in removed { value.encode(into: &writer) }
    case .unknown(let tag, let payload):
      writer.append(tag)
      writer.append(varint: payload.count)
      writer.append(payload)
    }
  }

  package init(from reader: inout ByteReader) throws(CodecError) {
    let tag = try reader.byte()
    switch tag {
    case 0: throw CodecError(.malformed, "field operation")
    case 1: self = .set(try Value(from: &reader))
    case 2: self = .add(try reader.zigzag())
    case 3:
      let added = try decodeValues(from: &reader)
      self = .edit(add: added, remove: try decodeValues(from: &reader))
    default:
      let byteCount = try reader.count("field operation", max: reader.remaining)
      self = .unknown(tag: tag, payload: try reader.take(byteCount).toArray())
    }
  }
}

private func decodeValues(from reader: inout ByteReader) throws(CodecError) -> [Value] {
  var values: [Value] = []
  for _ in 0..<(try reader.count("values", max: reader.remaining)) {
    values.append(try Value(from: &reader))
  }
  return values
}

package func decodeEvent(
  _ body: RawSpan, in header: TransactionHeader, isFirst: Bool
) throws(CodecError) -> Event {
  var reader = ByteReader(body)
  let head = try reader.byte()
  guard head & 0x30 == 0 else { throw CodecError(.malformed, "event flags") }
  let kind = try EventKind(code: head & 0x0f)
  let place = head & 0x80 != 0 ? try reader.count("principal", max: header.principals.count - 1) : 0
  let model = try reader.count("model", max: Limits.fieldCountMax)
  let (raw, overflow) = header.firstStamp.rawValue.addingReportingOverflow(
    try reader.varint())
  guard !overflow, isFirst == (raw == header.firstStamp.rawValue) else {
    throw CodecError(.outOfBounds, "stamp")
  }
  let id: RecordID
  if head & 0x40 != 0 {
    let high = try reader.bigEndian(UInt64.self)
    id = RecordID(packedUUID: high, try reader.bigEndian(UInt64.self))
  } else {
    let byteCount = try reader.count("record id", max: RecordID.byteCountMax)
    id = RecordID(try reader.string(byteCount: byteCount))
    guard id.isValid, id.packedUUID == nil else { throw CodecError(.malformed, "record id") }
  }
  var changes: [FieldChange] = []
  for _ in 0..<(try reader.count("changes", max: Limits.fieldCountMax)) {
    let field = try reader.count("field", max: Limits.fieldCountMax)
    if let last = changes.last, last.field >= field {
      throw CodecError(.malformed, "order of changes")
    }
    changes.append(FieldChange(field: field, operation: try FieldOperation(from: &reader)))
  }
  if case .unknown = kind {} else if !reader.isAtEnd { throw CodecError(.malformed, "event's end") }
  return Event(
    stamp: Stamp(rawValue: raw), kind: kind, model: model, id: id,
    principal: header.principals[place], changes: changes)
}
