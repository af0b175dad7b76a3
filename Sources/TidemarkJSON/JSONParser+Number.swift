import TidemarkEvents

extension JSONParser {
  /// Reads the number that starts at `position`: digits alone make an integer, a fraction or an
  /// exponent a double.
  mutating func readNumber() throws(JSONError) -> Value {
    let start = position
    let isNegative = byte(start) == UInt8(ascii: "-")
    if isNegative { position += 1 }
    guard let first = digit() else { throw wrongNumber(start, "a digit") }
    var magnitude = UInt64(first)
    var overflowed = false
    position += 1
    if first == 0 {
      if digit() != nil {
        throw failure(.invalidNumber, at: start, "a number has no leading zeros; remove them")
      }
    } else {
      while let digit = digit() {
        let (product, over) = magnitude.multipliedReportingOverflow(by: 10)
        let (sum, overAgain) = product.addingReportingOverflow(UInt64(digit))
        overflowed = overflowed || over || overAgain
        magnitude = sum
        position += 1
      }
    }
    if position < count, isFractionOrExponent(byte(position)) {
      return try readDouble(
        from: start, isNegative: isNegative, whole: overflowed ? nil : magnitude)
    }
    let limit = UInt64(Int64.max) + (isNegative ? 1 : 0)
    guard !overflowed, magnitude <= limit else {
      if takesAnyNumber { return .null }
      throw failure(
        .numberOutOfRange, at: start,
        "an integer from \(Int64.min) to \(Int64.max) is expected; write a larger one in a string")
    }
    return .int(isNegative ? Int64(truncatingIfNeeded: 0 &- magnitude) : Int64(magnitude))
  }

  /// Goes on at the point or the `e`; `whole` is what stands before it, where it fits.
  private mutating func readDouble(
    from start: Int, isNegative: Bool, whole: UInt64?
  ) throws(JSONError) -> Value {
    var mantissa = whole
    var exponent = 0
    if byte(position) == UInt8(ascii: ".") {
      position += 1
      guard digit() != nil else { throw wrongNumber(start, "a digit") }
      while let digit = digit() {
        // Past 2⁵³ the mantissa is no longer exact as a double, so it need not be held.
        mantissa = mantissa.flatMap { $0 < 1 << 53 ? $0 * 10 + UInt64(digit) : nil }
        exponent -= 1
        position += 1
      }
    }
    if position < count, byte(position) | 0x20 == UInt8(ascii: "e") {
      position += 1
      var isExponentNegative = false
      if position < count,
        byte(position) == UInt8(ascii: "+") || byte(position) == UInt8(ascii: "-")
      {
        isExponentNegative = byte(position) == UInt8(ascii: "-")
        position += 1
      }
      guard digit() != nil else { throw wrongNumber(start, "a digit") }
      var given = 0
      while let digit = digit() {
        given = min(given * 10 + Int(digit), 1_000_000)
        position += 1
      }
      exponent += isExponentNegative ? -given : given
    }
    if takesAnyNumber { return .null }
    let value = try double(start, isNegative: isNegative, mantissa: mantissa, exponent: exponent)
    guard value.isFinite else {
      throw failure(.numberOutOfRange, at: start, "the number is too large for a double")
    }
    return .double(value)
  }

  /// A mantissa below 2⁵³ and a power of ten up to 10²² are exact as doubles, so that one operation
  /// rounds correctly (Clinger, “How to Read Floating Point Numbers Accurately”, 1990); all others
  /// go to the standard library.
  private func double(
    _ start: Int, isNegative: Bool, mantissa: UInt64?, exponent: Int
  ) throws(JSONError) -> Double {
    if let mantissa, mantissa <= 1 << 53, abs(exponent) < powersOfTen.count {
      let whole = isNegative ? -Double(mantissa) : Double(mantissa)
      return exponent < 0 ? whole / powersOfTen[-exponent] : whole * powersOfTen[exponent]
    }
    guard position - start <= JSONReader.numberByteCountMax,
      let value = Double(string(start, position))
    else {
      throw failure(
        .numberOutOfRange, at: start,
        "a number has at most \(JSONReader.numberByteCountMax) bytes; write fewer digits")
    }
    return value
  }

  /// The digit at `position`, where there is one.
  @inline(__always)
  private func digit() -> UInt8? {
    guard position < count else { return nil }
    let value = byte(position) &- UInt8(ascii: "0")
    return value < 10 ? value : nil
  }

  private func isFractionOrExponent(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e")
  }

  private func wrongNumber(_ start: Int, _ wanted: String) -> JSONError {
    position < count
      ? failure(.invalidNumber, at: start, "the number lacks \(wanted)")
      : failure(.unexpectedEnd, at: count, "the text ends where \(wanted) is expected")
  }
}

/// 10⁰ to 10²²: those that a double holds exactly.
private let powersOfTen: [Double] = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
]
