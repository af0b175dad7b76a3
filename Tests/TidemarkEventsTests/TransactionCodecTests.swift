import Testing
import TidemarkEvents
import TidemarkTesting

@Suite struct TransactionCodecTests {
  /// A transaction of random events.
  static func sample(
    _ count: Int, using generator: inout SeededGenerator
  ) -> (TransactionHeader, [Event]) {
    let principals = [
      Principal.anonymous, .user("ann"),
      Principal(
        provider: .oidc, subject: "s", username: "u", groups: ["A", "B"],
        claims: [Value.Member("tenant", .list([1, "x", nil, 1.5]))]),
    ]
    var stamp = Stamp(milliseconds: 1000)
    let first = stamp
    let events = (0..<count).map { index in
      if index > 0 {
        stamp = Stamp(rawValue: stamp.rawValue + UInt64.random(in: 1...9, using: &generator))
      }
      return Event(
        stamp: stamp, kind: [.create, .update, .delete, .unknown(7)][index % 4], model: index % 3,
        id: index % 2 == 0
          ? RecordID("é\(index)") : RecordID("6ba7b810-9dad-11d1-80b4-00c04fd430c\(index % 10)"),
        principal: principals[index % 3],
        changes: index % 4 == 2
          ? []
          : [
            FieldChange(field: 0, operation: .set(.object([Value.Member("a", true)]))),
            FieldChange(
              field: 1, operation: .add(Int64.random(in: .min ... .max, using: &generator))),
            FieldChange(field: 5, operation: .edit(add: ["x"], remove: ["y", 2])),
            FieldChange(field: 9, operation: .unknown(tag: 77, payload: [1, 2, 3])),
          ])
    }
    let header = TransactionHeader(
      replica: ReplicaID(0xabc), firstSeq: 5, eventCount: count, schema: SchemaVersion(99),
      firstStamp: first,
      contextChange: VersionVector([(ReplicaID(7), UInt64(3)), (ReplicaID(1), UInt64(9))]),
      label: count % 2 == 0 ? "import" : nil, principals: principals)
    return (header, events)
  }

  static func encode(
    _ header: TransactionHeader, _ events: [Event], after previous: TransactionHash = .zero
  ) throws -> [UInt8] {
    var writer = ByteWriter()
    try encodeTransaction(header, events, after: previous, into: &writer)
    return writer.toArray()
  }

  @Test(arguments: [1, 2, 15, 16, 17, 33, 100])
  func `a transaction's bytes give it back, in order and by place`(count: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count))
    let (header, events) = Self.sample(count, using: &generator)
    let bytes = try Self.encode(header, events)
    let reader = try TransactionReader(bytes.rawBytes)
    // The macros cannot hold a reader, so its answers are taken first.
    let (found, all) = (reader.header, try reader.events())
    #expect(found == header)
    #expect(all == events)
    for place in 0..<count {
      let event = try reader.event(at: place)
      #expect(event == events[place])
    }
    let past = Result { () throws -> Event in
      try TransactionReader(bytes.rawBytes).event(at: count)
    }
    #expect(throws: CodecError.self) { try past.get() }
    let isChained = reader.verify(after: .zero)
    let isChainedElsewhere = reader.verify(after: TransactionHash(of: bytes.rawBytes))
    #expect(isChained)
    #expect(!isChainedElsewhere)
  }

  @Test func `no cut and no changed bit goes unnoticed, and none traps`() throws {
    var generator = SeededGenerator(seed: 3)
    let (header, events) = Self.sample(20, using: &generator)
    let bytes = try Self.encode(header, events)
    for count in 0..<bytes.count {
      let cut = Array(bytes[..<count])
      #expect(!Self.isSound(cut), "\(count) bytes")
    }
    for offset in 0..<bytes.count {
      var changed = bytes
      changed[offset] ^= 1 << UInt8.random(in: 0...7, using: &generator)
      #expect(!Self.isSound(changed), "byte \(offset)")
    }
  }

  /// True where the bytes read as a transaction whose hash is right.
  private static func isSound(_ bytes: [UInt8]) -> Bool {
    do {
      let reader = try TransactionReader(bytes.rawBytes)
      _ = try reader.events()
      return reader.verify(after: .zero)
    } catch {
      return false
    }
  }

  @Test func `offsets that lead elsewhere are refused, also under a right hash`() throws {
    var generator = SeededGenerator(seed: 5)
    let (header, events) = Self.sample(20, using: &generator)
    var bytes = try Self.encode(header, events)
    let end = bytes.count - TransactionHash.byteCount
    bytes[end - 4] ^= 1
    var writer = ByteWriter()
    writer.append(Array(bytes[..<end]))
    TransactionHash(after: .zero, writer.bytes).encode(into: &writer)
    #expect(!Self.isSound(writer.toArray()))
  }

  @Test func `an event of a principal that the header lacks is not written`() {
    var generator = SeededGenerator(seed: 6)
    let (header, events) = Self.sample(1, using: &generator)
    let stranger = Event(
      stamp: events[0].stamp, kind: .create, model: 0, id: "x", principal: .user("stranger"),
      changes: [])
    #expect(throws: CodecError.self) { try Self.encode(header, [stranger]) }
  }

  @Test func `random bytes are refused and do not trap`() {
    for seed in UInt64(1)...2000 {
      var generator = SeededGenerator(seed: seed)
      let count = Int.random(in: 0...300, using: &generator)
      var bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      if count > 0 { bytes[0] = 2 }
      #expect(!Self.isSound(bytes), "seed \(seed)")
    }
  }

  @Test func `an event past its limit is refused before it is written`() {
    let event = Event(
      stamp: Stamp(milliseconds: 1), kind: .create, model: 0, id: "x", principal: .anonymous,
      changes: [
        FieldChange(
          field: 0,
          operation: .set(.string(String(repeating: "a", count: Limits.eventByteCountMax))))
      ])
    let header = TransactionHeader(
      replica: ReplicaID(1), firstSeq: 1, eventCount: 1, schema: SchemaVersion(1),
      firstStamp: event.stamp, contextChange: VersionVector(), label: nil,
      principals: [.anonymous])
    #expect(throws: CodecError.self) { try Self.encode(header, [event]) }
  }

  @Test func `a later format is named as such`() throws {
    var generator = SeededGenerator(seed: 1)
    let (header, events) = Self.sample(1, using: &generator)
    var bytes = try Self.encode(header, events)
    bytes[0] = 3
    let later = bytes
    #expect(throws: CodecError(.newerFormat, "transaction of format 3")) {
      _ = try TransactionReader(later.rawBytes)
    }
  }

  @Test func `the checksum is CRC-32C`() {
    // RFC 3720, appendix B.4.
    #expect(crc32c([UInt8](repeating: 0, count: 32).rawBytes) == 0x8a91_36aa)
    #expect(crc32c([UInt8](repeating: 0xff, count: 32).rawBytes) == 0x62a8_ab43)
    #expect(crc32c([UInt8](0..<32).rawBytes) == 0x46dd_794e)
    #expect(crc32c(Array("123456789".utf8).rawBytes) == 0xe306_9283)
  }

  @Test func `the hash is SHA-256`() {
    #expect(
      TransactionHash(of: Array("abc".utf8).rawBytes).description
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
