public import TidemarkEvents

/// What a record must be like to be in a query's result. Fields are named as in the schema; `id` is
/// the record's id.
///
/// A field without a value is null. Null equals null and nothing else, and neither precedes nor follows
/// anything: no order, `between`, `beginsWith` or `contains` holds of it. Texts are compared by bytes,
/// numbers by what they are worth, whether whole or not. What has been negated holds wherever the
/// condition does not.
public indirect enum Filter: Hashable, Sendable {
  public enum Comparison: String, Hashable, Sendable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
  }

  case compare(field: String, Comparison, Value)
  /// At or after the first and at or before the second.
  case between(field: String, Value, Value)
  /// A text that begins with another.
  case beginsWith(field: String, String)
  /// A text that holds another, or a list or set that holds an element.
  case contains(field: String, Value)
  /// Equal to one of some values.
  case isIn(field: String, [Value])
  /// Has a value other than null.
  case exists(field: String)
  case not(Filter)
  /// All hold; an empty list holds always.
  case all([Filter])
  /// One holds; an empty list never does.
  case any([Filter])
}
