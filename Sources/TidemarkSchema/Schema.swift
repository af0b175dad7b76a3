internal import TidemarkEvents

/// What a schema file says: models with their fields, merge types and rules, enums, embedded types.
///
/// Events name a model by its place in `models` and a field by its place in `Model.fields`, so both
/// orders are part of what a schema means.
public struct Schema: Sendable {
  /// A schema file may be so long: 1 MiB.
  public static let byteCountMax = 1 << 20
  /// So many models, enums and embedded types in all.
  public static let typeCountMax = 1_000
  /// So many fields in a model or an embedded type, those that rules imply included; so many cases
  /// in an enum.
  public static let fieldCountMax = 1_000
  /// So many relations in all.
  public static let relationCountMax = 2_000
  /// So many rules in one `@auth`.
  public static let ruleCountMax = 100
  /// A name may be so long.
  public static let nameByteCountMax = 255
  /// Embedded types may hold embedded types so deep.
  public static let embeddingDepthMax = 32
  /// A list may hold lists so deep, in a type and in an argument.
  public static let listDepthMax = 8

  /// The SDL text it was read from.
  public let source: String
  /// In the order of the file; then the join models that it does not declare.
  public let models: [Model]
  public let enums: [EnumType]
  public let embeddedTypes: [EmbeddedType]
  /// The rules of every model without `@auth`; empty where the file has no `globalAuthRule`.
  public let defaultRules: [AuthRule]
  /// The keys of all relations, those of one model together, each once.
  public let references: [Reference]

  private let modelIndexes: NameIndex
  private let enumIndexes: NameIndex
  private let embeddedTypeIndexes: NameIndex

  package init(
    source: String, models: [Model], enums: [EnumType], embeddedTypes: [EmbeddedType],
    defaultRules: [AuthRule] = [], references: [Reference] = []
  ) {
    self.defaultRules = defaultRules
    self.references = references
    self.source = source
    self.models = models
    self.enums = enums
    self.embeddedTypes = embeddedTypes
    modelIndexes = NameIndex(models.map(\.name))
    enumIndexes = NameIndex(enums.map(\.name))
    embeddedTypeIndexes = NameIndex(embeddedTypes.map(\.name))
  }

  /// The place in `models` of the model of that name, compared by bytes.
  public func modelIndex(_ name: String) -> Int? { modelIndexes[name] }

  /// The model of that name, compared by bytes.
  public func model(_ name: String) -> Model? { modelIndexes[name].map { models[$0] } }

  /// The enum of that name, compared by bytes.
  public func enumeration(_ name: String) -> EnumType? { enumIndexes[name].map { enums[$0] } }

  /// The embedded type of that name, compared by bytes.
  public func embeddedType(_ name: String) -> EmbeddedType? {
    embeddedTypeIndexes[name].map { embeddedTypes[$0] }
  }
}

/// Name → place. The names kept are ASCII, but those asked for come from outside, and a string that
/// is not ASCII may be equal to one that is: the Kelvin sign is canonically a K.
struct NameIndex: Sendable {
  private let places: [String: Int]

  /// Names must differ; of two that are the same the first counts.
  init(_ names: [String]) {
    places = Dictionary(
      names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  subscript(name: String) -> Int? {
    guard let place = places[name], name.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    return place
  }
}
