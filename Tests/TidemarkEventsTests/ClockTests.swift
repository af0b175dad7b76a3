import Testing
import TidemarkEvents
import TidemarkTesting

@Suite struct ClockTests {
  @Test func `a clock ticks past what it gave and saw, whatever the wall says`() throws {
    var clock = HybridClock()
    var last = Stamp.zero
    for wall: UInt64 in [5, 5, 4, 0, 9, 8, UInt64.max, 1] {
      let tick = clock.tick(wallMilliseconds: wall)
      let stamp = try #require(tick)
      #expect(stamp > last)
      last = stamp
    }
    clock = HybridClock()
    clock.observe(Stamp(milliseconds: 50, counter: .max))
    #expect(clock.tick(wallMilliseconds: 3) == Stamp(milliseconds: 51))
  }

  @Test func `the end of time is nil, not a trap`() {
    var clock = HybridClock(last: Stamp(rawValue: .max))
    #expect(clock.tick(wallMilliseconds: 1) == nil)
  }

  @Test(arguments: [
    ("00000000000000ab:1", true), ("00000000000000AB:1", false), ("ab:1", false),
    ("00000000000000ab:0", false), ("00000000000000ab:-1", false),
    ("00000000000000ab:9223372036854775807", true),
    ("00000000000000ab:9223372036854775808", false), ("00000000000000ab:1:2", false), ("", false),
  ])
  func `a dot is read exactly`(text: String, isDot: Bool) {
    #expect((Dot(text) != nil) == isDot)
    if let dot = Dot(text) { #expect(dot.description == text) }
  }

  @Test func `vectors obey the laws of a join`() {
    for seed in UInt64(1)...200 {
      var generator = SeededGenerator(seed: seed)
      func vector() -> VersionVector {
        VersionVector(
          (0..<4).map { _ in
            (
              ReplicaID(UInt64.random(in: 1...5, using: &generator)),
              UInt64.random(in: 0...6, using: &generator)
            )
          })
      }
      func join(_ a: VersionVector, _ b: VersionVector) -> VersionVector {
        var joined = a
        joined.formUnion(b)
        return joined
      }
      let (a, b, c) = (vector(), vector(), vector())
      #expect(join(a, b) == join(b, a), "seed \(seed)")
      #expect(join(join(a, b), c) == join(a, join(b, c)), "seed \(seed)")
      #expect(join(a, a) == a, "seed \(seed)")
      #expect(a.isSubset(of: join(a, b)), "seed \(seed)")
      #expect(a.isSubset(of: b) == (join(a, b) == b), "seed \(seed)")
      #expect(VersionVector(a.description) == a, "seed \(seed)")
    }
  }

  @Test func `ids that differ in normalization alone are two ids`() {
    let composed = RecordID("\u{e9}")
    let decomposed = RecordID("e\u{301}")
    #expect(composed.string == decomposed.string)
    #expect(composed != decomposed)
    #expect(Value.string("\u{e9}") != Value.string("e\u{301}"))
    #expect(Set([composed, decomposed]).count == 2)
  }
}
