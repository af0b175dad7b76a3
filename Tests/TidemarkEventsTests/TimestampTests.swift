import Testing
import TidemarkEvents
import TidemarkTesting

@Suite struct TimestampTests {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.001Z", 1),
      ("2026-01-02T03:04:05.678Z", 1_767_323_045_678), ("2000-02-29T12:00:00Z", 951_825_600_000),
      ("2024-02-29T23:59:59.999999999Z", 1_709_251_199_999),
      ("2026-01-02T03:04:05.6Z", 1_767_323_045_600),
      ("2026-01-02T03:04:05.67Z", 1_767_323_045_670),
      ("2026-01-02T05:04:05.678+02:00", 1_767_323_045_678),
      ("2026-01-01T21:34:05.678-05:30", 1_767_323_045_678),
      ("2026-01-02T03:04:05-00:00", 1_767_323_045_000),
      ("1969-12-31T23:00:00-01:00", 0), ("9999-12-31T23:59:59.999Z", Timestamp.millisecondsMax),
    ] as [(String, UInt64)])
  func `a time reads as milliseconds`(text: String, milliseconds: UInt64) {
    #expect(Timestamp.milliseconds(text) == milliseconds)
  }

  @Test(arguments: [
    "", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02t03:04:05z",
    "2026-01-02T03:04Z", "2026-1-02T03:04:05Z", "2026-01-02T03:04:05Z ", " 2026-01-02T03:04:05Z",
    "2026-00-02T03:04:05Z", "2026-13-02T03:04:05Z", "2026-01-00T03:04:05Z", "2026-01-32T03:04:05Z",
    "2026-04-31T03:04:05Z", "2025-02-29T03:04:05Z", "2100-02-29T03:04:05Z", "2026-01-02T24:00:00Z",
    "2026-01-02T03:60:05Z", "2016-12-31T23:59:60Z", "2026-01-02T03:04:05.Z",
    "2026-01-02T03:04:05.1234567890Z", "2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05+24:00",
    "2026-01-02T03:04:05+02:60", "2026-01-02T03:04:05+0200", "2026-01-02T03:04:05+02:00:00",
    "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999-00:01", "10000-01-01T00:00:00Z", "+2026-01-02T03:04:05Z",
    "2026-01-02T03:04:٠٥Z",
  ])
  func `anything else is no time`(text: String) {
    #expect(Timestamp.milliseconds(text) == nil)
  }

  @Test func `every day of four centuries is written and read back, one after the other`() {
    var seen = ""
    for day in UInt64(0)..<146_097 {
      let text = Timestamp.text(day * 86_400_000)
      #expect(Timestamp.milliseconds(text) == day * 86_400_000)
      #expect(seen < text)
      seen = text
    }
    #expect(seen == "2369-12-31T00:00:00.000Z")
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `a moment is written and read back`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<2000 {
      let moment = UInt64.random(in: 0...Timestamp.millisecondsMax, using: &generator)
      #expect(Timestamp.milliseconds(Timestamp.text(moment)) == moment, "seed \(seed)")
    }
  }

  @Test func `the greatest stamp is written with a longer year`() {
    #expect(Timestamp.text(Stamp.millisecondsMax) == "10889-08-02T05:31:50.655Z")
    #expect(Timestamp.text(Timestamp.millisecondsMax + 1) == "10000-01-01T00:00:00.000Z")
    #expect(!Timestamp.text(UInt64.max).isEmpty)
  }
}
