public import TidemarkSchema

/// A field's number in one store: the same for a name through every schema version.
public typealias FieldID = Int

/// What of a model the fold needs to know.
public struct MergeRules: Sendable {
  public let deletePolicy: Model.DeletePolicy
  /// By field id; `nil` where the current schema has no such field.
  public let mergeTypes: [Field.MergeType?]
  /// The fields that owner rules read, the first of them naming the record's owner.
  public let ownerFields: [FieldID]

  public init(
    deletePolicy: Model.DeletePolicy, mergeTypes: [Field.MergeType?], ownerFields: [FieldID]
  ) {
    self.deletePolicy = deletePolicy
    self.mergeTypes = mergeTypes
    self.ownerFields = ownerFields
  }

  /// How a field merges; `nil` where the schema has no such field.
  public func mergeType(_ field: FieldID) -> Field.MergeType? {
    mergeTypes.indices.contains(field) ? mergeTypes[field] : nil
  }
}
