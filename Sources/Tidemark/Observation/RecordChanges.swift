internal import TidemarkAuthorization
public import TidemarkEvents
internal import TidemarkMerge

/// One event that changed a record, or one that is undone.
public struct RecordChange<R: Record>: Sendable {
  public let id: RecordID
  /// What the event is: a create, update or delete.
  public let kind: EventKind
  public let cause: ChangeCause
  public let dot: Dot
  public let stamp: Stamp
  /// The fields that the event gives and the principal may read, by their names in the schema.
  public let fields: [String]
  /// The record as it is now; `nil` where it does not exist, or may not be read.
  public let record: R?
  /// Where the log has it: what `changes(after:)` goes on from.
  public let lsn: UInt64
}

/// Every change of a model's records, in the order of this store's log, as an asynchronous sequence.
///
/// ```swift
/// for try await change in session.changes(of: Post.self) {
///   if case .undone(let reason) = change.cause { tell(reason.message) }
/// }
/// ```
///
/// It reads the log at the consumer's pace, a page at a time: who is slow misses nothing, and nothing
/// piles up. It holds nothing of the store between two elements. It ends when its task is cancelled or
/// the store is closed. Work that leaves the log, as at a sign-out, is no change of its own: queries see
/// it.
public struct RecordChanges<R: Record>: AsyncSequence, Sendable {
  let session: Session
  /// The first entry that it looks at.
  let start: UInt64
  let pollSeconds: Double

  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(session, start, pollSeconds)
  }

  public struct AsyncIterator: AsyncIteratorProtocol {
    /// So many changes are read at once.
    private static var pageCount: Int { 256 }

    private let session: Session
    private let subscription: Subscription
    private let pollSeconds: Double
    private var next: UInt64
    /// Read and not delivered, the last first.
    private var waiting: [RecordChange<R>] = []

    fileprivate init(_ session: Session, _ start: UInt64, _ pollSeconds: Double) {
      self.session = session
      self.pollSeconds = pollSeconds
      next = start
      subscription = Subscription(
        session.store, Observer(Query(R.modelName), isQuery: false))
    }

    /// - Throws: `StoreError`, also where a field that the type requires may not be read.
    public mutating func next() async throws -> RecordChange<R>? {
      try subscription.begin(pollSeconds)
      while !Task.isCancelled {
        if let change = waiting.popLast() { return change }
        let generation = subscription.observer.signal.generation
        if subscription.observer.take().isOver { return nil }
        let before = next
        try readPage()
        if waiting.isEmpty, next == before {
          await subscription.observer.signal.wait(after: generation)
        }
      }
      return nil
    }

    private mutating func readPage() throws {
      var page: [LogNews.Change] = []
      var next = next
      let store = session.store
      let catalog = try store.withSnapshot { snapshot in
        let end = try snapshot.nextLSN()
        guard end > next else {
          next = Swift.min(next, end)
          return snapshot.rows.catalog
        }
        let number = snapshot.rows.catalog.modelNumber(named: R.modelName)
        let first = next
        next = end
        try snapshot.forEachNews(from: first) { news in
          guard case .change(let change) = news, change.key.model == number else { return true }
          // Whole transactions, however long: a page ends between two.
          if page.count >= Self.pageCount, change.entryLSN != page.last?.entryLSN {
            next = change.entryLSN
            return false
          }
          page.append(change)
          return true
        }
        return snapshot.rows.catalog
      }
      self.next = next
      for change in page.reversed() {
        if let shown = try session.shown(change, as: R.self, catalog) { waiting.append(shown) }
      }
    }
  }
}

extension Session {
  /// Every change of a model's records from now on: see `RecordChanges`.
  /// - Parameters:
  ///   - lsn: of the last change that was dealt with: what came after it comes first. `nil` for what is
  ///     written from now on.
  ///   - pollSeconds: how often it is looked for what other processes have written; what this one writes
  ///     or takes is told at once.
  /// - Throws: `StoreError` where the store cannot be read.
  public func changes<R: Record>(
    of type: R.Type, after lsn: UInt64? = nil, pollSeconds: Double = 0.5
  ) throws(StoreError) -> RecordChanges<R> {
    let start = try Store.translating {
      try store.withSnapshot { try $0.entryStart(after: lsn) }
    }
    return RecordChanges(session: self, start: start, pollSeconds: pollSeconds)
  }

  /// A change as the principal may read it; `nil` where it may not.
  fileprivate func shown<R: Record>(
    _ change: LogNews.Change, as type: R.Type, _ catalog: Catalog
  ) throws -> RecordChange<R>? {
    guard let place = catalog.currentPlace(change.key.model) else { return nil }
    var fields = change.fields.compactMap { field in
      catalog.currentPlace(change.key.model, field).map {
        catalog.current.schema.models[place].fields[$0].name
      }
    }
    let record: R?
    if catalog.readsAll(place, principal, .listen) {
      record = try store.withSnapshot { try $0.get(type, change.key.id) }
    } else {
      guard let (view, access) = try listened(change.key) else { return nil }
      let isReadable = fields.isEmpty
      fields.removeAll { access.hidden.contains($0) }
      // What is left of it would only say that something hidden has changed.
      guard isReadable || !fields.isEmpty || change.kind != .update else { return nil }
      let shape = try catalog.shape(of: type)
      record = try view.map { try R(from: RecordDecoder($0, shape)) }
    }
    return RecordChange(
      id: change.key.id, kind: change.kind, cause: change.cause, dot: change.dot,
      stamp: change.stamp, fields: fields, record: record, lsn: change.lsn)
  }

  /// What the principal may read of a record, and of its past; `nil` where nothing.
  private func listened(
    _ key: RecordKey
  ) throws -> (view: RecordView?, access: Readership.Access)? {
    try store.read { tx, snapshot in
      var readership = Readership(snapshot, principal, .listen)
      let access = try readership.access(key, tx)
      guard access.isVisible else { return nil }
      guard let row = try snapshot.tables.row(key, snapshot.catalog, tx),
        let view = snapshot.catalog.view(key, row.state)
      else { return (nil, access) }
      let filter = RecordFilter(snapshot.catalog, principal, .listen)
      return (filter.filter(view, row.state, key.model), access)
    }
  }
}
