internal import TidemarkEvents

/// What the delete of one record brings with it, by the delete rules of the keys that name it.
///
/// Invariants: no record stands in it twice; no record that is deleted is in `nullified`; a record comes
/// before the one that it names, so that at no event a key names a record that the transaction has
/// deleted.
struct DeletePlan {
  /// Deleted before the record itself, in this order.
  private(set) var deleted: [RecordPlace] = []
  /// Keys that are set to null before any delete, in this order; the fields sorted.
  private(set) var nullified: [(record: RecordPlace, fields: [Int])] = []

  /// A record that forbids the delete of the one it names.
  private struct Refusal {
    let key: HeldKey
    let holder: RecordPlace
    let named: RecordPlace
  }

  /// - Parameters:
  ///   - keys: those that name records of the model of that place.
  ///   - holders: the records whose key names one of some records, each with the one that it names,
  ///     sorted by id.
  ///   - deny: the error for records that forbid the delete of one and are not deleted too.
  /// - Throws: that error; what `holders` throws.
  /// - Complexity: a look-up for each key that names a model, for each step of a cascade.
  init(
    deleting record: RecordPlace, keys: (Int) -> [HeldKey],
    holders: (HeldKey, Set<RecordID>) throws -> [(holder: RecordID, named: RecordID)],
    deny: (HeldKey, _ named: RecordPlace, [RecordID]) -> any Error
  ) throws {
    var doomed: Set<RecordPlace> = [record]
    var order: [RecordPlace] = []
    var nulls: [RecordPlace: Set<Int>] = [:]
    var nullOrder: [RecordPlace] = []
    var refusals: [Refusal] = []
    var step: [Int: Set<RecordID>] = [record.model: [record.id]]
    while !step.isEmpty {
      var next: [Int: Set<RecordID>] = [:]
      for model in step.keys.sorted() {
        for key in keys(model) {
          for (id, named) in try holders(key, step[model] ?? []) {
            let holder = RecordPlace(model: key.model, id: id)
            switch key.onDelete {
            case .keep: break
            case .cascade:
              guard doomed.insert(holder).inserted else { continue }
              order.append(holder)
              next[key.model, default: []].insert(id)
            case .nullify:
              if nulls[holder] == nil { nullOrder.append(holder) }
              nulls[holder, default: []].insert(key.field)
            case .deny:
              refusals.append(
                Refusal(
                  key: key, holder: holder, named: RecordPlace(model: model, id: named)))
            }
          }
        }
      }
      step = next
    }
    // Who goes too forbids nothing.
    refusals.removeAll { doomed.contains($0.holder) }
    if let first = refusals.first {
      let same = refusals.filter {
        $0.named == first.named && $0.key.model == first.key.model
          && $0.key.field == first.key.field
      }
      throw deny(first.key, first.named, same.map(\.holder.id))
    }
    deleted = order.reversed()
    nullified = nullOrder.filter { !doomed.contains($0) }
      .map { ($0, (nulls[$0] ?? []).sorted()) }
  }
}
