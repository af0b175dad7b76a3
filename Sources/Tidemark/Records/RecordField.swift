/// A field of a record type: what predicates are made of.
public protocol TypedField<Root, Value>: Sendable {
  associatedtype Root: Record
  associatedtype Value: RecordValue
  /// In the schema.
  var name: String { get }
}

/// A field that the last write decides.
public struct RecordField<Root: Record, Value: RecordValue>: TypedField {
  public let name: String

  public init(_ name: String) { self.name = name }
}

/// A counter: what `increment` takes.
public struct CounterField<Root: Record>: TypedField {
  public typealias Value = Int64

  public let name: String

  public init(_ name: String) { self.name = name }
}

/// A set: what `insert` and `remove` take.
public struct SetField<Root: Record, Element: RecordValue & Hashable>: TypedField {
  public typealias Value = Set<Element>

  public let name: String

  public init(_ name: String) { self.name = name }
}
