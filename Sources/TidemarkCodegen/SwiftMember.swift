internal import TidemarkSchema

/// A field as a stored property.
struct SwiftMember {
  /// In the schema.
  let name: String
  /// In Swift, without backticks.
  let swiftName: String
  let type: String
  /// After an `=`; `nil` where it has to be given.
  let defaultValue: String?
  let merge: Field.MergeType
  let isRequired: Bool
  let description: [String]

  /// In Swift, as it is declared.
  var declared: String { SwiftName.escaped(swiftName) }

  init(_ field: Field, swiftName: String, description: [String]) {
    name = field.name
    self.swiftName = swiftName
    merge = field.merge
    isRequired = field.type.isRequired
    self.description = description
    switch field.merge {
    case .counter:
      type = "Int64"
      defaultValue = "0"
    case .set:
      type = "Set<\(SwiftMember.element(of: field.type))>"
      defaultValue = "[]"
    case .register, .text:
      type = field.type.swift
      let given = field.defaultValue.flatMap { SwiftLiteral($0, of: field.type)?.text }
      defaultValue = given ?? (field.type.isRequired ? nil : "nil")
    }
  }

  /// `title: String`, with its default.
  var parameter: String {
    "\(declared): \(type)" + (defaultValue.map { " = \($0)" } ?? "")
  }

  /// Reads the field at a place.
  func decode(_ place: Int) -> String {
    let method =
      switch merge {
      case .counter: "counter"
      case .set: "set"
      case .register, .text: isRequired ? "required" : "optional"
      }
    return "\(owned) = try decoder.\(method)(\(place))"
  }

  func encode(_ place: Int) -> String { "try encoder.set(\(place), \(owned))" }

  /// The typed field of a record type.
  func field(of root: String) -> String {
    switch merge {
    case .counter: return "CounterField<\(root)>(\"\(name)\")"
    case .set:
      let element = type.dropFirst("Set<".count).dropLast()
      return "SetField<\(root), \(element)>(\"\(name)\")"
    case .register, .text:
      let value = type.last == "?" ? String(type.dropLast()) : type
      return "RecordField<\(root), \(value)>(\"\(name)\")"
    }
  }

  /// A set holds no null.
  private static func element(of type: FieldType) -> String {
    FieldType.required(type.element?.unwrapped ?? .scalar(.string)).swift
  }

  /// The property, where the parameter of the method that reads or writes it has its name.
  private var owned: String {
    swiftName == "decoder" || swiftName == "encoder" ? "self.\(swiftName)" : declared
  }
}

extension FieldType {
  /// As Swift writes it: optional, unless it is required.
  var swift: String {
    switch self {
    case .required(let type): String(type.swift.dropLast())
    case .list(let element): "[\(element.swift)]?"
    case .scalar(let scalar): "\(scalar.swift)?"
    // Those that cannot be said are refused before.
    case .enumeration(let name), .embedded(let name): "\(SwiftName.type(name) ?? name)?"
    }
  }
}

extension Scalar {
  fileprivate var swift: String {
    switch self {
    case .id: "RecordID"
    case .int, .timestamp: "Int64"
    case .float: "Double"
    case .boolean: "Bool"
    case .string, .date, .time, .dateTime, .email, .json, .url, .phone, .ipAddress: "String"
    }
  }
}
