import Tidemark
import TidemarkJSON

/// `--where` and `--sort` as a query of one model, or of each.
struct QueryArguments {
  fileprivate struct Condition {
    let field: String
    let comparison: Comparison
    let text: String
  }

  fileprivate enum Comparison: String, CaseIterable {
    // Longer ones first, so that `<=` is not read as `<`.
    case notEqual = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "="
    case less = "<"
    case greater = ">"
    case contains = "~"
  }

  private let conditions: [Condition]
  let sort: [Query.SortKey]

  /// - Throws: `CommandError` for what is no condition, and for fields that no wanted model has.
  init(
    conditions: [String], sort: [String], _ schema: Schema, _ model: String?
  ) throws {
    self.conditions = try conditions.map { text in
      guard let condition = QueryArguments.condition(text) else {
        throw CommandError(
          .usage, "--where \(text): write FIELD=VALUE, or with !=, <, <=, >, >= or ~")
      }
      try QueryArguments.check(condition.field, schema, model, "--where")
      return condition
    }
    self.sort = try sort.map { text in
      let field = text.hasPrefix("-") ? String(text.dropFirst()) : text
      try QueryArguments.check(field, schema, model, "--sort")
      return Query.SortKey(field, isDescending: text.hasPrefix("-"))
    }
  }

  /// What the conditions ask of a model's records; `nil` where there are none.
  func filter(_ model: Model) -> Filter? {
    conditions.isEmpty ? nil : .all(conditions.map { $0.filter(model.field($0.field)) })
  }

  private static func condition(_ text: String) -> Condition? {
    guard let place = text.firstIndex(where: { "!<>=~".contains($0) }), place > text.startIndex,
      let comparison = Comparison.allCases.first(where: { text[place...].hasPrefix($0.rawValue) })
    else { return nil }
    return Condition(
      field: String(text[..<place]), comparison: comparison,
      text: String(text[place...].dropFirst(comparison.rawValue.count)))
  }

  private static func check(
    _ field: String, _ schema: Schema, _ model: String?, _ option: String
  ) throws {
    let models = schema.models.filter { model == nil || $0.name == model }
    guard field == "id" || models.contains(where: { $0.field(field) != nil }) else {
      let names = Set(models.flatMap { $0.fields.map(\.name) }).sorted().joined(separator: ", ")
      throw CommandError(.usage, "\(option): there is no field \(field); there are id, \(names)")
    }
  }
}

extension QueryArguments.Condition {
  /// What reads as JSON is that value, and anything else is text; all that a text is compared with is
  /// text.
  fileprivate func filter(_ declared: Field?) -> Filter {
    let read = (try? JSONReader.read(text)) ?? .string(text)
    let isText = field == "id" || (declared?.type.unwrapped.isText ?? false)
    let value: Value = isText && !read.isNull ? .string(read.stringValue ?? text) : read
    if comparison == .contains {
      // An element of a list may be a number or its text.
      return .any([.contains(field: field, value), .contains(field: field, .string(text))])
    }
    return .compare(field: field, Filter.Comparison(rawValue: comparison.rawValue) ?? .equal, value)
  }
}

extension FieldType {
  fileprivate var isText: Bool {
    switch self {
    case .enumeration: true
    case .scalar(let scalar): ![.int, .float, .boolean, .timestamp].contains(scalar)
    case .list, .embedded, .required: false
    }
  }
}
