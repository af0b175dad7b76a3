public import TidemarkEvents
internal import TidemarkSchema

/// What a record type is made from: the fields of one record by their places in the type's
/// `fieldNames`, decoded when they are asked for.
///
/// Every method throws `StoreError` `schema` where the field holds something that is not of the type
/// asked for, with the record and the field named; `misuse` for a place that `fieldNames` does not
/// have; `corrupt` for bytes that no store wrote. Each takes O(fields before it + bytes).
@safe public struct RecordDecoder: ~Copyable {
  /// Where the fields are: in place, or as values in the order of the shape.
  private let reader: UnsafePointer<RecordReader>?
  private let values: [Value?]
  private let hidden: [String]
  private let shape: RecordShape
  public let id: RecordID

  /// - Parameter reader: has to outlive the decoder, which nobody can keep: it is borrowed.
  fileprivate init(_ reader: UnsafePointer<RecordReader>, _ shape: RecordShape) {
    unsafe self.reader = unsafe reader
    self.shape = shape
    id = unsafe reader.pointee.id
    values = []
    hidden = []
  }

  /// Of what a principal may read of a record.
  init(_ view: RecordView, _ shape: RecordShape) {
    unsafe reader = nil
    self.shape = shape
    id = view.id
    values = shape.fields.map { view[$0.name] }
    hidden = view.hidden
  }

  /// A text; `nil` where there is none.
  public borrowing func optional(_ place: Int) throws(StoreError) -> String? {
    let field = try field(place)
    guard let reader = unsafe reader else { return try decode(place) }
    if let text = try unsafe reader.pointee.string(field) { return text }
    return try decode(place)
  }

  /// A whole number; `nil` where there is none.
  public borrowing func optional(_ place: Int) throws(StoreError) -> Int64? {
    let field = try field(place)
    guard let reader = unsafe reader, !field.check.isSet else { return try decode(place) }
    if let number = try unsafe reader.pointee.integer(field) { return number }
    return try decode(place)
  }

  /// A value of any type that a field can hold; `nil` where there is none.
  public borrowing func optional<V: RecordValue>(
    _ place: Int, as type: V.Type = V.self
  ) throws(StoreError) -> V? {
    try decode(place)
  }

  /// A text of a field that always has one.
  /// - Throws: `StoreError` `schema` where there is none; `notFound` where it may not be read.
  public borrowing func required(_ place: Int) throws(StoreError) -> String {
    guard let text: String = try optional(place) else { throw missing(place) }
    return text
  }

  /// A whole number of a field that always has one.
  /// - Throws: as for a text.
  public borrowing func required(_ place: Int) throws(StoreError) -> Int64 {
    guard let number: Int64 = try optional(place) else { throw missing(place) }
    return number
  }

  /// A value of a field that always has one.
  /// - Throws: as for a text.
  public borrowing func required<V: RecordValue>(
    _ place: Int, as type: V.Type = V.self
  ) throws(StoreError) -> V {
    guard let value: V = try decode(place) else { throw missing(place) }
    return value
  }

  /// A counter; 0 where nothing was added.
  public borrowing func counter(_ place: Int) throws(StoreError) -> Int64 {
    try optional(place) ?? 0
  }

  /// A set; empty where nothing was put in.
  public borrowing func set<V: RecordValue & Hashable>(
    _ place: Int, of type: V.Type = V.self
  ) throws(StoreError) -> Set<V> {
    try decode(place) ?? []
  }

  /// Whatever the field holds, null for nothing.
  public borrowing func value(_ place: Int) throws(StoreError) -> Value {
    let field = try field(place)
    guard let reader = unsafe reader else { return values[place] ?? .null }
    return try unsafe reader.pointee.value(field) ?? .null
  }

  private borrowing func decode<V: RecordValue>(_ place: Int) throws(StoreError) -> V? {
    let value = try value(place)
    if value.isNull { return nil }
    guard let decoded = V(recordValue: value) else {
      throw StoreError(
        .schema,
        "\(shape.model.name) \(id): \(shape.fields[place].name) is no \(V.self); generate the types from the store's schema"
      )
    }
    return decoded
  }

  private borrowing func field(_ place: Int) throws(StoreError) -> FieldReference {
    guard shape.fields.indices.contains(place) else {
      throw StoreError.noField(place, shape)
    }
    return shape.fields[place]
  }

  private borrowing func missing(_ place: Int) -> StoreError {
    let name = shape.fields[place].name
    if hidden.contains(where: { $0.hasSameBytes(as: name) }) {
      return StoreError(
        .notFound,
        "\(shape.model.name) \(id): \(name) may not be read by this principal; make it optional in the schema"
      )
    }
    return StoreError(
      .schema,
      "\(shape.model.name) \(id): \(name) has no value, and the type requires one; make it optional"
    )
  }
}

extension RecordShape {
  /// Makes a record of what is read.
  func decode<R: Record>(
    _ type: R.Type, _ reader: borrowing RecordReader
  ) throws(StoreError) -> R {
    try unsafe withUnsafePointer(to: reader) { pointer throws(StoreError) in
      try unsafe R(from: RecordDecoder(pointer, self))
    }
  }
}

extension StoreError {
  static func noField(_ place: Int, _ shape: RecordShape) -> StoreError {
    StoreError(
      .misuse,
      "the type of \(shape.model.name) asks for field \(place), and its fieldNames has \(shape.fields.count)"
    )
  }
}
