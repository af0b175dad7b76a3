internal import Tidemark
internal import TidemarkEvents
internal import TidemarkSchema

/// What reads bytes that come from elsewhere, each as a function of bytes: for fuzzers, and for the tests
/// that run what they found.
///
/// A target does not throw. It traps where something that must hold of any bytes does not.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// A transaction's bytes, read whole and event by event, and written again.
  case transaction
  /// A schema file.
  case schema
  /// An operation's JSON.
  case operation
  /// Transactions that an authority takes from another log, of which some are hostile.
  case merge

  /// - Complexity: O(bytes), and of `merge` that of a store.
  public func run(_ bytes: [UInt8]) {
    switch self {
    case .transaction: FuzzTarget.readTransaction(bytes)
    case .schema: _ = try? Schema.parse(bytes: bytes)
    case .operation:
      guard let schema = FuzzTarget.feed else { return }
      _ = try? Operation(json: bytes, schema: schema)
    case .merge: FuzzTarget.merge(bytes)
    }
  }

  private static let feed = try? Schema.parse(SimulationScenario.feedSchema)

  private static func readTransaction(_ bytes: [UInt8]) {
    guard let reader = try? TransactionReader(bytes.rawBytes), let events = try? reader.events()
    else { return }
    var writer = ByteWriter()
    guard let hash = try? encodeTransaction(reader.header, events, after: .zero, into: &writer)
    else { return }
    let again = try? TransactionReader(writer.bytes)
    precondition(again?.header == reader.header, "a header is what was written")
    precondition((try? again?.events()) == events, "events are what was written")
    precondition(again?.verify(after: .zero) == true && again?.hash == hash, "the chain holds")
  }

  /// The bytes are transactions, each behind its length in two bytes. A length of 0 stands for one that
  /// is lawful, so that others can stand on it.
  private static func merge(_ bytes: [UInt8]) {
    var options = StoreOptions()
    options.isInline = true
    options.wallMilliseconds = { 1_700_000_000_000 }
    options.tuning.journalByteCount = 8192
    guard
      let store = try? Store.inMemory(
        schema: SimulationScenario.feedSchema, role: .authority, replica: ReplicaID(0xa),
        options: options)
    else { return }
    var rest = bytes[...]
    var head = TransactionHash.zero
    var seq: UInt64 = 0
    while rest.count >= 2 {
      let count = Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
      rest = rest.dropFirst(2)
      var item = Array(rest.prefix(count))
      rest = rest.dropFirst(count)
      if count == 0 {
        seq += 1
        guard let lawful = lawful(seq, &head) else { return }
        item = lawful
      }
      let page = LogPage(
        schemas: [], items: [.transaction(item, decision: nil)], end: nil, isLast: true)
      _ = try? store.take(page, from: 7)
    }
    precondition((try? store.verify().isSound) == true, "whatever came, the log is sound")
    precondition((try? store.replay().agrees) == true, "whatever came, the view is its fold")
  }

  private static func lawful(_ seq: UInt64, _ head: inout TransactionHash) -> [UInt8]? {
    let event = Event(
      stamp: Stamp(milliseconds: 1_600_000_000_000 + seq), kind: seq == 1 ? .create : .update,
      model: 1, id: "n", principal: .user("ann"),
      changes: [FieldChange(field: 0, operation: .set(.string("t\(seq)")))])
    let header = TransactionHeader(
      replica: ReplicaID(0xb), firstSeq: seq, eventCount: 1,
      schema: SchemaVersion(source: SimulationScenario.feedSchema), firstStamp: event.stamp,
      contextChange: VersionVector(), label: nil, principals: [event.principal])
    var writer = ByteWriter()
    guard let hash = try? encodeTransaction(header, [event], after: head, into: &writer) else {
      return nil
    }
    head = hash
    return writer.toArray()
  }
}
