public import CProcessor
internal import Crypto

/// A link of a replica's hash chain: SHA-256 over the hash before it and the transaction's bytes,
/// so that a log that was cut, mended or forked shows.
public struct TransactionHash: Hashable, Sendable, CustomStringConvertible {
  public static let byteCount = 32
  /// Before a replica's first transaction.
  public static let zero = TransactionHash(words: (0, 0, 0, 0))

  private let a, b, c, d: UInt64

  private init(words: (UInt64, UInt64, UInt64, UInt64)) {
    (a, b, c, d) = words
  }

  /// The link after `previous` for these bytes.
  public init(after previous: TransactionHash, _ bytes: RawSpan) {
    var hasher = SHA256()
    unsafe previous.withBytes { unsafe hasher.update(bufferPointer: $0) }
    unsafe bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
    self.init(hasher.finalize())
  }

  /// The plain SHA-256 of the bytes.
  public init(of bytes: RawSpan) {
    var hasher = SHA256()
    unsafe bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
    self.init(hasher.finalize())
  }

  private init(_ digest: SHA256Digest) {
    self = unsafe digest.withUnsafeBytes {
      unsafe TransactionHash(
        words: (
          $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self).littleEndian,
          $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian,
          $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self).littleEndian,
          $0.loadUnaligned(fromByteOffset: 24, as: UInt64.self).littleEndian
        ))
    }
  }

  private func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    let words = (a.littleEndian, b.littleEndian, c.littleEndian, d.littleEndian)
    unsafe withUnsafeBytes(of: words, body)
  }

  public init(from reader: inout ByteReader) throws(CodecError) {
    a = try reader.littleEndian(UInt64.self)
    b = try reader.littleEndian(UInt64.self)
    c = try reader.littleEndian(UInt64.self)
    d = try reader.littleEndian(UInt64.self)
  }

  public func encode(into writer: inout ByteWriter) {
    for word in [a, b, c, d] { writer.append(littleEndian: word) }
  }

  /// The first eight bytes, as a number.
  public var prefix: UInt64 { a.byteSwapped }

  /// Four lanes of 64 bits, for sums that do not depend on order.
  public var lanes: [UInt64] { [a, b, c, d] }

  /// 64 lower-case hexadecimal digits.
  public var description: String {
    lanes.map { ReplicaID($0.byteSwapped).description }.joined()
  }
}

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4): finds every error of up to three bits in what we
/// store, and every burst up to 32 bits.
@inlinable public func crc32c(_ bytes: RawSpan, seed: UInt32 = 0) -> UInt32 {
  unsafe bytes.withUnsafeBytes { unsafe tidemark_crc32c(seed, $0.baseAddress, $0.count) }
}

/// A schema's identity: the first eight bytes of the SHA-256 of its source, the same on every store.
///
/// Written as 16 lower-case hexadecimal digits.
public struct SchemaVersion: Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt64

  public init(_ rawValue: UInt64) {
    self.rawValue = rawValue
  }

  public init(source: String) {
    var writer = ByteWriter(capacity: source.utf8.count)
    writer.append(utf8: source)
    rawValue = TransactionHash(of: writer.bytes).prefix
  }

  public var description: String { ReplicaID(rawValue).description }
}
