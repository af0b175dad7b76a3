public import TidemarkEvents
internal import TidemarkSchema

/// A key that names a record which is not there: it was deleted while somebody else wrote the key, its
/// delete left the key alone, or it has not come yet.
public struct DanglingReference: Hashable, Sendable, CustomStringConvertible {
  /// The record that has the key.
  public let model: String
  public let id: RecordID
  public let key: String
  /// What the key names.
  public let target: String
  public let targetID: RecordID

  /// `Comment c1: postId names Post p1, which is not there`.
  public var description: String {
    "\(model) \(id): \(key) names \(target) \(targetID), which is not there"
  }
}

extension Store {
  /// The keys of relations that name a record which is not there, whoever may read them, in the order of
  /// the schema's keys and sorted by id. Nothing mends them by itself: a record that comes later, or is
  /// brought back, is named again.
  /// - Complexity: O(records that have keys × log records).
  public func danglingReferences() throws(StoreError) -> [DanglingReference] {
    try Store.translating {
      try withSnapshot { snapshot in
        let catalog = snapshot.rows.catalog
        let schema = catalog.current.schema
        var found: [DanglingReference] = []
        for reference in schema.references {
          guard let place = schema.modelIndex(reference.model),
            let target = schema.modelIndex(reference.target)
          else { continue }
          let model = ModelReference(shape: catalog.shapes[place])
          let named = ModelReference(shape: catalog.shapes[target])
          let key = try model.field(reference.key)
          try snapshot.forEach(model) { reader in
            guard let text = try reader.string(key) else { return true }
            let id = RecordID(text)
            if try snapshot.get(named, id: id, { _ in true }) == nil {
              found.append(
                DanglingReference(
                  model: reference.model, id: reader.id, key: reference.key,
                  target: reference.target, targetID: id))
            }
            return true
          }
        }
        return found
      }
    }
  }
}
