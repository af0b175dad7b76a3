internal import TidemarkEvents

// A journal file: page 0 is the journal's own (see `Journal`), then a header and records.
//
//   header   u32 magic "TIDJ" · u16 format · u16 0 · u64 log id · u64 epoch · u64 first lsn
//            u32 CRC-32C of all the above · zeros up to 64 bytes
//   record   u32 byte count · u32 CRC-32C of the lsn and the bytes, seeded by epoch and place
//            u64 lsn · the log entry's bytes · zeros up to a multiple of 8
//
// Invariants:
// - the records of an epoch stand one behind the other from the header on; the first that is not
//   whole ends them, so what a power cut took from the middle takes all behind it too;
// - a record of an earlier epoch is no record: its checksum has another seed;
// - the file is written again from the front only after LMDB has, synced, all that it holds.

/// One of a journal's two files.
final class JournalFile {
  static let magic: UInt32 = 0x4a44_4954
  static let format: UInt16 = 1
  static let headerOffset = 4096
  private static let headerByteCount = 64
  static let recordsOffset = headerOffset + headerByteCount
  static let recordHeaderByteCount = 16

  let medium: any JournalMedium
  /// How far the file reaches: writes below change no metadata, so that a sync is one flush.
  private(set) var byteCount: Int
  private(set) var epoch: UInt64 = 0
  /// Where the next record goes.
  private(set) var offset = JournalFile.recordsOffset

  /// - Throws: `StoreError`.
  init(_ medium: any JournalMedium) throws {
    self.medium = medium
    byteCount = try medium.byteCount()
  }

  /// The bytes that are left.
  var room: Int { byteCount - offset }

  /// Makes the file at least so long, with zeros that are on the disk.
  func extend(to target: Int) throws {
    guard byteCount < target else { return }
    let zeros = [UInt8](repeating: 0, count: 1 << 16)
    var end = byteCount
    do {
      while end < target {
        let count = min(zeros.count, target - end)
        try medium.write(zeros.rawBytes.extracting(0..<count), at: end)
        end += count
      }
      try synchronize()
    } catch {
      // What was written is no record. A drain goes on without the room; a first write fails.
      try? medium.truncate(to: byteCount)
      throw error
    }
    byteCount = end
  }

  /// Begins an epoch: the records of those before are no more.
  func begin(epoch: UInt64, logID: UInt64, firstLSN: UInt64) throws {
    var writer = ByteWriter(capacity: JournalFile.headerByteCount)
    writer.append(littleEndian: JournalFile.magic)
    writer.append(littleEndian: JournalFile.format)
    writer.append(littleEndian: 0 as UInt16)
    writer.append(littleEndian: logID)
    writer.append(littleEndian: epoch)
    writer.append(littleEndian: firstLSN)
    writer.append(littleEndian: writer.checksum(0..<writer.count))
    while writer.count < JournalFile.headerByteCount { writer.append(0 as UInt8) }
    try medium.write(writer.bytes, at: JournalFile.headerOffset)
    self.epoch = epoch
    offset = JournalFile.recordsOffset
  }

  /// Writes whole records at the end.
  func append(_ records: RawSpan) throws {
    try medium.write(records, at: offset)
    offset += records.byteCount
  }

  /// Takes back records that have not been acknowledged.
  func truncate(to offset: Int) throws {
    try medium.write([UInt8](repeating: 0, count: 8).rawBytes, at: offset)
    self.offset = offset
  }

  /// Returns when all that was written is on the disk.
  func synchronize() throws { try medium.synchronize() }

  /// The epoch and the whole records from an lsn on that the file holds for a log; `nil` where it
  /// holds none.
  /// - Complexity: O(bytes of the records).
  func recover(
    logID: UInt64, from lsn: UInt64
  ) throws -> (epoch: UInt64, records: [(lsn: UInt64, bytes: [UInt8])])? {
    byteCount = try medium.byteCount()
    guard byteCount > JournalFile.recordsOffset else { return nil }
    // A store that was closed has left nothing, and then no more of the file need be read.
    let front = try medium.read(JournalFile.headerByteCount + 4, at: JournalFile.headerOffset)
    guard let epoch = JournalFile.epoch(front.rawBytes, logID: logID) else { return nil }
    self.epoch = epoch
    if front[JournalFile.headerByteCount...].allSatisfy({ $0 == 0 }) { return (epoch, []) }
    var records: [(lsn: UInt64, bytes: [UInt8])] = []
    var place = JournalFile.recordsOffset
    try medium.withBytes(byteCount) { bytes in
      while let (found, range) = JournalFile.record(bytes, epoch: epoch, place: place) {
        if found >= lsn { records.append((found, bytes.extracting(range).toArray())) }
        place += JournalFile.recordByteCount(range.count)
      }
    }
    offset = place
    return (epoch, records)
  }
}

extension JournalFile {
  /// With its header, and zeros up to a multiple of 8.
  static func recordByteCount(_ byteCount: Int) -> Int {
    (recordHeaderByteCount + byteCount + 7) & ~7
  }

  static func seed(epoch: UInt64, place: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: epoch ^ (epoch >> 32) ^ UInt64(place) &* 0x9e37_79b9)
  }

  /// The epoch that a header begins, if it is one of this log.
  private static func epoch(_ bytes: RawSpan, logID: UInt64) -> UInt64? {
    var reader = ByteReader(bytes)
    guard (try? reader.littleEndian(UInt32.self)) == magic,
      (try? reader.littleEndian(UInt16.self)) == format,
      (try? reader.littleEndian(UInt16.self)) != nil,
      (try? reader.littleEndian(UInt64.self)) == logID,
      let epoch = try? reader.littleEndian(UInt64.self),
      (try? reader.littleEndian(UInt64.self)) != nil
    else { return nil }
    let checksum = crc32c(reader.consumed)
    guard (try? reader.littleEndian(UInt32.self)) == checksum else { return nil }
    return epoch
  }

  /// The record that stands at a place, if one does.
  private static func record(
    _ bytes: RawSpan, epoch: UInt64, place: Int
  ) -> (lsn: UInt64, range: Range<Int>)? {
    var reader = ByteReader(bytes, at: place)
    guard let byteCount = try? reader.littleEndian(UInt32.self), byteCount > 0,
      let expected = try? reader.littleEndian(UInt32.self),
      let lsn = try? reader.littleEndian(UInt64.self), Int(byteCount) <= reader.remaining
    else { return nil }
    let range = reader.offset..<reader.offset + Int(byteCount)
    let covered = bytes.extracting(range.lowerBound - 8..<range.upperBound)
    guard crc32c(covered, seed: seed(epoch: epoch, place: place)) == expected else { return nil }
    return (lsn, range)
  }
}
