/// A hash of everything that a run did, in order: equal for equal runs, whatever the process.
///
/// FNV-1a (Fowler, Noll and Vo, 1991), of 64 bits, a number at a time.
struct SimulationTrace {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func note(_ number: UInt64) {
    value = (value ^ number) &* 0x100_0000_01b3
    value ^= value >> 29
  }

  mutating func note(_ number: Int) { note(UInt64(truncatingIfNeeded: number)) }

  mutating func note(_ text: String) { for byte in text.utf8 { note(UInt64(byte)) } }
}

/// What a run, or many, did.
struct SimulationCounts {
  var sights = [Int](repeating: 0, count: Sight.allCases.count)
  var reasons: [String: Int] = [:]
  var eventCount = 0
}
