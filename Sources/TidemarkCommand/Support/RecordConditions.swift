import Tidemark
import TidemarkJSON

/// `--where`: conditions on fields, all of which must hold. A field without a value meets none but `!=`.
struct RecordConditions {
  fileprivate enum Comparison: String, CaseIterable {
    // Longer ones first, so that `<=` is not read as `<`.
    case notEqual = "!="
    case atMost = "<="
    case atLeast = ">="
    case equal = "="
    case less = "<"
    case greater = ">"
    case contains = "~"
  }

  fileprivate struct Condition {
    let field: String
    let comparison: Comparison
    let text: String
    let value: Value
  }

  private var conditions: [Condition] = []

  init(_ texts: [String], _ schema: Schema, _ model: String?) throws {
    for text in texts {
      guard let condition = RecordConditions.condition(text) else {
        throw CommandError(
          .usage, "--where \(text): write FIELD=VALUE, or with !=, <, <=, >, >= or ~")
      }
      try RecordOrder.check(condition.field, schema, model, "--where")
      conditions.append(condition)
    }
  }

  private static func condition(_ text: String) -> Condition? {
    guard let place = text.firstIndex(where: { "!<>=~".contains($0) }), place > text.startIndex,
      let comparison = Comparison.allCases.first(where: { text[place...].hasPrefix($0.rawValue) })
    else { return nil }
    let operand = String(text[place...].dropFirst(comparison.rawValue.count))
    // What reads as JSON is that value; anything else is text.
    return Condition(
      field: String(text[..<place]), comparison: comparison, text: operand,
      value: (try? JSONReader.read(operand)) ?? .string(operand))
  }

  func match(_ view: RecordView) -> Bool {
    conditions.allSatisfy { condition in
      let value =
        condition.field == "id" ? .string(view.id.string) : view[condition.field] ?? .null
      // A text is compared as text, also where it would read as a number.
      let operand: Value =
        if case .string = value { .string(condition.operandText) } else { condition.value }
      switch condition.comparison {
      case .equal: return value == operand || isSameNumber(value, operand)
      case .notEqual: return value != operand && !isSameNumber(value, operand)
      case .less: return !value.isNull && value < operand
      case .atMost: return !value.isNull && !(operand < value)
      case .greater: return !value.isNull && operand < value
      case .atLeast: return !value.isNull && !(value < operand)
      case .contains:
        if case .list(let elements) = value {
          return elements.contains(condition.value) || elements.contains(.string(condition.text))
        }
        return value.stringValue?.contains(condition.text) ?? false
      }
    }
  }

  private func isSameNumber(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.int(let x), .double(let y)), (.double(let y), .int(let x)): Double(x) == y
    default: false
    }
  }
}

extension RecordConditions.Condition {
  fileprivate var operandText: String { value.stringValue ?? text }
}

/// `--sort`: fields to sort by, then model and id.
struct RecordOrder {
  private var keys: [(field: String, isDescending: Bool)] = []

  var isEmpty: Bool { keys.isEmpty }

  init(_ texts: [String], _ schema: Schema, _ model: String?) throws {
    for text in texts {
      let isDescending = text.hasPrefix("-")
      let field = isDescending ? String(text.dropFirst()) : text
      try RecordOrder.check(field, schema, model, "--sort")
      keys.append((field, isDescending))
    }
  }

  func precedes(_ a: RecordView, _ b: RecordView) -> Bool {
    for key in keys {
      let left = key.field == "id" ? .string(a.id.string) : a[key.field] ?? .null
      let right = key.field == "id" ? .string(b.id.string) : b[key.field] ?? .null
      if left < right { return !key.isDescending }
      if right < left { return key.isDescending }
    }
    return a.model == b.model ? a.id < b.id : a.model.precedesInBytes(b.model)
  }

  static func check(
    _ field: String, _ schema: Schema, _ model: String?, _ option: String
  ) throws {
    let models = schema.models.filter { model == nil || $0.name == model }
    guard field == "id" || models.contains(where: { $0.field(field) != nil }) else {
      let names = Set(models.flatMap { $0.fields.map(\.name) }).sorted().joined(separator: ", ")
      throw CommandError(.usage, "\(option): there is no field \(field); there are id, \(names)")
    }
  }
}
