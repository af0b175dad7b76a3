// A value's bytes: one tag, then what it needs.
//
//   0 null · 1 false · 2 true · 3 int: zigzag · 4 double: 8 bytes · 5 string: counted
//   6 list: count, values · 7 object: count, then counted name and value for each

extension Value {
  public func encode(into writer: inout ByteWriter) {
    switch self {
    case .null: writer.append(0 as UInt8)
    case .bool(let value): writer.append((value ? 2 : 1) as UInt8)
    case .int(let value):
      writer.append(3 as UInt8)
      writer.append(zigzag: value)
    case .double(let value):
      writer.append(4 as UInt8)
      writer.append(littleEndian: value.bitPattern)
    case .string(let value):
      writer.append(5 as UInt8)
      writer.append(counted: value)
    case .list(let values):
      writer.append(6 as UInt8)
      writer.append(varint: values.count)
      for value in values { value.encode(into: &writer) }
    case .object(let members):
      writer.append(7 as UInt8)
      writer.append(varint: members.count)
      for member in members {
        writer.append(counted: member.name)
        member.value.encode(into: &writer)
      }
    }
  }

  /// True where lists and objects nest deeper than so many levels, which no decoder takes.
  func isNested(deeperThan levels: Int) -> Bool {
    switch self {
    case .null, .bool, .int, .double, .string: levels < 0
    case .list(let values): levels < 0 || values.contains { $0.isNested(deeperThan: levels - 1) }
    case .object(let members):
      levels < 0 || members.contains { $0.value.isNested(deeperThan: levels - 1) }
    }
  }

  public init(from reader: inout ByteReader) throws(CodecError) {
    try self.init(from: &reader, depth: 0)
  }

  private init(from reader: inout ByteReader, depth: Int) throws(CodecError) {
    guard depth <= Limits.valueDepthMax else { throw CodecError(.outOfBounds, "value depth") }
    switch try reader.byte() {
    case 0: self = .null
    case 1: self = .bool(false)
    case 2: self = .bool(true)
    case 3: self = .int(try reader.zigzag())
    case 4: self = .double(Double(bitPattern: try reader.littleEndian(UInt64.self)))
    case 5: self = .string(try reader.string())
    case 6:
      let count = try reader.count("list", max: reader.remaining)
      var values: [Value] = []
      for _ in 0..<count { values.append(try Value(from: &reader, depth: depth + 1)) }
      self = .list(values)
    case 7:
      let count = try reader.count("object", max: reader.remaining)
      var members: [Member] = []
      for _ in 0..<count {
        let name = try reader.string()
        members.append(Member(name, try Value(from: &reader, depth: depth + 1)))
      }
      self = .object(members)
    default: throw CodecError(.malformed, "value tag")
    }
  }
}
