public import TidemarkEvents

extension FieldType {
  /// Whether what a field of this type holds can be shown as another type: between scalars, enums and
  /// lists of them. What one value becomes, `Schema.convert` says.
  public func isConvertible(to other: FieldType) -> Bool {
    switch (unwrapped, other.unwrapped) {
    case (.embedded, _), (_, .embedded): unwrapped == other.unwrapped
    case (.list(let mine), .list(let theirs)): mine.isConvertible(to: theirs)
    case (.list(let mine), _): mine.isConvertible(to: other)
    case (_, .list(let theirs)): isConvertible(to: theirs)
    default: true
    }
  }
}

extension Schema {
  /// What a value that was written for another type is as one of this type; null where it is none. It
  /// follows from the value and the type alone, so that every store shows the same.
  ///
  /// | of | to | |
  /// | --- | --- | --- |
  /// | number, boolean | `String`, `ID` | as JSON writes it |
  /// | text | `Int`, `Float`, `Boolean` | what it says, if it is just that |
  /// | number | `Int` | where it is a whole one in the bounds |
  /// | boolean | number | 1 or 0 |
  /// | number | `Boolean` | whether it is other than 0 |
  /// | text | enum, scalar with a form | where it is a case, or has the form |
  /// | value | list | the list of it |
  /// | list | value | its only element |
  /// - Complexity: O(size of the value).
  public func convert(_ value: Value, to type: FieldType) -> Value {
    switch (value, type.unwrapped) {
    case (.null, _): return .null
    case (.list(let elements), .list(let element)):
      return .list(elements.compactMap { converted($0, to: element) })
    case (_, .list(let element)):
      return converted(value, to: element).map { .list([$0]) } ?? .null
    case (.list(let elements), let type):
      return elements.count == 1 ? convert(elements[0], to: type) : .null
    case (_, .scalar(let scalar)): return scalar.convert(value)
    case (.string(let text), .enumeration(let name)):
      return enumeration(name)?.contains(text) ?? false ? value : .null
    case (.object, .embedded): return value
    default: return .null
    }
  }

  /// An element of a list; `nil` where it is to be left out.
  private func converted(_ element: Value, to type: FieldType) -> Value? {
    let converted = convert(element, to: type)
    // A bare `nil` would be the value null.
    guard !converted.isNull || (element.isNull && !type.isRequired) else { return .none }
    return converted
  }
}

extension Scalar {
  /// What a value is as one of this scalar; null where it is none.
  func convert(_ value: Value) -> Value {
    let candidate: Value? =
      switch (self, value) {
      case (.int, .double(let number)), (.timestamp, .double(let number)):
        Int64(exactly: number).map(Value.int)
      case (.int, .string(let text)), (.timestamp, .string(let text)): Int64(text).map(Value.int)
      case (.int, .bool(let flag)): .int(flag ? 1 : 0)
      case (.float, .int(let number)): .double(Double(number))
      case (.float, .string(let text)): Double(text).map(Value.double)
      case (.float, .bool(let flag)): .double(flag ? 1 : 0)
      case (.boolean, .int(let number)): .bool(number != 0)
      case (.boolean, .double(let number)): .bool(number != 0)
      case (.boolean, .string(let text)): Bool(text).map(Value.bool)
      case (.id, .int(let number)), (.string, .int(let number)): .string(number.description)
      case (.id, .double(let number)), (.string, .double(let number)):
        .string(number.description)
      case (.id, .bool(let flag)), (.string, .bool(let flag)): .string(flag.description)
      default: value
      }
    return candidate.flatMap { try? coerce($0, path: "") } ?? .null
  }
}
