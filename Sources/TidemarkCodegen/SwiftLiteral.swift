internal import TidemarkEvents
internal import TidemarkSchema

/// A value as Swift writes it where its type is known.
struct SwiftLiteral {
  let text: String

  /// - Returns: `nil` for what no field has as its default.
  init?(_ value: Value, of type: FieldType) {
    switch (value, type.unwrapped) {
    case (.string(let name), .enumeration):
      text = "." + SwiftName.escaped(SwiftName.member(name))
    case (.string(let string), _): text = SwiftLiteral.quoted(string)
    case (.int(let number), _): text = "\(number)"
    case (.double(let number), _): text = "\(number)"
    case (.bool(let flag), _): text = "\(flag)"
    default: return nil
    }
  }

  private static func quoted(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case "\n": text += "\\n"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
