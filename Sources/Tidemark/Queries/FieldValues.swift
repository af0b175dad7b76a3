internal import TidemarkEvents

/// What conditions and orders are asked of: a record, in place or decoded.
protocol FieldValues: ~Copyable {
  var id: RecordID { get }

  /// A field's value; `nil` where it has none.
  borrowing func value(_ field: FieldReference) throws(StoreError) -> Value?

  /// Calls `body` with the bytes of a field's text.
  /// - Returns: `nil` where the field holds no text.
  borrowing func withText<R>(
    _ field: FieldReference, _ body: (RawSpan) -> R
  ) throws(StoreError) -> R?

  /// A field's whole number; `nil` where it holds none.
  borrowing func integer(_ field: FieldReference) throws(StoreError) -> Int64?
}

extension RecordReader: FieldValues {}

/// A decoded record, by its fields' names.
extension RecordView: FieldValues {
  func value(_ field: FieldReference) -> Value? { self[field.name] }

  func withText<R>(_ field: FieldReference, _ body: (RawSpan) -> R) -> R? {
    value(field)?.stringValue.map { $0.withBytes(body) }
  }

  func integer(_ field: FieldReference) -> Int64? {
    if case .int(let number) = value(field) { number } else { nil }
  }
}

extension String {
  /// Calls `body` with the text's UTF-8.
  func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    var copy = self
    return copy.withUTF8 { unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0))) }
  }
}

extension Value {
  /// How it compares with another by what both are worth: below 0 where it comes before, 0 where they
  /// are equal; `nil` where neither precedes the other, because one is null or they are of two kinds.
  func worth(_ other: Value) -> Int? {
    switch (self, other) {
    case (.int(let a), .int(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.double(let a), .double(let b)): a < b ? -1 : a > b ? 1 : a == b ? 0 : nil
    case (.int(let a), .double(let b)): Value.worth(a, b)
    case (.double(let a), .int(let b)): Value.worth(b, a).map { -$0 }
    case (.null, _), (_, .null): nil
    case (.string, .string), (.bool, .bool), (.list, .list), (.object, .object):
      self == other ? 0 : self < other ? -1 : 1
    default: nil
    }
  }

  /// Exact, where a double has not the whole number's digits.
  private static func worth(_ a: Int64, _ b: Double) -> Int? {
    let near = Double(a)
    if near != b { return near < b ? -1 : near > b ? 1 : nil }
    guard let whole = Int64(exactly: b) else { return -1 }
    return a < whole ? -1 : a > whole ? 1 : 0
  }

  /// Equal numbers as one value.
  var normalized: Value {
    if case .double(let number) = self, let whole = Int64(exactly: number) {
      .int(whole)
    } else {
      self
    }
  }
}
