public import TidemarkEvents

/// A Swift type whose values are the records of one model.
///
/// `tidemark codegen` writes such types from a schema; one can also be written by hand:
///
/// ```swift
/// struct Note: Record {
///   static let modelName = "Note"
///   static let fieldNames = ["text", "stars"]
///   var id: RecordID
///   var text: String?
///   var stars: Int64 = 0
///
///   init(from decoder: borrowing RecordDecoder) throws(StoreError) {
///     id = decoder.id
///     text = try decoder.optional(0)
///     stars = try decoder.counter(1)
///   }
///
///   func encode(into encoder: inout RecordEncoder) throws(StoreError) {
///     try encoder.set(0, text)
///     try encoder.set(1, stars)
///   }
/// }
/// ```
///
/// It may leave out fields of its model: what it does not name it never writes.
public protocol Record: Sendable, Identifiable where ID == RecordID {
  /// The model's name in the schema.
  static var modelName: String { get }
  /// The fields' names in the schema, without `id`. `init(from:)` and `encode(into:)` name a field by
  /// its place in here.
  static var fieldNames: [String] { get }

  /// Reads a record.
  /// - Throws: `StoreError` `schema` where a field holds what this type does not take.
  init(from decoder: borrowing RecordDecoder) throws(StoreError)

  /// Gives every field that the type names, whether or not it has changed.
  /// - Throws: `StoreError` `misuse` for a place that `fieldNames` does not have.
  func encode(into encoder: inout RecordEncoder) throws(StoreError)
}

extension RecordID: Codable {
  /// From a string.
  /// - Throws: `DecodingError` where it is no string.
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// As a string.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(string)
  }
}

extension RecordID {
  /// A new random UUID, of version 4.
  public static func random() -> RecordID {
    var generator = SystemRandomNumberGenerator()
    let high: UInt64 = generator.next()
    let low: UInt64 = generator.next()
    return RecordID(
      packedUUID: high & ~0xf000 | 0x4000, low & ~(0b11 << 62) | 0b10 << 62)
  }
}
