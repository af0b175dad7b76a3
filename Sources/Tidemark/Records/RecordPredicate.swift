internal import TidemarkEvents

/// What a record of one type must be like: an untyped `Filter` whose fields and values the compiler
/// has checked.
///
/// ```swift
/// let wanted = Post.fields.title.beginsWith("Low") && !(Post.fields.likes < 10)
/// ```
///
/// What each condition holds of, null above all, is as `Filter` says.
public struct RecordPredicate<Root: Record>: Hashable, Sendable {
  public let filter: Filter

  /// For a filter that was made in another way.
  public init(_ filter: Filter) { self.filter = filter }

  public static func && (a: RecordPredicate, b: RecordPredicate) -> RecordPredicate {
    RecordPredicate(.all(a.conjuncts + b.conjuncts))
  }

  public static func || (a: RecordPredicate, b: RecordPredicate) -> RecordPredicate {
    RecordPredicate(.any(a.disjuncts + b.disjuncts))
  }

  public static prefix func ! (predicate: RecordPredicate) -> RecordPredicate {
    RecordPredicate(.not(predicate.filter))
  }

  /// The same condition in one list.
  private var conjuncts: [Filter] {
    if case .all(let filters) = filter { filters } else { [filter] }
  }

  private var disjuncts: [Filter] {
    if case .any(let filters) = filter { filters } else { [filter] }
  }
}

extension TypedField {
  /// Has a value.
  public var exists: RecordPredicate<Root> { RecordPredicate(.exists(field: name)) }

  /// Equal to one of some values.
  public func isIn(_ values: some Sequence<Value>) -> RecordPredicate<Root> {
    RecordPredicate(.isIn(field: name, values.map(\.recordValue)))
  }

  fileprivate func compare(
    _ comparison: Filter.Comparison, _ value: (some RecordValue)?
  ) -> RecordPredicate<Root> {
    RecordPredicate(.compare(field: name, comparison, value?.recordValue ?? .null))
  }
}

/// Equal; `nil` for a field without a value.
public func == <F: TypedField>(field: F, value: F.Value?) -> RecordPredicate<F.Root> {
  field.compare(.equal, value)
}

/// Not equal; `nil` for a field with a value.
public func != <F: TypedField>(field: F, value: F.Value?) -> RecordPredicate<F.Root> {
  field.compare(.notEqual, value)
}

/// Before.
public func < <F: TypedField>(field: F, value: F.Value) -> RecordPredicate<F.Root>
where F.Value: Comparable { field.compare(.less, value) }

/// Before or equal.
public func <= <F: TypedField>(field: F, value: F.Value) -> RecordPredicate<F.Root>
where F.Value: Comparable { field.compare(.lessOrEqual, value) }

/// After.
public func > <F: TypedField>(field: F, value: F.Value) -> RecordPredicate<F.Root>
where F.Value: Comparable { field.compare(.greater, value) }

/// After or equal.
public func >= <F: TypedField>(field: F, value: F.Value) -> RecordPredicate<F.Root>
where F.Value: Comparable { field.compare(.greaterOrEqual, value) }

extension TypedField where Value: Comparable {
  /// At or after the first and at or before the second.
  public func between(_ first: Value, _ last: Value) -> RecordPredicate<Root> {
    RecordPredicate(.between(field: name, first.recordValue, last.recordValue))
  }
}

extension TypedField where Value == String {
  /// A text that begins with another.
  public func beginsWith(_ text: String) -> RecordPredicate<Root> {
    RecordPredicate(.beginsWith(field: name, text))
  }

  /// A text that holds another.
  public func contains(_ text: String) -> RecordPredicate<Root> {
    RecordPredicate(.contains(field: name, .string(text)))
  }
}

extension TypedField where Value: Collection, Value.Element: RecordValue {
  /// A list or set that holds an element.
  public func contains(_ element: Value.Element) -> RecordPredicate<Root> {
    RecordPredicate(.contains(field: name, element.recordValue))
  }
}
