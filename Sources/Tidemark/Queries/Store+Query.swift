public import TidemarkEvents

extension Store {
  /// The records of a query's result, in its order.
  ///
  /// ```swift
  /// let posts = try store.fetch(
  ///   Query("Post", where: .compare(field: "likes", .greater, 10), sort: [.init("likes")], limit: 20))
  /// ```
  /// - Throws: `StoreError` `notFound` where the schema has no such model; `invalid` where that has no
  ///   such field; `misuse` for bounds below 0 and cursors of other queries.
  /// - Complexity: O(records of the model + n log(limit)), or O(log records) for each id that the filter
  ///   asks for. See `plan(_:)`.
  public func fetch(_ query: Query) throws(StoreError) -> [RecordView] {
    try results(of: query).map(\.result)
  }

  /// Calls `body` with the records of a query's result, in its order. One without sort keys is not held
  /// in memory.
  ///
  /// Where the filter or the order names a field that the model lacks, that is null: for queries over
  /// several models.
  package func forEach(
    _ query: Query, _ body: (RecordView) throws -> Void
  ) throws(StoreError) {
    let prepared = try prepare(query, lacks: .nothing)
    try Store.translating {
      guard query.moment == nil else {
        for item in try pastResults(prepared, { $0 }) { try body(item.result) }
        return
      }
      try withSnapshot { snapshot in
        guard query.sort.isEmpty, query.offset == 0 else {
          for item in try snapshot.views(prepared) { try body(item.result) }
          return
        }
        var rest = prepared.limit
        if rest == 0 { return }
        try snapshot.forEachView(prepared) { view in
          guard try prepared.condition?.holds(of: view) ?? true else { return true }
          try body(view)
          rest -= 1
          return rest > 0
        }
      }
    }
  }

  /// Whether a record meets a filter; a field that its model lacks is null.
  package func meets(_ filter: Filter, _ record: RecordView) throws(StoreError) -> Bool {
    try prepare(Query(record.model, where: filter), lacks: .nothing).condition?.holds(of: record)
      ?? true
  }

  /// One page of a query's result, of at most `query.limit` records: `query.cursor` says where it begins.
  /// - Throws: as `fetch`; `misuse` without a limit.
  public func page(_ query: Query) throws(StoreError) -> QueryPage<RecordView> {
    let (longer, count) = try query.withOneMore()
    return QueryPage(try results(of: longer), count, try prepare(query).order)
  }

  /// The first record of a query's result; `nil` of an empty one.
  public func first(_ query: Query) throws(StoreError) -> RecordView? {
    var query = query
    query.limit = min(query.limit ?? 1, 1)
    return try fetch(query).first
  }

  /// How many records the result has.
  /// - Throws: as `fetch`.
  /// - Complexity: O(records of the model); nothing is decoded that the filter does not ask for.
  public func count(_ query: Query) throws(StoreError) -> Int {
    var found = 0
    try forEachMatch(query) { _ in
      found += 1
    } _: { _ in
      found += 1
    }
    return min(max(found - query.offset, 0), query.limit ?? Int.max)
  }

  /// What is worked out of fields over all records that meet the query's filter, whatever its limit.
  /// - Throws: as `fetch`; `invalid` for a sum or an average of what is no number.
  /// - Complexity: O(records of the model).
  public func aggregate(_ aggregates: [Aggregate], of query: Query) throws(StoreError) -> [Value] {
    var collected: [AggregateCollector] = []
    let prepared = try prepare(query)
    for aggregate in aggregates {
      collected.append(try AggregateCollector(aggregate, prepared.model))
    }
    try forEachMatch(query) { record in
      for place in collected.indices { try collected[place].add(record) }
    } _: { view in
      for place in collected.indices { try collected[place].add(view) }
    }
    return collected.map(\.value)
  }

  /// How the query will be answered.
  /// - Throws: as `fetch`.
  public func plan(_ query: Query) throws(StoreError) -> QueryPlan { QueryPlan(try prepare(query)) }

  // MARK: Running

  func prepare(
    _ query: Query, lacks: Condition.Subject? = nil
  ) throws(StoreError) -> PreparedQuery {
    try Store.translating {
      try withSnapshot { try PreparedQuery(query, $0.rows.catalog, lacks: lacks) }
    }
  }

  private func results(
    of query: Query
  ) throws(StoreError) -> [Results<RecordView>.Item] {
    try Store.translating {
      guard query.moment == nil else { return try pastResults(prepare(query)) { $0 } }
      return try withSnapshot { snapshot in
        try snapshot.views(PreparedQuery(query, snapshot.rows.catalog))
      }
    }
  }

  /// A query's result at a moment of the past.
  func pastResults<R>(
    _ query: PreparedQuery, _ decode: (RecordView) throws -> R
  ) throws -> [Results<R>.Item] {
    var results = Results<R>(query)
    if results.isFull { return [] }
    try forEachPastMatch(query) { view in try results.offer(view) { try decode(view) } }
    return results.finish()
  }

  private func forEachPastMatch(
    _ query: PreparedQuery, _ body: (RecordView) throws -> Bool
  ) throws {
    try forEachRecord(of: query.model.name, as: query.principal, at: query.moment) { view in
      guard try query.condition?.holds(of: view) ?? true else { return true }
      return try body(view)
    }
  }

  /// Calls the one or the other body with every record that meets the filter and may be read.
  func forEachMatch(
    _ query: Query, _ reads: (borrowing RecordReader) throws -> Void,
    _ views: (RecordView) throws -> Void
  ) throws(StoreError) {
    try Store.translating {
      guard query.moment == nil else {
        return try forEachPastMatch(prepare(query)) {
          try views($0)
          return true
        }
      }
      try withSnapshot { snapshot in
        try snapshot.forEachMatch(PreparedQuery(query, snapshot.rows.catalog)) {
          try reads($0)
          return true
        } _: {
          try views($0)
          return true
        }
      }
    }
  }
}

extension QueryPage {
  /// The page that the first `count` of some items are; where there are more, another follows.
  init(
    _ items: [(place: RecordOrder.Place, result: Element)], _ count: Int, _ order: RecordOrder
  ) {
    let page = items.prefix(count)
    records = page.map(\.result)
    next = items.count > count ? page.last.map { order.cursor($0.place) } : nil
  }
}
