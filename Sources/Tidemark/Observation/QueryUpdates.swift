internal import Synchronization
internal import TidemarkEvents

/// A query's result at one moment, and what is different from the one before.
public struct QueryUpdate<Element: Sendable>: Sendable {
  /// An element that has another place, among those that stayed.
  public struct Move: Hashable, Sendable {
    public let from: Int
    public let to: Int
  }

  /// The whole result.
  public let records: [Element]
  /// Places in the result before, ascending.
  public let removed: [Int]
  /// Places in this one, ascending.
  public let inserted: [Int]
  /// From a place in the result before to one in this, ascending by the latter; as few as can be.
  public let moved: [Move]
  /// Places in this one of records that were there before and have other values, ascending.
  public let updated: [Int]
  /// Whether an authority has decided all that this store wrote; at an authority always.
  public let isSynced: Bool
}

/// The results of a query, from the first on, as an asynchronous sequence.
///
/// ```swift
/// for try await update in session.query(Post.self).sorted(by: Post.fields.title).updates() {
///   show(update.records)
/// }
/// ```
///
/// The first comes at once. Each later one comes when the result has changed, and is the one of then:
/// who is slow is given fewer, and nothing piles up. Between two elements nothing of the store is held.
/// The sequence ends when its task is cancelled or the store is closed.
public struct QueryUpdates<R: Record>: AsyncSequence, Sendable {
  let query: RecordQuery<R>
  let pollSeconds: Double

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(query, pollSeconds) }

  public struct AsyncIterator: AsyncIteratorProtocol {
    private var result: ObservedResult<R>
    private let subscription: Subscription
    private let pollSeconds: Double
    private var hasBegun = false

    fileprivate init(_ query: RecordQuery<R>, _ pollSeconds: Double) {
      result = ObservedResult(query)
      subscription = Subscription(query.store, Observer(query.query, isQuery: true))
      self.pollSeconds = pollSeconds
    }

    /// - Throws: as `RecordQuery.fetch`.
    public mutating func next() async throws -> QueryUpdate<R>? {
      if !hasBegun {
        // What is committed after this is told; what was before is in the first result.
        try subscription.begin(pollSeconds)
        hasBegun = true
        let update = try result.fetch()
        subscription.observer.show(result.ids)
        return update
      }
      while !Task.isCancelled {
        let generation = subscription.observer.signal.generation
        let work = subscription.observer.take()
        if work.isOver { return nil }
        if work.isEmpty {
          await subscription.observer.signal.wait(after: generation)
          continue
        }
        let update = try result.update(work)
        subscription.observer.show(result.ids)
        if let update { return update }
      }
      return nil
    }
  }
}

/// An observer's place in its store's hub, until it is let go.
final class Subscription: Sendable {
  let observer: Observer
  private let store: Store
  private let hasBegun = Atomic<Bool>(false)

  init(_ store: Store, _ observer: Observer) {
    self.store = store
    self.observer = observer
  }

  func begin(_ pollSeconds: Double) throws {
    guard !hasBegun.exchange(true, ordering: .relaxed) else { return }
    try store.hub.add(observer, to: store, pollSeconds: pollSeconds)
  }

  deinit { store.hub.remove(observer) }
}

/// A query's result as it was shown last, and somewhat more of its order, so that most changes ask for
/// nothing but the records that changed.
private struct ObservedResult<R: Record> {
  private typealias Item = Results<R>.Item

  private let query: RecordQuery<R>
  /// Of the order, from its first: those before the offset, those shown, and some after.
  private var items: [Item] = []
  /// Whether there may be more behind the last.
  private var hasMore = false
  private var shown: [Item] = []
  private var isSynced = false

  init(_ query: RecordQuery<R>) { self.query = query }

  /// Those that the result depends on.
  var ids: Set<RecordID> { Set(items.lazy.map(\.place.id)) }

  mutating func fetch() throws -> QueryUpdate<R> {
    try query.store.withSnapshot { snapshot in
      try refetch(snapshot)
      isSynced = try snapshot.isSynced()
    }
    return difference(updated: [])
      ?? QueryUpdate(
        records: [], removed: [], inserted: [], moved: [], updated: [], isSynced: isSynced)
  }

  /// - Returns: `nil` where nothing that is shown has changed.
  mutating func update(_ work: Observer.Work) throws -> QueryUpdate<R>? {
    let before = isSynced
    var updated: Set<RecordID> = work.ids
    try query.store.withSnapshot { snapshot in
      isSynced = try snapshot.isSynced()
      if work.isEverything {
        updated = ids
        try refetch(snapshot)
      } else if try !apply(work.ids, snapshot) {
        try refetch(snapshot)
      }
    }
    return difference(updated: updated, isForced: isSynced != before)
  }

  /// The query up to the end of what is shown, and half as many more.
  private func longer() -> (Query, wanted: Int?) {
    var query = query.query
    guard let limit = query.limit else {
      query.offset = 0
      return (query, nil)
    }
    let end = query.offset.addingReportingOverflow(limit)
    let wanted = end.overflow ? Int.max : end.partialValue
    query.offset = 0
    query.limit = min(wanted, Int.max / 2) + min(wanted / 2, 64) + 8
    return (query, wanted)
  }

  private mutating func refetch(_ snapshot: borrowing StoreSnapshot) throws {
    let catalog = snapshot.rows.catalog
    let shape = try catalog.shape(of: R.self)
    let (longer, _) = longer()
    items = try snapshot.fetch(PreparedQuery(longer, catalog)) {
      try shape.decode(R.self, $0)
    } _: {
      try R(from: RecordDecoder($0, shape))
    }
    hasMore = longer.limit.map { items.count >= $0 } ?? false
  }

  /// Takes records out and puts them where they belong now.
  /// - Returns: false where too little is left to show.
  private mutating func apply(
    _ ids: Set<RecordID>, _ snapshot: borrowing StoreSnapshot
  ) throws -> Bool {
    if ids.isEmpty { return true }
    let catalog = snapshot.rows.catalog
    let shape = try catalog.shape(of: R.self)
    let (longer, wanted) = longer()
    let prepared = try PreparedQuery(longer, catalog)
    let order = prepared.order
    let after = prepared.cursor.map { order.place($0) }
    let last = hasMore ? items.last?.place : nil
    items.removeAll { ids.contains($0.place.id) }
    for id in ids {
      let found: Item? = try snapshot.match(id, prepared) { record in
        (try order.place(of: record), try shape.decode(R.self, record))
      } _: { view in
        (try order.place(of: view), try R(from: RecordDecoder(view, shape)))
      }
      guard let found, after.map({ order.precedes($0, found.place) }) ?? true else { continue }
      // Behind the last there may be others that are not here.
      if let last, order.precedes(last, found.place) { continue }
      items.insert(found, at: items.place(of: found.place, order))
    }
    return !hasMore || items.count >= wanted ?? 0
  }

  /// What differs from what was shown, which this is from then on.
  private mutating func difference(
    updated: Set<RecordID>, isForced: Bool = false
  ) -> QueryUpdate<R>? {
    let now = Array(items.dropFirst(query.query.offset).prefix(query.query.limit ?? Int.max))
    let before = shown
    shown = now
    let change = ResultDifference(before.map(\.place.id), now.map(\.place.id))
    let changed = now.indices.filter { place in
      guard updated.contains(now[place].place.id), let was = change.origins[place] else {
        return false
      }
      return !isSame(before[was].result, now[place].result)
    }
    guard isForced || !change.isEmpty || !changed.isEmpty else { return nil }
    return QueryUpdate(
      records: now.map(\.result), removed: change.removed, inserted: change.inserted,
      moved: change.moved.map { .init(from: $0.from, to: $0.to) }, updated: changed,
      isSynced: isSynced)
  }
}

extension Array {
  /// Where something of a place belongs.
  fileprivate func place<R>(
    of new: RecordOrder.Place, _ order: RecordOrder
  ) -> Int where Element == (place: RecordOrder.Place, result: R) {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if order.precedes(self[middle].place, new) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Whether two values are known to be equal.
private func isSame<T>(_ a: T, _ b: T) -> Bool {
  func equals<E: Equatable>(_ a: E) -> Bool { (b as? E).map { $0 == a } ?? false }
  guard let a = a as? any Equatable else { return false }
  return equals(a)
}

/// What turns one list of distinct ids into another.
struct ResultDifference {
  private(set) var removed: [Int] = []
  private(set) var inserted: [Int] = []
  private(set) var moved: [(from: Int, to: Int)] = []
  /// By place in the new list: the place in the old one.
  private(set) var origins: [Int?]

  var isEmpty: Bool { removed.isEmpty && inserted.isEmpty && moved.isEmpty }

  /// - Complexity: O(n log n); O(n) where nothing moved.
  init(_ before: [RecordID], _ now: [RecordID]) {
    let places = Dictionary(
      before.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    origins = now.map { places[$0] }
    let kept = Set(origins.compactMap(\.self))
    removed = before.indices.filter { !kept.contains($0) }
    inserted = now.indices.filter { origins[$0] == nil }
    let stays = ResultDifference.longestRise(origins.compactMap(\.self))
    moved = now.indices.compactMap { place in
      origins[place].flatMap { stays.contains($0) ? nil : ($0, place) }
    }
  }

  /// The numbers of a longest rising subsequence.
  ///
  /// Source of the algorithm: Schensted, “Longest increasing and decreasing subsequences”, 1961.
  private static func longestRise(_ numbers: [Int]) -> Set<Int> {
    if zip(numbers, numbers.dropFirst()).allSatisfy({ $0 < $1 }) { return Set(numbers) }
    /// The place of the least number that ends a rise of each length.
    var ends: [Int] = []
    var before = [Int?](repeating: nil, count: numbers.count)
    for (place, number) in numbers.enumerated() {
      var low = 0
      var high = ends.count
      while low < high {
        let middle = (low + high) / 2
        if numbers[ends[middle]] < number { low = middle + 1 } else { high = middle }
      }
      before[place] = low > 0 ? ends[low - 1] : nil
      if low == ends.count { ends.append(place) } else { ends[low] = place }
    }
    var rise: Set<Int> = []
    var place = ends.last
    while let current = place {
      rise.insert(numbers[current])
      place = before[current]
    }
    return rise
  }
}

extension RecordQuery {
  /// The query's results from now on: see `QueryUpdates`.
  /// - Parameter pollSeconds: how often it is looked for what other processes have written; what this one
  ///   writes or takes is told at once.
  /// - Precondition: the query is of now, and of no moment of the past.
  public func updates(pollSeconds: Double = 0.5) -> QueryUpdates<R> {
    precondition(query.moment == nil, "the past does not change: fetch it")
    return QueryUpdates(query: self, pollSeconds: pollSeconds)
  }
}
