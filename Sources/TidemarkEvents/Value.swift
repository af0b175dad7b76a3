/// What a field can hold. Equality and order are of bytes: two strings that differ only in Unicode
/// normalization are two values, as they are to LMDB and to every peer.
public enum Value: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  case list([Value])
  /// Members in the order they were given; a name stands at most once.
  case object([Member])

  public struct Member: Hashable, Sendable {
    public var name: String
    public var value: Value

    public init(_ name: String, _ value: Value) {
      self.name = name
      self.value = value
    }

    public static func == (a: Member, b: Member) -> Bool {
      a.name.hasSameBytes(as: b.name) && a.value == b.value
    }

    public func hash(into hasher: inout Hasher) {
      name.hashBytes(into: &hasher)
      hasher.combine(value)
    }
  }

  public var isNull: Bool {
    if case .null = self { return true }
    return false
  }

  /// The string, where it is one.
  public var stringValue: String? {
    if case .string(let string) = self { return string }
    return nil
  }

  /// An object's member; the first of that name.
  public subscript(name: String) -> Value? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name.hasSameBytes(as: name) }?.value
  }
}

extension Value: Hashable {
  public static func == (a: Value, b: Value) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.int(let x), .int(let y)): x == y
    case (.double(let x), .double(let y)): x.bitPattern == y.bitPattern
    case (.string(let x), .string(let y)): x.hasSameBytes(as: y)
    case (.list(let x), .list(let y)): x == y
    case (.object(let x), .object(let y)): x == y
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .int(let value): hasher.combine(value)
    case .double(let value): hasher.combine(value.bitPattern)
    case .string(let value): value.hashBytes(into: &hasher)
    case .list(let values): hasher.combine(values)
    case .object(let members): hasher.combine(members)
    }
  }
}

extension Value: Comparable {
  /// A total order for sorting: null, booleans, numbers, strings by bytes, lists, objects.
  public static func < (a: Value, b: Value) -> Bool { a.compare(b) < 0 }

  private var typeOrder: Int {
    switch self {
    case .null: 0
    case .bool: 1
    case .int, .double: 2
    case .string: 3
    case .list: 4
    case .object: 5
    }
  }

  private func compare(_ other: Value) -> Int {
    switch (self, other) {
    case (.bool(let x), .bool(let y)): return (x ? 1 : 0) - (y ? 1 : 0)
    case (.int(let x), .int(let y)): return x < y ? -1 : x > y ? 1 : 0
    case (.double(let x), .double(let y)): return x < y ? -1 : x > y ? 1 : 0
    case (.int(let x), .double(let y)): return Double(x) <= y ? -1 : 1
    case (.double(let x), .int(let y)): return x < Double(y) ? -1 : 1
    case (.string(let x), .string(let y)):
      return x.hasSameBytes(as: y) ? 0 : x.precedesInBytes(y) ? -1 : 1
    case (.list(let x), .list(let y)):
      for (left, right) in zip(x, y) {
        let order = left.compare(right)
        if order != 0 { return order }
      }
      return x.count - y.count
    case (.object(let x), .object(let y)):
      for (left, right) in zip(x, y) {
        if !left.name.hasSameBytes(as: right.name) {
          return left.name.precedesInBytes(right.name) ? -1 : 1
        }
        let order = left.value.compare(right.value)
        if order != 0 { return order }
      }
      return x.count - y.count
    default: return typeOrder - other.typeOrder
    }
  }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: Value...) { self = .list(elements) }
  public init(nilLiteral: ()) { self = .null }
}

extension String {
  /// Equality of UTF-8 bytes, where `==` would hold two normalizations of one text equal.
  @inlinable
  public func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }

  /// The order of UTF-8 bytes, which is LMDB's.
  @inlinable
  public func precedesInBytes(_ other: String) -> Bool {
    utf8.lexicographicallyPrecedes(other.utf8)
  }

  @inlinable
  public func hashBytes(into hasher: inout Hasher) {
    var copy = self
    copy.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
