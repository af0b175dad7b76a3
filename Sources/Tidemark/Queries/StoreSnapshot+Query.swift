internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

extension StoreSnapshot {
  /// Calls `body` with every record that meets a query's filter and may be read, in the order of ids,
  /// until it returns false; order, limit and offset are left to the caller.
  borrowing func forEachMatch(
    _ query: PreparedQuery, _ reads: (borrowing RecordReader) throws -> Bool,
    _ views: (RecordView) throws -> Bool
  ) throws {
    if query.readsInPlace {
      try forEachInPlace(query) { record in
        guard try query.condition?.holds(of: record) ?? true else { return true }
        return try reads(record)
      }
    } else {
      try forEachView(query) { view in
        guard try query.condition?.holds(of: view) ?? true else { return true }
        return try views(view)
      }
    }
  }

  private borrowing func forEachInPlace(
    _ query: PreparedQuery, _ body: (borrowing RecordReader) throws -> Bool
  ) throws {
    if let only = query.ids.only {
      for id in only where try get(query.model, id: id, body) == false { return }
      return
    }
    let last = query.ids.last
    try forEach(query.model, from: query.ids.first) { record in
      if let last, last < record.id { return false }
      return try body(record)
    }
  }

  /// Every record that may be read, decoded, whether it meets the filter or not.
  borrowing func forEachView(
    _ query: PreparedQuery, _ body: (RecordView) throws -> Bool
  ) throws {
    let filter = query.principal.map { RecordFilter(query.catalog, $0, .list) }
    func show(_ key: RecordKey, _ state: RecordState) throws -> Bool {
      guard let view = query.catalog.view(key, state) else { return true }
      guard let filter else { return try body(view) }
      return try filter.filter(view, state, key.model).map(body) ?? true
    }
    if let only = query.ids.only {
      for id in only {
        let key = RecordKey(model: query.modelNumber, id: id)
        guard let row = try row(key.bytes.rawBytes) else { continue }
        guard try show(key, rows.state(row, transaction)) else { return }
      }
      return
    }
    let last = query.ids.last
    try rows.forEachRow(of: query.modelNumber, from: query.ids.first, transaction) { key, row in
      if let last, last < key.id { return false }
      return try show(key, rows.state(row, transaction))
    }
  }

  /// A query's result, in its order.
  /// - Parameters:
  ///   - decode: makes a result of a record in place.
  ///   - decodeView: makes one of a record that was decoded for its principal.
  borrowing func fetch<R>(
    _ query: PreparedQuery, _ decode: (borrowing RecordReader) throws -> R,
    _ decodeView: (RecordView) throws -> R
  ) throws -> [(place: RecordOrder.Place, result: R)] {
    var results = Results<R>(query)
    if results.isFull { return [] }
    try forEachMatch(query) { record in
      try results.offer(record) { try decode(record) }
    } _: { view in
      try results.offer(view) { try decodeView(view) }
    }
    return results.finish()
  }

  /// A query's result as decoded records.
  borrowing func views(_ query: PreparedQuery) throws -> [Results<RecordView>.Item] {
    guard query.readsInPlace, query.condition != nil || query.needsSorting else {
      var results = Results<RecordView>(query)
      if results.isFull { return [] }
      try forEachView(query) { view in
        guard try query.condition?.holds(of: view) ?? true else { return true }
        return try results.offer(view) { view }
      }
      return results.finish()
    }
    // Only what is of the result is decoded.
    let ids = try fetch(query) {
      $0.id
    } _: {
      $0.id
    }
    return try ids.compactMap { item in
      let key = RecordKey(model: query.modelNumber, id: item.result)
      guard let row = try row(key.bytes.rawBytes) else { return nil }
      let state = try rows.state(row, transaction)
      return query.catalog.view(key, state).map { (item.place, $0) }
    }
  }
}

/// Collects a query's result from records that come in the order of ids.
struct Results<R> {
  typealias Item = (place: RecordOrder.Place, result: R)

  private let order: RecordOrder
  private let needsSorting: Bool
  private let offset: Int
  private let limit: Int
  private let after: RecordOrder.Place?
  private var passed = 0
  private var inOrder: [Item] = []
  private var first: FirstElements<Item>

  init(_ query: PreparedQuery) {
    let order = query.order
    self.order = order
    needsSorting = query.needsSorting
    offset = query.offset
    limit = query.limit
    after = query.cursor.map { order.place($0) }
    let (count, overflows) = query.limit.addingReportingOverflow(query.offset)
    first = FirstElements(query.limit == 0 ? 0 : overflows ? Int.max : count) {
      order.precedes($0.place, $1.place)
    }
  }

  /// Whether nothing that comes could be of it.
  var isFull: Bool { limit == 0 || (!needsSorting && inOrder.count >= limit) }

  /// - Returns: whether it wants more.
  mutating func offer(
    _ record: borrowing some FieldValues & ~Copyable, _ decode: () throws -> R
  ) throws -> Bool {
    let place = try order.place(of: record)
    if let after, !order.precedes(after, place) { return true }
    guard needsSorting else {
      passed += 1
      if passed > offset { inOrder.append((place, try decode())) }
      return !isFull
    }
    if first.wants({ order.precedes(place, $0.place) }) { first.insert((place, try decode())) }
    return true
  }

  consuming func finish() -> [Item] {
    needsSorting ? Array(first.sorted().dropFirst(offset)) : inOrder
  }
}
