public import TidemarkEvents

// A record state's bytes, as the record table holds them. Ranks repeat from field to field, so they
// stand once, in a table, and fields name them by place.
//
//   u8       format, 1
//   vector   writes · vector deletes · vector overturned
//   ranks    varint count, then (u64 stamp, u64 replica, varint seq) for each
//   varint   created: 1 + its place among the ranks, 0 for none
//   varint   updated: likewise
//   fields   varint count, then each: varint field id, u8 kind
//              1 register: varint count, then (varint rank, value) for each
//              2 counter: u64 low half, u64 high half
//              3 set: varint count, then value, varint count of adds, (u64 replica, varint seq) for each
//   owners   varint count, then each: varint field id, given, changed; each varint 1 + rank, value; 0 for none

extension RecordState {
  private static let format: UInt8 = 1

  public func encode(into writer: inout ByteWriter) {
    writer.append(RecordState.format)
    writes.encode(into: &writer)
    deletes.encode(into: &writer)
    overturned.encode(into: &writer)
    let ranks = ranks()
    writer.append(varint: ranks.count)
    for rank in ranks {
      writer.append(littleEndian: rank.stamp.rawValue)
      rank.dot.encode(into: &writer)
    }
    func place(_ rank: Rank?) -> Int {
      rank.flatMap { ranks.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
    }
    writer.append(varint: place(created))
    writer.append(varint: place(updated))
    writer.append(varint: fields.count)
    for entry in fields {
      writer.append(varint: entry.field)
      entry.state.encode(into: &writer) { place($0) - 1 }
    }
    writer.append(varint: ownerships.count)
    for ownership in ownerships {
      writer.append(varint: ownership.field)
      for candidate in [ownership.given, ownership.changed] {
        writer.append(varint: place(candidate?.rank))
        candidate?.value.encode(into: &writer)
      }
    }
  }

  /// Every rank that the state names, once.
  private func ranks() -> [Rank] {
    var ranks: [Rank] = []
    func note(_ rank: Rank?) {
      if let rank, !ranks.contains(rank) { ranks.append(rank) }
    }
    note(created)
    note(updated)
    for entry in fields {
      if case .register(let candidates) = entry.state { for c in candidates { note(c.rank) } }
    }
    for ownership in ownerships {
      note(ownership.given?.rank)
      note(ownership.changed?.rank)
    }
    return ranks
  }

  /// - Throws: `CodecError` for bytes that no store wrote.
  public init(from reader: inout ByteReader) throws(CodecError) {
    guard try reader.byte() == RecordState.format else { throw CodecError(.newerFormat, "record") }
    writes = try VersionVector(from: &reader)
    deletes = try VersionVector(from: &reader)
    overturned = try VersionVector(from: &reader)
    var ranks: [Rank] = []
    for _ in 0..<(try reader.count("ranks", max: reader.remaining)) {
      let stamp = Stamp(rawValue: try reader.littleEndian(UInt64.self))
      ranks.append(Rank(stamp, try Dot(from: &reader)))
    }
    let createdPlace = try reader.count("rank", max: ranks.count)
    created = createdPlace == 0 ? nil : ranks[createdPlace - 1]
    let updatedPlace = try reader.count("rank", max: ranks.count)
    updated = updatedPlace == 0 ? nil : ranks[updatedPlace - 1]
    for _ in 0..<(try reader.count("fields", max: Limits.fieldCountMax)) {
      let field = try reader.count("field", max: Limits.fieldCountMax)
      fields.append(FieldEntry(field: field, state: try FieldState(from: &reader, ranks)))
    }
    for _ in 0..<(try reader.count("owners", max: Limits.fieldCountMax)) {
      let field = try reader.count("field", max: Limits.fieldCountMax)
      let given = try Candidate(optionalFrom: &reader, ranks)
      let changed = try Candidate(optionalFrom: &reader, ranks)
      ownerships.append(Ownership(field: field, given: given, changed: changed))
    }
  }
}

extension RecordState.Candidate {
  fileprivate init?(optionalFrom reader: inout ByteReader, _ ranks: [Rank]) throws(CodecError) {
    let place = try reader.count("rank", max: ranks.count)
    if place == 0 { return nil }
    self.init(ranks[place - 1], try Value(from: &reader))
  }
}

extension RecordState.FieldState {
  fileprivate func encode(into writer: inout ByteWriter, place: (Rank) -> Int) {
    switch self {
    case .register(let candidates):
      writer.append(1 as UInt8)
      writer.append(varint: candidates.count)
      for candidate in candidates {
        writer.append(varint: place(candidate.rank))
        candidate.value.encode(into: &writer)
      }
    case .counter(let sum):
      writer.append(2 as UInt8)
      writer.append(littleEndian: UInt64(truncatingIfNeeded: sum))
      writer.append(littleEndian: UInt64(truncatingIfNeeded: sum >> 64))
    case .set(let elements):
      writer.append(3 as UInt8)
      writer.append(varint: elements.count)
      for element in elements {
        element.value.encode(into: &writer)
        writer.append(varint: element.adds.count)
        for dot in element.adds { dot.encode(into: &writer) }
      }
    }
  }

  fileprivate init(from reader: inout ByteReader, _ ranks: [Rank]) throws(CodecError) {
    switch try reader.byte() {
    case 1:
      var candidates: [RecordState.Candidate] = []
      for _ in 0..<(try reader.count("candidates", max: reader.remaining)) {
        let place = try reader.count("rank", max: ranks.count - 1)
        candidates.append(RecordState.Candidate(ranks[place], try Value(from: &reader)))
      }
      self = .register(candidates)
    case 2:
      let low = try reader.littleEndian(UInt64.self)
      let high = try reader.littleEndian(UInt64.self)
      self = .counter(Int128(truncatingIfNeeded: high) << 64 | Int128(low))
    case 3:
      var elements: [RecordState.Element] = []
      for _ in 0..<(try reader.count("elements", max: reader.remaining)) {
        let value = try Value(from: &reader)
        var adds: [Dot] = []
        for _ in 0..<(try reader.count("adds", max: reader.remaining)) {
          adds.append(try Dot(from: &reader))
        }
        elements.append(RecordState.Element(value: value, adds: adds))
      }
      self = .set(elements)
    default: throw CodecError(.malformed, "field kind")
    }
  }
}
