public import TidemarkEvents

/// A Swift type that a field's value is read as and written from.
///
/// Enums with `String` raw values conform by saying so; embedded types, by reading the members of an
/// object and making one.
public protocol RecordValue: Sendable {
  /// `nil` where the value is none of this type.
  init?(recordValue: Value)
  var recordValue: Value { get }
}

extension RecordValue where Self: RawRepresentable, RawValue == String {
  public init?(recordValue: Value) {
    guard case .string(let text) = recordValue else { return nil }
    self.init(rawValue: text)
  }

  public var recordValue: Value { .string(rawValue) }
}

extension String: RecordValue {
  public init?(recordValue: Value) {
    guard case .string(let text) = recordValue else { return nil }
    self = text
  }

  public var recordValue: Value { .string(self) }
}

extension RecordID: RecordValue {
  public init?(recordValue: Value) {
    guard case .string(let text) = recordValue else { return nil }
    self.init(text)
  }

  public var recordValue: Value { .string(string) }
}

extension Int64: RecordValue {
  public init?(recordValue: Value) {
    guard case .int(let number) = recordValue else { return nil }
    self = number
  }

  public var recordValue: Value { .int(self) }
}

extension Double: RecordValue {
  public init?(recordValue: Value) {
    switch recordValue {
    case .double(let number): self = number
    case .int(let number): self = Double(number)
    default: return nil
    }
  }

  public var recordValue: Value { .double(self) }
}

extension Bool: RecordValue {
  public init?(recordValue: Value) {
    guard case .bool(let flag) = recordValue else { return nil }
    self = flag
  }

  public var recordValue: Value { .bool(self) }
}

/// `nil` is null.
extension Optional: RecordValue where Wrapped: RecordValue {
  public init?(recordValue: Value) {
    if recordValue.isNull {
      self = .none
    } else {
      guard let wrapped = Wrapped(recordValue: recordValue) else { return nil }
      self = .some(wrapped)
    }
  }

  public var recordValue: Value { self?.recordValue ?? .null }
}

extension Array: RecordValue where Element: RecordValue {
  public init?(recordValue: Value) {
    guard case .list(let values) = recordValue else { return nil }
    self.init()
    reserveCapacity(values.count)
    for value in values {
      guard let element = Element(recordValue: value) else { return nil }
      append(element)
    }
  }

  public var recordValue: Value { .list(map(\.recordValue)) }
}

/// In the order of the elements' values.
extension Set: RecordValue where Element: RecordValue {
  public init?(recordValue: Value) {
    guard let elements = [Element](recordValue: recordValue) else { return nil }
    self.init(elements)
  }

  public var recordValue: Value { .list(map(\.recordValue).sorted()) }
}

extension Value: RecordValue {
  public init?(recordValue: Value) { self = recordValue }

  public var recordValue: Value { self }
}

// What embedded types are read with and written by.

extension Value {
  /// A member of an object; `nil` where the value is no object, or the member none of the type. A
  /// member that is not there is null.
  /// - Complexity: O(members).
  public func member<V: RecordValue>(_ name: String, as type: V.Type = V.self) -> V? {
    guard case .object = self else { return nil }
    return V(recordValue: self[name] ?? .null)
  }

  /// An object of the members that are not null.
  public static func object(leavingOutNulls members: KeyValuePairs<String, Value>) -> Value {
    .object(members.compactMap { $1.isNull ? nil : Member($0, $1) })
  }
}
