/// One incarnation of one store: random, 64 bits, never reused.
///
/// Written as 16 lower-case hexadecimal digits.
public struct ReplicaID: Hashable, Comparable, Sendable {
  public let rawValue: UInt64

  public init(_ rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// A fresh random id.
  public static func random(using generator: inout some RandomNumberGenerator) -> ReplicaID {
    ReplicaID(UInt64.random(in: 1...UInt64.max, using: &generator))
  }

  @inlinable
  public static func < (a: ReplicaID, b: ReplicaID) -> Bool { a.rawValue < b.rawValue }
}

extension ReplicaID: LosslessStringConvertible {
  /// Reads exactly 16 lower-case hexadecimal digits; anything else is `nil`.
  public init?(_ text: String) {
    guard text.utf8.count == 16 else { return nil }
    var value: UInt64 = 0
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(byte - 48)
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(byte - 87)
      default: return nil
      }
    }
    self.init(value)
  }

  public var description: String {
    let digits = String(rawValue, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}

/// An event's identity: the replica that wrote it and its place, counted 1, 2, 3 … without gaps.
///
/// Written `REPLICA:SEQ`, as in `00c0ffee00c0ffee:42`.
public struct Dot: Hashable, Comparable, Sendable {
  public let replica: ReplicaID
  /// Counts from 1; at most `Int64.max`, so that no peer's number overflows arithmetic here.
  public let seq: UInt64

  /// The greatest seq that any log accepts.
  public static let seqMax = UInt64(Int64.max)

  public init(_ replica: ReplicaID, _ seq: UInt64) {
    self.replica = replica
    self.seq = seq
  }

  /// Orders by replica, then seq: an order for storage, not for causality.
  @inlinable
  public static func < (a: Dot, b: Dot) -> Bool {
    a.replica == b.replica ? a.seq < b.seq : a.replica < b.replica
  }
}

extension Dot: LosslessStringConvertible {
  /// Reads `REPLICA:SEQ` with seq from 1 to `seqMax`; anything else is `nil`.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let replica = ReplicaID(String(parts[0])),
      parts[1].utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
      let seq = UInt64(parts[1]), seq >= 1, seq <= Dot.seqMax
    else { return nil }
    self.init(replica, seq)
  }

  public var description: String { "\(replica):\(seq)" }
}

extension Dot {
  public func encode(into writer: inout ByteWriter) {
    writer.append(littleEndian: replica.rawValue)
    writer.append(varint: seq)
  }

  public init(from reader: inout ByteReader) throws(CodecError) {
    let replica = ReplicaID(try reader.littleEndian(UInt64.self))
    let seq = try reader.varint()
    guard seq >= 1, seq <= Dot.seqMax else { throw CodecError(.outOfBounds, "seq") }
    self.init(replica, seq)
  }
}
