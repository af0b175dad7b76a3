internal import TidemarkEvents

/// What a store is: the one value of the `header` table, written with every commit that changes it.
///
///   u32 magic "TIDE" · u16 format · u8 role · u8 acceptance · u64 log id · u64 active replica
///   u64 anchor · u64 last stamp of its clock · u64 next lsn · u64 bytes in quarantine
///   u64 transactions withdrawn · u64 events in the log · u64 tombstones · u64 portions ·
///   u64 replacements; these two left out where both are 0
struct StoreHeader: Sendable {
  static let magic: UInt32 = 0x4544_4954
  static let format: UInt16 = 2

  var role: StoreRole
  var acceptance: AcceptanceMode
  /// Names this log to other stores, which remember how far they took it. New for every copy.
  var logID: UInt64
  /// The replica that this store writes under.
  var replica: ReplicaID
  /// The data file's inode when the replica was taken: another one means that this is a copy.
  var anchor: UInt64
  var clock: HybridClock
  var nextLSN: UInt64 = 1
  var quarantineByteCount: UInt64 = 0
  var withdrawalCount: UInt64 = 0
  var eventCount: UInt64 = 0
  var tombstoneCount: UInt64 = 0
  /// Transactions of which the log holds a portion.
  var portionCount: UInt64 = 0
  /// How often what the log holds of a transaction has been replaced in its place.
  var replacementCount: UInt64 = 0

  init(
    role: StoreRole, acceptance: AcceptanceMode, logID: UInt64, replica: ReplicaID, anchor: UInt64
  ) {
    self.role = role
    self.acceptance = acceptance
    self.logID = logID
    self.replica = replica
    self.anchor = anchor
    clock = HybridClock()
  }

  func encode(into writer: inout ByteWriter) {
    writer.append(littleEndian: StoreHeader.magic)
    writer.append(littleEndian: StoreHeader.format)
    writer.append(role == .device ? 0 : 1 as UInt8)
    writer.append(acceptance == .enforce ? 0 : 1 as UInt8)
    for number in [
      logID, replica.rawValue, anchor, clock.last.rawValue, nextLSN, quarantineByteCount,
      withdrawalCount, eventCount, tombstoneCount,
    ] {
      writer.append(littleEndian: number)
    }
    guard portionCount > 0 || replacementCount > 0 else { return }
    writer.append(littleEndian: portionCount)
    writer.append(littleEndian: replacementCount)
  }

  init(_ bytes: RawSpan) throws(CodecError) {
    var reader = ByteReader(bytes)
    guard try reader.littleEndian(UInt32.self) == StoreHeader.magic else {
      throw CodecError(.malformed, "store header")
    }
    let format = try reader.littleEndian(UInt16.self)
    guard format <= StoreHeader.format else {
      throw CodecError(.newerFormat, "store of format \(format)")
    }
    guard format == StoreHeader.format else {
      throw CodecError(.malformed, "store of format \(format), which was never released")
    }
    let role = try reader.byte()
    let acceptance = try reader.byte()
    guard role <= 1, acceptance <= 1 else {
      throw CodecError(.malformed, "store header")
    }
    self.role = role == 0 ? .device : .authority
    self.acceptance = acceptance == 0 ? .enforce : .optimistic
    logID = try reader.littleEndian(UInt64.self)
    replica = ReplicaID(try reader.littleEndian(UInt64.self))
    anchor = try reader.littleEndian(UInt64.self)
    clock = HybridClock(last: Stamp(rawValue: try reader.littleEndian(UInt64.self)))
    nextLSN = try reader.littleEndian(UInt64.self)
    quarantineByteCount = try reader.littleEndian(UInt64.self)
    withdrawalCount = try reader.littleEndian(UInt64.self)
    eventCount = try reader.littleEndian(UInt64.self)
    tombstoneCount = try reader.littleEndian(UInt64.self)
    guard !reader.isAtEnd else { return }
    portionCount = try reader.littleEndian(UInt64.self)
    replacementCount = try reader.littleEndian(UInt64.self)
  }
}

/// Whose decisions a store's are.
public enum StoreRole: String, Sendable, CaseIterable {
  /// Its own events are pending until an authority decides.
  case device
  /// Its decisions are final.
  case authority
}

/// What a store does with a local write that the rules refuse.
public enum AcceptanceMode: String, Sendable, CaseIterable {
  /// Refuses it before anything is written.
  case enforce
  /// Writes it, shows it at once, and lets the authority decide.
  case optimistic
}

/// What a log knows of one replica: the value of the `replicas` table.
///
///   u64 seq · u64 decided through · u64 stamp of the last event · 32 bytes hash of the last transaction
///   u8 1 where this store writes or wrote under it
struct ReplicaState: Sendable {
  /// The last event held; every one before it is held too.
  var seq: UInt64 = 0
  /// The last event that an authority has decided. Behind `seq` only for this store's own.
  var decidedThrough: UInt64 = 0
  var lastStamp = Stamp.zero
  var head = TransactionHash.zero
  var isOwn = false

  init() {}

  func encode(into writer: inout ByteWriter) {
    writer.append(littleEndian: seq)
    writer.append(littleEndian: decidedThrough)
    writer.append(littleEndian: lastStamp.rawValue)
    head.encode(into: &writer)
    writer.append((isOwn ? 1 : 0) as UInt8)
  }

  init(_ bytes: RawSpan) throws(CodecError) {
    var reader = ByteReader(bytes)
    seq = try reader.littleEndian(UInt64.self)
    decidedThrough = try reader.littleEndian(UInt64.self)
    lastStamp = Stamp(rawValue: try reader.littleEndian(UInt64.self))
    head = try TransactionHash(from: &reader)
    isOwn = try reader.byte() == 1
  }
}
