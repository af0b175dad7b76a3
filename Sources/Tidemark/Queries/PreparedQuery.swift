internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkSchema

/// A query made ready for one schema version.
struct PreparedQuery: Sendable {
  let catalog: Catalog
  let model: ModelReference
  let principal: Principal?
  let moment: Moment?
  let condition: Condition?
  let order: RecordOrder
  /// How many results are wanted, and how many before them are passed over.
  let limit: Int
  let offset: Int
  let cursor: QueryCursor?
  let ids: IDRange
  /// Every record and every field of it may be read, as the store has them now: nothing is asked.
  let readsInPlace: Bool

  var modelNumber: Int { model.shape.number }
  var needsSorting: Bool { !order.isByID }

  /// - Parameter lacks: what a field is taken for that the model does not have; refused where `nil`.
  init(
    _ query: Query, _ catalog: Catalog, lacks: Condition.Subject? = nil
  ) throws(StoreError) {
    guard let place = catalog.current.schema.modelIndex(query.model) else {
      let names = catalog.current.schema.models.map(\.name).joined(separator: ", ")
      throw StoreError(.notFound, "the schema has no model \(query.model); it has \(names)")
    }
    guard query.offset >= 0, query.limit ?? 0 >= 0 else {
      throw StoreError(.misuse, "a query's limit and offset are 0 or more")
    }
    guard query.cursor.map({ $0.values.count == query.sort.count }) ?? true else {
      throw StoreError(.misuse, "the cursor is of a query with other sort keys; begin without one")
    }
    self.catalog = catalog
    model = ModelReference(shape: catalog.shapes[place])
    principal = query.principal
    moment = query.moment
    if let filter = query.filter {
      condition = try Condition(filter, model, lacks: lacks)
    } else {
      condition = nil
    }
    order = try RecordOrder(query.sort, model, lacks: lacks)
    limit = query.limit ?? Int.max
    offset = query.offset
    cursor = query.cursor
    var ids = query.filter.map { IDRange($0) } ?? IDRange()
    if let cursor, order.isByID { ids.raise(to: cursor.id) }
    self.ids = ids
    readsInPlace =
      query.moment == nil && (query.principal.map { catalog.readsAll(place, $0, .list) } ?? true)
  }
}

extension Catalog {
  /// Whether every record and field of a model may be read, so that none need be asked for.
  func readsAll(_ place: Int, _ principal: Principal, _ operation: AccessOperation) -> Bool {
    let access = policy.readAccess(
      model: place, operation: operation, credentials: principal.credentials, stored: nil)
    return access.isVisible && access.hiddenFields.isEmpty
  }
}

/// Which ids a filter leaves over, as far as that is plain.
struct IDRange: Sendable, Equatable {
  /// At or after it.
  private(set) var first: RecordID?
  /// At or before it.
  private(set) var last: RecordID?
  /// One of these.
  private(set) var only: [RecordID]?

  init() {}

  init(_ filter: Filter) { narrow(filter) }

  var isWhole: Bool { self == IDRange() }

  mutating func raise(to id: RecordID) { if first.map({ $0 < id }) ?? true { first = id } }

  private mutating func lower(to id: RecordID) { if last.map({ id < $0 }) ?? true { last = id } }

  private mutating func narrow(_ filter: Filter) {
    switch filter {
    case .all(let filters): for filter in filters { narrow(filter) }
    case .compare("id", .equal, .string(let id)): keep([id])
    case .isIn("id", let values): keep(values.compactMap(\.stringValue))
    case .compare("id", .greater, .string(let id)),
      .compare("id", .greaterOrEqual, .string(let id)):
      raise(to: RecordID(id))
    case .compare("id", .less, .string(let id)), .compare("id", .lessOrEqual, .string(let id)):
      lower(to: RecordID(id))
    case .between("id", .string(let low), .string(let high)):
      raise(to: RecordID(low))
      lower(to: RecordID(high))
    case .beginsWith("id", let prefix): raise(to: RecordID(prefix))
    default: break
    }
  }

  private mutating func keep(_ ids: [String]) {
    let ids = ids.map { RecordID($0) }.filter(\.isValid)
    only = only.map { $0.filter { ids.contains($0) } } ?? Array(Set(ids)).sorted()
  }
}
