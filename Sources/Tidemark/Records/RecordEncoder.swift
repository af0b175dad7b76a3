public import TidemarkEvents

/// What a record type gives its fields to, by their places in the type's `fieldNames`.
///
/// A counter is given its sum and a set all that it holds: what is written is the difference to what
/// was there before.
public struct RecordEncoder: ~Copyable {
  private let shape: RecordShape
  /// By place; `nil` where nothing was given.
  private var values: [Value?]

  fileprivate init(_ shape: RecordShape) {
    self.shape = shape
    values = Array(repeating: nil, count: shape.fields.count)
  }

  /// Gives a field its value; a `nil` for no value.
  /// - Throws: `StoreError` `misuse` for a place that `fieldNames` does not have.
  /// - Complexity: O(size of the value).
  public mutating func set<V: RecordValue>(_ place: Int, _ value: V) throws(StoreError) {
    try set(place, value.recordValue)
  }

  /// Gives a field text.
  /// - Throws: as for any value.
  public mutating func set(_ place: Int, _ text: String) throws(StoreError) {
    try set(place, .string(text))
  }

  /// Gives a field any value.
  /// - Throws: as for any other.
  public mutating func set(_ place: Int, _ value: Value) throws(StoreError) {
    guard values.indices.contains(place) else { throw StoreError.noField(place, shape) }
    values[place] = value
  }

  fileprivate consuming func finish() -> [Value?] { values }
}

extension RecordShape {
  /// What a record gives, by place.
  func values(of record: borrowing some Record) throws(StoreError) -> [Value?] {
    var encoder = RecordEncoder(self)
    try record.encode(into: &encoder)
    return encoder.finish()
  }

  /// Gives a new record's fields to an editor; those without a value are left out, so that owners are
  /// filled in.
  func give(_ values: [Value?], to editor: inout RecordEditor) throws(StoreError) {
    for place in order {
      guard let value = values[place], !value.isNull else { continue }
      try write(value, place, instead: nil, to: &editor)
    }
  }

  /// The places whose values differ, in the order of the schema.
  func changed(from before: [Value?], to after: [Value?]) -> [Int] {
    order.filter { place in
      guard let value = after[place] else { return false }
      return value != before[place] ?? .null
    }
  }

  /// Gives what differs to an editor.
  func give(
    _ places: [Int], of after: [Value?], insteadOf before: [Value?], to editor: inout RecordEditor
  ) throws(StoreError) {
    for place in places {
      try write(after[place] ?? .null, place, instead: before[place], to: &editor)
    }
  }

  private func write(
    _ value: Value, _ place: Int, instead old: Value?, to editor: inout RecordEditor
  ) throws(StoreError) {
    let field = fields[place]
    switch (field.check, value) {
    case (.counter, .int(let sum)):
      guard let amount = RecordShape.difference(sum, old) else {
        throw StoreError(.invalid, "\(field.name) changes by more than a counter can")
      }
      if amount != 0 { try editor.add(field, amount) }
    case (.set, .list(let elements)):
      var past: [Value] = []
      if case .list(let elements) = old { past = elements }
      let (inserted, removed) = (elements.missing(from: past), past.missing(from: elements))
      if !inserted.isEmpty || !removed.isEmpty {
        try editor.edit(field, insert: inserted, remove: removed)
      }
    case (.set, .null):
      if case .list(let past) = old, !past.isEmpty { try editor.edit(field, remove: past) }
    case (.counter, .null):
      throw StoreError(.invalid, "\(field.name) is a counter, which always has a value; give 0")
    case (_, .string(let text)): try editor.set(field, text)
    case (_, .int(let number)): try editor.set(field, number)
    default: try editor.set(field, value)
    }
  }

  private static func difference(_ sum: Int64, _ old: Value?) -> Int64? {
    guard case .int(let before) = old else { return sum }
    let (amount, overflows) = sum.subtractingReportingOverflow(before)
    return overflows ? nil : amount
  }
}

extension [Value] {
  fileprivate func missing(from others: [Value]) -> [Value] {
    let known = Set(others)
    return filter { !known.contains($0) }
  }
}
