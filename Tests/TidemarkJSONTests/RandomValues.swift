import TidemarkEvents
import TidemarkTesting

/// Values of every kind, with the strings that trip readers.
extension SeededGenerator {
  mutating func string() -> String {
    let pieces = [
      "a", "plain text", "\"", "\\", "/", "\n", "\u{1}", "\u{1F}", "\u{7F}", "é", "e\u{301}", "日本",
      "👩‍👩‍👧", "\u{10FFFF}", "\u{2028}", "12345678", "\u{FFFD}",
    ]
    return (0..<Int.random(in: 0...6, using: &self)).map { _ in
      pieces[Int.random(in: 0..<pieces.count, using: &self)]
    }.joined()
  }

  mutating func value(depth: Int = 0) -> Value {
    switch Int.random(in: 0...(depth < 5 ? 7 : 5), using: &self) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &self))
    case 2: return .int(Int64.random(in: Int64.min...Int64.max, using: &self))
    case 3: return .int(Int64.random(in: -99...99, using: &self))
    case 4:
      let value = Double(bitPattern: next())
      return .double(value.isFinite ? value : Double(Int16(truncatingIfNeeded: next())) / 8)
    case 5: return .string(string())
    case 6:
      return .list((0..<Int.random(in: 0...4, using: &self)).map { _ in value(depth: depth + 1) })
    default:
      let members = (0..<Int.random(in: 0...12, using: &self)).map { index in
        Value.Member("\(index)" + string(), value(depth: depth + 1))
      }
      return .object(members)
    }
  }
}
