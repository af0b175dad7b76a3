import Foundation

/// Numbers as a person reads them.
enum NumberText {
  /// Three digits that count, with thousands apart.
  static func rate(_ value: Double) -> String {
    guard value >= 1000 else { return decimal(value, value < 10 ? 2 : value < 100 ? 1 : 0) }
    var step = 1.0
    while value / step >= 1000 { step *= 10 }
    return grouped(Int((value / step).rounded() * step))
  }

  static func ratio(_ value: Double?) -> String {
    guard let value else { return "" }
    return decimal(value, value < 0.1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0) + "x"
  }

  static func decimal(_ value: Double, _ places: Int) -> String {
    String(format: "%.\(places)f", value)
  }

  static func grouped(_ value: Int) -> String {
    let digits = Array(String(value))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  static func microseconds(_ value: Double?) -> String {
    guard let value else { return "" }
    return value < 100 ? decimal(value, 1) : grouped(Int(value.rounded()))
  }

  static func megabytes(_ bytes: Int?) -> String {
    bytes.map { decimal(Double($0) / 1_048_576, 1) } ?? ""
  }
}
