public import TidemarkEvents

/// What of a transaction a store holds that may not read all of it: its place, what its author had
/// seen, its hash, and of its events those that the store's principals may read, without the fields that
/// they may not.
///
/// Of the rest nothing is in it but that there are events: no ids, models, values or principals.
public struct Portion: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    /// The event's place in its transaction.
    public let index: Int
    public let event: Event

    public init(index: Int, event: Event) {
      self.index = index
      self.event = event
    }
  }

  /// Without principals, which stand with the events; without a label or a citation where no event may
  /// be read.
  public let header: TransactionHeader
  /// The transaction's, in its replica's chain.
  public let hash: TransactionHash
  /// The stamp of the transaction's last event.
  public let lastStamp: Stamp
  /// Sorted by place.
  public let entries: [Entry]

  public init(
    header: TransactionHeader, hash: TransactionHash, lastStamp: Stamp, entries: [Entry]
  ) {
    self.header = header
    self.hash = hash
    self.lastStamp = lastStamp
    self.entries = entries
  }

  /// The event at a place; `nil` where it is withheld.
  /// - Complexity: O(log events).
  public func event(at index: Int) -> Event? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].index < index { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].index == index ? entries[low].event : nil
  }

  /// Events that are withheld whole.
  public var withheldCount: Int { header.eventCount - entries.count }
}

/// A portion as a log holds it.
struct PortionEntry: Hashable, Sendable {
  let portion: Portion
  /// `nil` where an acceptance elsewhere in the log decides it.
  let decision: DecisionRecord?
  /// For each event how many lsns back the entry of the same record's event before stands; 0 for none.
  /// An event that is withheld keeps its link: a chain passes over it.
  var links: [UInt64]
  /// The transaction whole, where it is this store's own: what a store wrote is not taken from it.
  let original: [UInt8]?
}

extension PortionEntry {
  func encode(lsn: UInt64, into writer: inout ByteWriter) {
    let header = portion.header
    writer.append(6 as UInt8)
    DecisionRecord.encode(decision, into: &writer)
    writer.append(littleEndian: header.replica.rawValue)
    writer.append(varint: header.firstSeq)
    writer.append(varint: header.eventCount)
    portion.hash.encode(into: &writer)
    writer.append(littleEndian: header.schema.rawValue)
    writer.append(littleEndian: header.firstStamp.rawValue)
    writer.append(littleEndian: portion.lastStamp.rawValue)
    header.contextChange.encode(into: &writer)
    let flags: UInt8 =
      (header.label == nil ? 0 : 1) | (header.cites == nil ? 0 : 2) | (original == nil ? 0 : 4)
    writer.append(flags)
    if let label = header.label { writer.append(counted: label) }
    header.cites?.encode(into: &writer)
    writer.append(varint: portion.entries.count)
    for entry in portion.entries { entry.encode(into: &writer) }
    for link in links { writer.append(varint: link) }
    if let original {
      writer.append(littleEndian: UInt32(truncatingIfNeeded: original.count))
      writer.append(original)
    }
    LogEntry.seal(&writer, lsn: lsn)
  }

  init(from reader: inout ByteReader) throws(CodecError) {
    decision = try DecisionRecord(optionalFrom: &reader)
    let replica = ReplicaID(try reader.littleEndian(UInt64.self))
    let firstSeq = try reader.varint()
    let count = try reader.count("events", max: Limits.transactionEventCountMax)
    guard count >= 1, firstSeq >= 1, firstSeq <= Dot.seqMax - UInt64(count) else {
      throw CodecError(.outOfBounds, "portion")
    }
    let hash = try TransactionHash(from: &reader)
    let schema = SchemaVersion(try reader.littleEndian(UInt64.self))
    let firstStamp = Stamp(rawValue: try reader.littleEndian(UInt64.self))
    let lastStamp = Stamp(rawValue: try reader.littleEndian(UInt64.self))
    let context = try VersionVector(from: &reader)
    let flags = try reader.byte()
    guard flags & ~7 == 0 else { throw CodecError(.malformed, "portion flags") }
    let label = flags & 1 == 0 ? nil : try reader.string()
    let cites = flags & 2 == 0 ? nil : try Dot(from: &reader)
    var entries: [Portion.Entry] = []
    for _ in 0..<(try reader.count("events", max: count)) {
      entries.append(try Portion.Entry(from: &reader))
    }
    portion = Portion(
      header: TransactionHeader(
        replica: replica, firstSeq: firstSeq, eventCount: count, schema: schema,
        firstStamp: firstStamp, contextChange: context, label: label, cites: cites, principals: []),
      hash: hash, lastStamp: lastStamp, entries: entries)
    try portion.check()
    var links: [UInt64] = []
    for _ in 0..<count { links.append(try reader.varint()) }
    self.links = links
    if flags & 4 == 0 {
      original = nil
    } else {
      let byteCount = Int(try reader.littleEndian(UInt32.self))
      original = try reader.take(byteCount).toArray()
    }
  }
}

extension Portion {
  /// Refuses what no store makes: places past the end or out of order, stamps that do not rise, changes
  /// out of order.
  func check() throws(CodecError) {
    guard header.eventCount >= 1, header.eventCount <= Limits.transactionEventCountMax,
      header.firstSeq >= 1, header.firstSeq <= Dot.seqMax - UInt64(header.eventCount),
      header.contextChange[header.replica] == 0
    else { throw CodecError(.outOfBounds, "portion") }
    guard header.eventCount == 1 ? header.firstStamp == lastStamp : header.firstStamp < lastStamp
    else { throw CodecError(.malformed, "stamps of a portion") }
    var lastIndex = -1
    var last: Stamp?
    for entry in entries {
      let event = entry.event
      guard entry.index > lastIndex, entry.index < header.eventCount,
        last.map({ $0 < event.stamp })
          ?? true, event.stamp >= header.firstStamp, event.stamp <= lastStamp,
        (entry.index == 0) == (event.stamp == header.firstStamp),
        (entry.index == header.eventCount - 1) == (event.stamp == lastStamp)
      else { throw CodecError(.malformed, "events of a portion") }
      guard event.id.isValid,
        zip(event.changes, event.changes.dropFirst()).allSatisfy({ $0.field < $1.field })
      else { throw CodecError(.malformed, "event of a portion") }
      lastIndex = entry.index
      last = event.stamp
    }
  }
}

extension Portion.Entry {
  fileprivate func encode(into writer: inout ByteWriter) {
    writer.append(varint: index)
    event.principal.encode(into: &writer)
    writer.append(littleEndian: event.stamp.rawValue)
    writer.append(event.kind.code)
    writer.append(varint: event.model)
    writer.append(counted: event.id.string)
    writer.append(varint: event.changes.count)
    for change in event.changes {
      writer.append(varint: change.field)
      change.operation.encode(into: &writer)
    }
  }

  fileprivate init(from reader: inout ByteReader) throws(CodecError) {
    index = try reader.count("event", max: Limits.transactionEventCountMax)
    let principal = try Principal(from: &reader)
    let stamp = Stamp(rawValue: try reader.littleEndian(UInt64.self))
    let kind = try EventKind(code: try reader.byte())
    let model = try reader.count("model", max: Limits.fieldCountMax)
    let byteCount = try reader.count("record id", max: RecordID.byteCountMax)
    let id = RecordID(try reader.string(byteCount: byteCount))
    var changes: [FieldChange] = []
    for _ in 0..<(try reader.count("changes", max: Limits.fieldCountMax)) {
      let field = try reader.count("field", max: Limits.fieldCountMax)
      changes.append(FieldChange(field: field, operation: try FieldOperation(from: &reader)))
    }
    event = Event(
      stamp: stamp, kind: kind, model: model, id: id, principal: principal, changes: changes)
  }
}
