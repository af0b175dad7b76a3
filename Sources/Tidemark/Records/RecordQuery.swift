internal import TidemarkEvents

/// A query for records of one type, as its session's principal may read them.
///
/// ```swift
/// let posts = try session.query(Post.self)
///   .where(Post.fields.likes > 10 && Post.fields.title.beginsWith("Low"))
///   .sorted(by: Post.fields.likes, .descending)
///   .limit(20)
///   .fetch()
/// ```
///
/// It is a value: each method gives another, and nothing is read before one that asks for a result.
public struct RecordQuery<R: Record>: Sendable {
  let store: Store
  /// The same without types.
  public private(set) var query: Query

  public enum Direction: Sendable { case ascending, descending }

  init(_ store: Store, as principal: Principal) {
    self.store = store
    query = Query(R.modelName, as: principal)
  }

  private func with(_ change: (inout Query) -> Void) -> RecordQuery {
    var copy = self
    change(&copy.query)
    return copy
  }

  /// Only records that meet this too.
  public func `where`(_ predicate: RecordPredicate<R>) -> RecordQuery {
    with { query in
      query.filter = query.filter.map { .all([$0, predicate.filter]) } ?? predicate.filter
    }
  }

  /// Sorted by this, where all that was given before is equal. Null comes first, and last downwards.
  public func sorted<F: TypedField>(
    by field: F, _ direction: Direction = .ascending
  ) -> RecordQuery where F.Root == R {
    with { $0.sort.append(Query.SortKey(field.name, isDescending: direction == .descending)) }
  }

  /// Sorted by id, where all that was given before is equal.
  public func sortedByID(_ direction: Direction = .ascending) -> RecordQuery {
    with { $0.sort.append(Query.SortKey("id", isDescending: direction == .descending)) }
  }

  /// At most so many.
  public func limit(_ count: Int) -> RecordQuery { with { $0.limit = count } }

  /// Without so many of the first.
  public func offset(_ count: Int) -> RecordQuery { with { $0.offset = count } }

  /// Only what comes behind a page.
  public func after(_ cursor: QueryCursor?) -> RecordQuery { with { $0.cursor = cursor } }

  /// As it was then.
  public func at(_ moment: Moment) -> RecordQuery { with { $0.moment = moment } }

  /// The records of the result, in its order.
  /// - Throws: `StoreError` `schema` where the store's schema lacks what the type names; `notFound` where
  ///   a field that the type requires may not be read; as `Store.fetch`.
  /// - Complexity: as `Store.fetch`.
  public func fetch() throws(StoreError) -> [R] { try results(query).map(\.result) }

  /// The first record of the result; `nil` of an empty one.
  public func first() throws(StoreError) -> R? {
    try limit(min(query.limit ?? 1, 1)).fetch().first
  }

  /// How many records the result has.
  public func count() throws(StoreError) -> Int { try store.count(query) }

  /// Whether the result has no record.
  public func isEmpty() throws(StoreError) -> Bool { try limit(1).count() == 0 }

  /// The result's records up to the limit, and where the next page begins.
  /// - Throws: as `fetch`; `misuse` without a limit.
  public func page() throws(StoreError) -> QueryPage<R> {
    let (longer, count) = try query.withOneMore()
    return QueryPage(try results(longer), count, try store.prepare(query).order)
  }

  /// The sum of a field's whole numbers over all records that meet the conditions.
  /// - Throws: as `count`; `invalid` where it is past 64 bits.
  public func sum<F: TypedField>(of field: F) throws(StoreError) -> Int64
  where F.Root == R, F.Value == Int64 {
    guard case .int(let sum) = try aggregate(.sum(field.name)) else {
      throw StoreError(.invalid, "the sum of \(field.name) is past 64 bits")
    }
    return sum
  }

  /// The sum of a field's numbers.
  public func sum<F: TypedField>(of field: F) throws(StoreError) -> Double
  where F.Root == R, F.Value == Double {
    switch try aggregate(.sum(field.name)) {
    case .int(let sum): Double(sum)
    case .double(let sum): sum
    default: 0
    }
  }

  /// The mean of a field's numbers; `nil` where there are none.
  public func average<F: TypedField>(of field: F) throws(StoreError) -> Double?
  where F.Root == R {
    if case .double(let mean) = try aggregate(.average(field.name)) { mean } else { nil }
  }

  /// The least value of a field; `nil` where there is none.
  public func minimum<F: TypedField>(of field: F) throws(StoreError) -> F.Value?
  where F.Root == R {
    try F.Value(recordValue: aggregate(.minimum(field.name)))
  }

  /// The greatest value of a field; `nil` where there is none.
  public func maximum<F: TypedField>(of field: F) throws(StoreError) -> F.Value?
  where F.Root == R {
    try F.Value(recordValue: aggregate(.maximum(field.name)))
  }

  /// How the query will be answered.
  public func plan() throws(StoreError) -> QueryPlan { try store.plan(query) }

  private func aggregate(_ aggregate: Aggregate) throws(StoreError) -> Value {
    try store.aggregate([aggregate], of: query)[0]
  }

  private func results(_ query: Query) throws(StoreError) -> [Results<R>.Item] {
    try Store.translating {
      let shape = try store.withSnapshot { try $0.rows.catalog.shape(of: R.self) }
      func decode(_ view: RecordView) throws -> R { try R(from: RecordDecoder(view, shape)) }
      guard query.moment == nil else { return try store.pastResults(store.prepare(query), decode) }
      return try store.withSnapshot { snapshot in
        let shape = try snapshot.rows.catalog.shape(of: R.self)
        return try snapshot.fetch(PreparedQuery(query, snapshot.rows.catalog)) {
          try shape.decode(R.self, $0)
        } _: {
          try decode($0)
        }
      }
    }
  }
}

extension Session {
  /// A query for all records of a type that the principal may read.
  public func query<R: Record>(_ type: R.Type) -> RecordQuery<R> {
    RecordQuery(store, as: principal)
  }
}
