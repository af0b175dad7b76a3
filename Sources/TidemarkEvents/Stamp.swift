/// A hybrid logical clock's reading: 48 bits of milliseconds since 1970 and a 16-bit counter.
///
/// Stamps respect causality: a replica's stamp is greater than every stamp it has seen.
/// Source: Kulkarni et al., “Logical Physical Clocks”, 2014.
public struct Stamp: Hashable, Comparable, Sendable {
  /// Milliseconds in the upper 48 bits, counter in the lower 16.
  public let rawValue: UInt64

  public static let zero = Stamp(rawValue: 0)
  /// The greatest milliseconds a stamp can hold, in the year 10889.
  public static let millisecondsMax: UInt64 = (1 << 48) - 1

  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// A stamp from its parts; milliseconds past 48 bits are held at the greatest.
  public init(milliseconds: UInt64, counter: UInt16 = 0) {
    rawValue = min(milliseconds, Stamp.millisecondsMax) << 16 | UInt64(counter)
  }

  public var milliseconds: UInt64 { rawValue >> 16 }
  public var counter: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

  @inlinable
  public static func < (a: Stamp, b: Stamp) -> Bool { a.rawValue < b.rawValue }
}

/// A stamp with the tie broken by replica id, then seq: the total order in which sets compete.
public struct Rank: Hashable, Comparable, Sendable {
  public let stamp: Stamp
  public let dot: Dot

  public init(_ stamp: Stamp, _ dot: Dot) {
    self.stamp = stamp
    self.dot = dot
  }

  @inlinable
  public static func < (a: Rank, b: Rank) -> Bool {
    a.stamp == b.stamp ? a.dot < b.dot : a.stamp < b.stamp
  }
}

/// A hybrid logical clock: ticks past everything it has observed, and past the wall clock.
public struct HybridClock: Sendable {
  /// The greatest stamp given or observed.
  public private(set) var last: Stamp

  public init(last: Stamp = .zero) {
    self.last = last
  }

  /// A stamp greater than every one before it. A full counter carries into the milliseconds;
  /// `nil` only when all 64 bits are used up.
  public mutating func tick(wallMilliseconds: UInt64) -> Stamp? {
    let wall = Stamp(milliseconds: wallMilliseconds)
    if wall > last {
      last = wall
    } else {
      guard last.rawValue < UInt64.max else { return nil }
      last = Stamp(rawValue: last.rawValue + 1)
    }
    return last
  }

  /// Takes note of a stamp seen in another's event.
  public mutating func observe(_ stamp: Stamp) {
    last = max(last, stamp)
  }
}
