internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB

/// The store's tables. `Documentation/FileFormat.md` gives every key and value, byte by byte.
///
/// The log is the truth; `records`, `rowBlocks`, `rowFilters`, `runs`, `contexts`, `tombstones` and `clamps` can be made again
/// from it.
struct Tables: Sendable {
  /// lsn → entry; always appended.
  let log: Table
  /// Model and record id → the record's row, where that is new (see `RowRun`).
  let records: Table
  /// Run and first key → rows, in order.
  let rowBlocks: Table
  /// Run → its filter.
  let rowFilters: Table
  /// Replica and first seq of a run of dots → first lsn and count.
  let runs: Table
  /// Replica and first seq under a context → the context, where it changed.
  let contexts: Table
  /// Dot → lsn of the tombstone that voids it.
  let tombstones: Table
  /// Dot → effective stamp, where an authority clamped it.
  let clamps: Table
  /// First dot of an acceptance → its lsn, for this store's own events that an authority accepted.
  let acceptances: Table
  /// Replica → what is known of its log.
  let replicas: Table
  /// Order of adoption → schema source.
  let schemas: Table
  /// Dot → what the author is told of its rejection.
  let rejections: Table
  /// lsn of the first tombstone → the rejected transaction, at an authority.
  let quarantine: Table
  /// Order → a pending transaction of a user who has signed out.
  let kept: Table
  /// Another store's log id → how far its log was taken.
  let peers: Table
  /// 0 → `StoreHeader`; 1 → the runs of rows.
  let header: Table

  let tuning: StoreTuning
  let authorizer: (any CustomAuthorizer)?

  init(_ environment: Environment, _ options: StoreOptions) throws(LMDBError) {
    tuning = options.tuning
    authorizer = options.customAuthorizer
    log = try environment.table(named: "log", .integerKeys)
    records = try environment.table(named: "records", .bytesKeys)
    rowBlocks = try environment.table(named: "rowBlocks", .bytesKeys)
    rowFilters = try environment.table(named: "rowFilters", .integerKeys)
    runs = try environment.table(named: "runs", .bytesKeys)
    contexts = try environment.table(named: "contexts", .bytesKeys)
    tombstones = try environment.table(named: "tombstones", .bytesKeys)
    clamps = try environment.table(named: "clamps", .bytesKeys)
    acceptances = try environment.table(named: "acceptances", .bytesKeys)
    replicas = try environment.table(named: "replicas", .bytesKeys)
    schemas = try environment.table(named: "schemas", .integerKeys)
    rejections = try environment.table(named: "rejections", .bytesKeys)
    quarantine = try environment.table(named: "quarantine", .integerKeys)
    kept = try environment.table(named: "kept", .integerKeys)
    peers = try environment.table(named: "peers", .bytesKeys)
    header = try environment.table(named: "header", .integerKeys)
  }
}

extension Tables {
  /// Keeps a schema version, after those that are there.
  func append(
    schema source: String, isAdopted: Bool, _ tx: inout WriteTransaction
  ) throws(LMDBError) {
    let order = (try tx.lastIntegerKey(schemas) ?? 0) + 1
    var writer = ByteWriter()
    writer.append((isAdopted ? 1 : 0) as UInt8)
    writer.append(utf8: source)
    try tx.put(schemas, order, writer.bytes)
  }
}

/// A record's key: model number (u16, big-endian), then 0 and a UUID's 16 bytes, or 1 and the id's
/// UTF-8.
struct RecordKey: Hashable, Sendable {
  let model: Int
  let id: RecordID

  func encode(into writer: inout ByteWriter) {
    writer.append(bigEndian: UInt16(truncatingIfNeeded: model))
    if let uuid = id.packedUUID {
      writer.append(0 as UInt8)
      writer.append(bigEndian: uuid.0)
      writer.append(bigEndian: uuid.1)
    } else {
      writer.append(1 as UInt8)
      writer.append(utf8: id.string)
    }
  }

  var bytes: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    encode(into: &writer)
    return writer.toArray()
  }

  /// Where the keys of a model's packed ids and of its other ids begin that are at or after an id;
  /// `nil` where none can be.
  static func starts(model: Int, from id: RecordID?) -> (packed: [UInt8]?, texts: [UInt8]) {
    var packed = ByteWriter(capacity: 64)
    var texts = ByteWriter(capacity: 512)
    packed.append(bigEndian: UInt16(truncatingIfNeeded: model))
    packed.append(0 as UInt8)
    texts.append(bigEndian: UInt16(truncatingIfNeeded: model))
    texts.append(1 as UInt8)
    guard let id else { return (packed.toArray(), texts.toArray()) }
    texts.append(utf8: id.string)
    guard let least = id.leastUUIDAtOrAfter else { return (nil, texts.toArray()) }
    packed.append(bigEndian: least.0)
    packed.append(bigEndian: least.1)
    return (packed.toArray(), texts.toArray())
  }

  init(model: Int, id: RecordID) {
    self.model = model
    self.id = id
  }

  init(_ key: RawSpan) throws(CodecError) {
    var reader = ByteReader(key)
    model = Int(try reader.bigEndian(UInt16.self))
    switch try reader.byte() {
    case 0:
      let high = try reader.bigEndian(UInt64.self)
      id = RecordID(packedUUID: high, try reader.bigEndian(UInt64.self))
    case 1: id = RecordID(try reader.string(byteCount: reader.remaining))
    default: throw CodecError(.malformed, "record key")
    }
  }
}

extension Dot {
  /// Replica and seq, big-endian: dots sort by replica, then seq.
  var key: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.append(bigEndian: replica.rawValue)
    writer.append(bigEndian: seq)
    return writer.toArray()
  }

  init(key: RawSpan) throws(CodecError) {
    var reader = ByteReader(key)
    let replica = ReplicaID(try reader.bigEndian(UInt64.self))
    self.init(replica, try reader.bigEndian(UInt64.self))
  }
}

extension ReplicaID {
  var key: [UInt8] {
    var writer = ByteWriter(capacity: 64)
    writer.append(bigEndian: rawValue)
    return writer.toArray()
  }
}

extension Tables {
  /// Every table, in the order in which people ask for their sizes.
  var all: [Table] {
    [
      log, records, rowBlocks, rowFilters, runs, contexts, tombstones, clamps, acceptances,
      replicas, schemas, rejections,
      quarantine, kept, peers, header,
    ]
  }
}
