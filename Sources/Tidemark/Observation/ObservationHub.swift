internal import Synchronization
internal import TidemarkEvents
internal import TidemarkLMDB

/// Tells observers what they have to look at again.
///
/// One task a store, while there are observers, reads what was committed once for all of them. It tells
/// an observer the ids that concern it: those in its result, and those of records that its filter takes
/// now. One that no change concerns is not woken. What an observer has been told and has not fetched
/// is bounded: past that it is to look at everything again.
final class ObservationHub: Sendable {
  /// So many ids are kept for one observer.
  static let idCountMax = 4_096
  /// Commits that come while others are looked at are looked at after this time, together.
  private static let pause = Duration.microseconds(200)

  /// Raised when something was committed.
  let committed = Signal()

  private struct State {
    var observers: [ObjectIdentifier: Observer] = [:]
    var task: Task<Void, Never>?
    var isClosed = false
    /// The first entry that has not been looked at.
    var nextLSN: UInt64 = 0
    var isSynced = false
  }

  private let state = Mutex(State())

  /// Tells an observer of what is committed from now on.
  /// - Parameter pollSeconds: how often it is looked for other processes' writes.
  func add(_ observer: Observer, to store: Store, pollSeconds: Double) throws {
    let (next, isSynced) = try store.withSnapshot { (try $0.nextLSN(), try $0.isSynced()) }
    state.withLock { state in
      if state.isClosed { return observer.end() }
      if state.observers.isEmpty {
        state.nextLSN = next
        state.isSynced = isSynced
      }
      state.observers[ObjectIdentifier(observer)] = observer
      guard state.task == nil else { return }
      state.task = Task.detached { [weak store, committed] in
        while !Task.isCancelled {
          let generation = committed.generation
          if store?.look() == nil { return }
          if committed.generation == generation {
            await committed.wait(after: generation, seconds: pollSeconds)
          } else {
            // A stream of commits: several are looked at together.
            try? await Task.sleep(for: ObservationHub.pause)
          }
        }
      }
    }
  }

  func remove(_ observer: Observer) {
    let task = state.withLock { state -> Task<Void, Never>? in
      state.observers.removeValue(forKey: ObjectIdentifier(observer))
      guard state.observers.isEmpty else { return nil }
      defer { state.task = nil }
      return state.task
    }
    task?.cancel()
  }

  /// Ends every observation.
  func close() {
    let (observers, task) = state.withLock { state in
      state.isClosed = true
      defer {
        state.observers.removeAll()
        state.task = nil
      }
      return (Array(state.observers.values), state.task)
    }
    task?.cancel()
    for observer in observers { observer.end() }
  }

  /// Looks at what was committed since the last time.
  fileprivate func dispatch(_ store: Store) {
    let (next, observers, wasSynced) = state.withLock { state in
      (state.nextLSN, Array(state.observers.values), state.isSynced)
    }
    do {
      try store.withSnapshot { snapshot in
        let end = try snapshot.nextLSN()
        guard end != next else { return }
        var news = News()
        // A restored store may be shorter than what was seen of it.
        if end < next { news.isEverything = true } else { try news.read(snapshot, from: next) }
        let isSynced = try snapshot.isSynced()
        state.withLock { state in
          state.nextLSN = end
          state.isSynced = isSynced
        }
        for observer in observers {
          try observer.note(news, snapshot, hasSyncChanged: isSynced != wasSynced)
        }
      }
    } catch {
      // Each reads for itself, and meets the error there.
      for observer in observers { observer.noteEverything() }
    }
  }

  /// What was committed, by model.
  struct News {
    /// Which records; `nil` for too many to say.
    private(set) var ids: [Int: Set<RecordID>?] = [:]
    var isEverything = false

    fileprivate mutating func read(
      _ snapshot: borrowing StoreSnapshot, from lsn: UInt64
    ) throws {
      var (ids, isEverything) = (ids, isEverything)
      try snapshot.forEachNews(from: lsn) { news in
        switch news {
        case .decided: break
        case .everything:
          isEverything = true
          return false
        case .change(let change):
          guard case .some(.some(var known)) = ids[change.key.model] ?? .some([]) else {
            return true
          }
          ids[change.key.model] = nil
          known.insert(change.key.id)
          ids[change.key.model] = .some(known.count > ObservationHub.idCountMax ? nil : known)
        }
        return true
      }
      self.ids = ids
      self.isEverything = isEverything
    }
  }
}

extension Store {
  fileprivate func look() { hub.dispatch(self) }
}

/// One observation of one model: what has happened that its consumer has not looked at.
final class Observer: Sendable {
  /// What the consumer has to look at.
  struct Work {
    var ids: Set<RecordID> = []
    var isEverything = false
    var hasSyncChanged = false
    var isOver = false

    var isEmpty: Bool { ids.isEmpty && !isEverything && !hasSyncChanged && !isOver }
  }

  private struct State {
    var work = Work()
    /// The records of its result.
    var shown: Set<RecordID> = []
  }

  let signal = Signal()
  private let modelName: String
  private let query: Query
  /// Whether it is told of sync too, and only of what its filter takes.
  private let isQuery: Bool
  private let state = Mutex(State())

  init(_ query: Query, isQuery: Bool) {
    self.query = query
    self.isQuery = isQuery
    modelName = query.model
  }

  /// Takes what there is to look at.
  func take() -> Work {
    state.withLock { state in
      defer { state.work = Work(isOver: state.work.isOver) }
      return state.work
    }
  }

  func show(_ ids: Set<RecordID>) { state.withLock { $0.shown = ids } }

  func end() { note { $0.isOver = true } }

  func noteEverything() { note { $0.isEverything = true } }

  private func note(_ change: (inout Work) -> Void) {
    state.withLock { change(&$0.work) }
    signal.raise()
  }

  func note(
    _ news: ObservationHub.News, _ snapshot: borrowing StoreSnapshot, hasSyncChanged: Bool
  ) throws {
    if news.isEverything { return noteEverything() }
    let syncs = isQuery && hasSyncChanged
    let number = snapshot.rows.catalog.modelNumber(named: modelName)
    guard let number, let changed = news.ids[number] else {
      if syncs { note { $0.hasSyncChanged = true } }
      return
    }
    guard let changed else { return noteEverything() }
    let ids = try isQuery ? concerned(changed, snapshot) : changed
    if ids.isEmpty && !syncs { return }
    note { work in
      work.hasSyncChanged = work.hasSyncChanged || syncs
      work.ids.formUnion(ids)
      if work.ids.count > ObservationHub.idCountMax {
        work.isEverything = true
        work.ids = []
      }
    }
  }

  /// Those that are in the result, or that its filter takes now.
  private func concerned(
    _ changed: Set<RecordID>, _ snapshot: borrowing StoreSnapshot
  ) throws -> Set<RecordID> {
    let shown = state.withLock { $0.shown }
    var unread: Query = query
    unread.cursor = nil
    let prepared = try PreparedQuery(unread, snapshot.rows.catalog)
    guard prepared.condition != nil || !prepared.readsInPlace else { return changed }
    var found: Set<RecordID> = []
    for id in changed {
      if shown.contains(id) {
        found.insert(id)
      } else if try snapshot.match(id, prepared, { _ in true }, { _ in true }) == true {
        found.insert(id)
      }
    }
    return found
  }
}

extension StoreSnapshot {
  /// Whether an authority has decided all that this store wrote, and this store has met one; an
  /// authority always is.
  borrowing func isSynced() throws -> Bool {
    guard let header = try rows.tables.storeHeader(transaction) else { return false }
    if header.role == .authority { return true }
    // What only the tail holds has been written here, and nobody else has seen it.
    guard try nextLSN() == header.nextLSN, try transaction.count(rows.tables.peers) > 0 else {
      return false
    }
    return try rows.tables.replicaStates(transaction).allSatisfy {
      $0.value.decidedThrough >= $0.value.seq || !$0.value.isOwn
    }
  }

  /// Calls the one or the other body with a record, where it meets a query's filter and may be read.
  borrowing func match<R>(
    _ id: RecordID, _ query: PreparedQuery, _ read: (borrowing RecordReader) throws -> R,
    _ view: (RecordView) throws -> R
  ) throws -> R? {
    if query.readsInPlace {
      return try get(query.model, id: id) { record in
        try query.condition?.holds(of: record) ?? true ? try read(record) : nil
      } ?? nil
    }
    let key = RecordKey(model: query.modelNumber, id: id)
    guard let row = try row(key.bytes.rawBytes) else { return nil }
    let state = try rows.state(row, transaction)
    guard var shown = query.catalog.view(key, state) else { return nil }
    if let principal = query.principal {
      let filter = RecordFilter(query.catalog, principal, .list)
      guard let visible = filter.filter(shown, state, key.model) else { return nil }
      shown = visible
    }
    return try query.condition?.holds(of: shown) ?? true ? try view(shown) : nil
  }
}
