public import TidemarkEvents
internal import TidemarkSchema

/// What one create or update does to its record's fields: each at most once.
///
/// Values go straight into the bytes of the event. Fields in the order of the schema cost least.
@safe public struct RecordEditor: ~Copyable {
  // The transaction that the editor is part of keeps both.
  private unowned(unsafe) let heldWriter: LocalWriter
  private unowned(unsafe) let heldShape: ModelShape
  private var writer: LocalWriter { @inline(__always) get { unsafe heldWriter } }
  private var shape: ModelShape { @inline(__always) get { unsafe heldShape } }
  // Of the shape, at hand without a look at it.
  private let shapeID: ObjectIdentifier
  private let isWide: Bool
  private let owners: UInt128
  /// A bit for each field that is given.
  var given: UInt128 = 0
  /// A field came before one that stands before it, so that the changes have to be sorted.
  var isDisordered = false
  /// Where the operation on the last owner field that was given stands, or -1.
  var ownerOffset = -1
  /// A field is set to null.
  var setsNull = false
  private var last = -1

  init(_ writer: LocalWriter, _ shape: ModelShape) {
    unsafe heldWriter = writer
    unsafe heldShape = shape
    shapeID = ObjectIdentifier(shape)
    isWide = shape.isWide
    owners = shape.owners
  }

  /// Sets a field to text.
  /// - Throws: `StoreError` `invalid` where the field does not take it.
  public mutating func set(_ field: FieldReference, _ text: String) throws(StoreError) {
    switch field.check {
    case .text: break
    case .formatted(let scalar) where scalar.isWellFormed(text): break
    default: return try set(field, .string(text))
    }
    try check(field)
    guard let offset = writer.append(field.place, text) else {
      throw StoreError(.invalid, "\(field.name) takes text without NUL")
    }
    note(field, at: offset)
  }

  /// Sets a field to a whole number.
  public mutating func set(_ field: FieldReference, _ number: Int64) throws(StoreError) {
    guard field.check.isInteger else { return try set(field, .int(number)) }
    try note(field)
    writer.builder.append(FieldChange(field: field.place, operation: .set(.int(number))))
  }

  /// Sets a field to a number.
  public mutating func set(_ field: FieldReference, _ number: Double) throws(StoreError) {
    try set(field, .double(number))
  }

  /// Sets a field to true or false.
  public mutating func set(_ field: FieldReference, _ flag: Bool) throws(StoreError) {
    try set(field, .bool(flag))
  }

  /// Sets a field to any value; `.null` where it has none from now on.
  public mutating func set(_ field: FieldReference, _ value: Value) throws(StoreError) {
    try note(field)
    do {
      let definition = field.shape.model.fields[field.place]
      let coerced = try shape.schema.coerce(value, to: definition.type, path: definition.name)
      try append(field, .set(coerced))
    } catch let error as ValueError {
      throw StoreError(.invalid, error.message)
    } catch {
      throw StoreError.wrapping(error)
    }
    if value.isNull { setsNull = true }
  }

  /// Adds to a counter; a negative amount takes away.
  public mutating func add(_ field: FieldReference, _ amount: Int64) throws(StoreError) {
    try note(field)
    guard field.check.isCounter else { return try append(field, .add(amount)) }
    writer.builder.appendAdd(field.place, amount)
  }

  /// Puts elements into a set, and takes others out.
  public mutating func edit(
    _ field: FieldReference, insert: [Value] = [], remove: [Value] = []
  ) throws(StoreError) {
    try note(field)
    try append(field, .edit(add: insert, remove: remove))
  }

  /// Adds a change that has been checked, in the order of the fields.
  mutating func append(checked change: FieldChange) {
    if !isWide { mark(change.field, at: writer.builder.bytes.byteCount) }
    writer.builder.append(change)
    if case .set(.null) = change.operation { setsNull = true }
  }

  /// Gives what a create leaves out its default.
  mutating func giveDefaults() throws(StoreError) {
    guard !shape.defaults.isEmpty else { return }
    var places: Set<Int> = []
    if isWide {
      do {
        places = Set(try writer.builder.pendingChanges().map(\.field))
      } catch {
        throw StoreError(error)
      }
    }
    for (field, value) in shape.defaults {
      guard isWide ? !places.contains(field) : given & (1 << UInt128(field)) == 0 else { continue }
      isDisordered = true
      append(checked: FieldChange(field: field, operation: .set(value)))
    }
  }

  private mutating func append(
    _ field: FieldReference, _ operation: FieldOperation
  ) throws(StoreError) {
    let change = FieldChange(field: field.place, operation: operation)
    do {
      try shape.schema.check(kind: .update, modelIndex: shape.place, changes: [change])
    } catch {
      throw StoreError(.invalid, error.message)
    }
    writer.builder.append(change)
  }

  private mutating func note(_ field: FieldReference) throws(StoreError) {
    try check(field)
    note(field, at: writer.builder.bytes.byteCount)
  }

  /// Refuses a field of another model, and one that was given before.
  private func check(_ field: FieldReference) throws(StoreError) {
    guard ObjectIdentifier(field.shape) == shapeID || field.shape.isSame(as: shape) else {
      throw StoreError.foreign(field, shape)
    }
    if field.place <= last, !isWide, given & (1 << UInt128(field.place)) != 0 {
      throw StoreError(.invalid, "\(field.name) is given twice; give it once")
    }
  }

  /// Notes a field whose change stands at an offset.
  private mutating func note(_ field: FieldReference, at offset: Int) {
    if field.place <= last { isDisordered = true }
    last = max(last, field.place)
    if !isWide { mark(field.place, at: offset) }
  }

  private mutating func mark(_ field: Int, at offset: Int) {
    let bit: UInt128 = 1 << UInt128(field)
    given |= bit
    if owners & bit != 0 { ownerOffset = offset }
  }
}

extension StoreError {
  fileprivate static func foreign(_ field: FieldReference, _ shape: ModelShape) -> StoreError {
    StoreError(
      .misuse,
      "the field \(field.name) is not one of this \(shape.model.name): look models and fields up in the store that is written, after its schema has changed"
    )
  }
}
