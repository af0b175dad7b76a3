/// Times as people and other programs see them: RFC 3339 in UTC with milliseconds, such as
/// `2026-01-02T03:04:05.678Z`, to and from milliseconds since 1970.
public enum Timestamp {
  /// The last millisecond of the year 9999: the greatest that the form can write in four digits.
  public static let millisecondsMax: UInt64 = 253_402_300_799_999

  /// Reads a time. Up to 9 digits of a fraction are taken and cut to milliseconds; an offset such as
  /// `+02:00` may stand for the `Z`.
  ///
  /// `nil` for any other form, for a date that no calendar has, for the leap second 60, and for a
  /// moment that is not in the years 1970 to 9999 in UTC.
  public static func milliseconds(_ text: String) -> UInt64? {
    var scanner = TimestampScanner(text)
    guard let days = scanner.date(), scanner.take(UInt8(ascii: "T")),
      let time = scanner.time(), let offsetSeconds = scanner.offset(), scanner.isAtEnd
    else { return nil }
    let total = days * 86_400_000 + time - offsetSeconds * 1000
    guard total >= 0, total <= millisecondsMax else { return nil }
    return UInt64(total)
  }

  /// Writes a time. Milliseconds past `millisecondsMax` get a year of more digits, and do not read
  /// back.
  public static func text(_ milliseconds: UInt64) -> String {
    var bytes: [UInt8] = []
    append(milliseconds, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends a time to a buffer: what `text` gives, without building a string.
  public static func append(_ milliseconds: UInt64, to bytes: inout [UInt8]) {
    let (year, month, day) = date(daysSince1970: Int(milliseconds / 86_400_000))
    let rest = Int(milliseconds % 86_400_000)
    if year > 9999 {
      bytes.append(contentsOf: String(year).utf8)
    } else {
      append(year, digits: 4, to: &bytes)
    }
    bytes.append(UInt8(ascii: "-"))
    append(month, digits: 2, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    append(day, digits: 2, to: &bytes)
    bytes.append(UInt8(ascii: "T"))
    append(rest / 3_600_000, digits: 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    append(rest / 60_000 % 60, digits: 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    append(rest / 1000 % 60, digits: 2, to: &bytes)
    bytes.append(UInt8(ascii: "."))
    append(rest % 1000, digits: 3, to: &bytes)
    bytes.append(UInt8(ascii: "Z"))
  }

  private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
    var divisor = 1
    for _ in 1..<digits { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }

  // The Gregorian calendar repeats every 400 years, which are 146,097 days. Counting years from
  // March puts the leap day last, where it disturbs no month before it.

  /// Days from 1970-01-01 to a date of the years 0 to 9999; `nil` where no such date is.
  package static func daysSince1970(year: Int, month: Int, day: Int) -> Int? {
    guard (0...9999).contains(year), (1...12).contains(month), day >= 1,
      day <= dayCount(year: year, month: month)
    else { return nil }
    let marchYear = (month <= 2 ? year - 1 : year) + 400
    let marchMonth = (month + 9) % 12
    let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
    let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
    return marchYear * 365 + leapDays + dayOfYear - daysFromOriginTo1970
  }

  /// Days from March 1 of the year −400, from which `marchYear` counts, to 1970-01-01.
  private static let daysFromOriginTo1970 = 719_468 + 146_097

  private static func dayCount(year: Int, month: Int) -> Int {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
    let fromOrigin = days + daysFromOriginTo1970
    let era = fromOrigin / 146_097
    let dayOfEra = fromOrigin % 146_097
    // The days less the leap days before them: 1,460 days end at a leap day of four years, 36,524 at
    // a century that has none, 146,096 at the leap day of the whole era.
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 - 400 + (month <= 2 ? 1 : 0)
    return (year, month, day)
  }
}

/// Reads dates, times and offsets from the front of a text, without Foundation.
package struct TimestampScanner {
  private var rest: Substring.UTF8View

  package init(_ text: String) {
    rest = Substring(text).utf8
  }

  package var isAtEnd: Bool { rest.isEmpty }
  package var next: UInt8? { rest.first }

  package mutating func take(_ byte: UInt8) -> Bool {
    guard rest.first == byte else { return false }
    rest.removeFirst()
    return true
  }

  /// `YYYY-MM-DD`, as days since 1970.
  package mutating func date() -> Int? {
    guard let year = number(digits: 4), take(UInt8(ascii: "-")),
      let month = number(digits: 2), take(UInt8(ascii: "-")),
      let day = number(digits: 2)
    else { return nil }
    return Timestamp.daysSince1970(year: year, month: month, day: day)
  }

  /// `hh:mm:ss` with a fraction of 1 to 9 digits or none, as milliseconds of the day; the seconds
  /// may be left out where the caller says so.
  package mutating func time(secondsOptional: Bool = false) -> Int? {
    guard let hour = number(digits: 2), hour < 24, take(UInt8(ascii: ":")),
      let minute = number(digits: 2), minute < 60
    else { return nil }
    var milliseconds = (hour * 60 + minute) * 60_000
    guard take(UInt8(ascii: ":")) else { return secondsOptional ? milliseconds : nil }
    guard let second = number(digits: 2), second < 60 else { return nil }
    milliseconds += second * 1000
    guard take(UInt8(ascii: ".")) else { return milliseconds }
    var digitCount = 0
    var scale = 100
    while let digit = digit() {
      digitCount += 1
      milliseconds += digit * scale
      scale /= 10
    }
    return (1...9).contains(digitCount) ? milliseconds : nil
  }

  /// `Z` or `±hh:mm`, as seconds east of UTC; where the caller says so, `±hh:mm:ss` as well.
  package mutating func offset(takesSeconds: Bool = false) -> Int? {
    if take(UInt8(ascii: "Z")) { return 0 }
    let isWest = take(UInt8(ascii: "-"))
    guard isWest || take(UInt8(ascii: "+")), let hour = number(digits: 2), hour < 24,
      take(UInt8(ascii: ":")), let minute = number(digits: 2), minute < 60
    else { return nil }
    var seconds = (hour * 60 + minute) * 60
    if takesSeconds, take(UInt8(ascii: ":")) {
      guard let second = number(digits: 2), second < 60 else { return nil }
      seconds += second
    }
    return isWest ? -seconds : seconds
  }

  private mutating func digit() -> Int? {
    guard let byte = rest.first, byte >= 0x30, byte <= 0x39 else { return nil }
    rest.removeFirst()
    return Int(byte) - 0x30
  }

  private mutating func number(digits: Int) -> Int? {
    var value = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }
}
