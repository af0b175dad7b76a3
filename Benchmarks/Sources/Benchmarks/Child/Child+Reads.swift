/// The rows that read, of the store that the batches left, and opening.
extension Child {
  func runReads(_ store: any Peer, _ workload: Workload) throws {
    try store.load(workload)
    let live = workload.livePosts()
    var watch = Stopwatch()
    if let found = try store.get(live) {
      try check(found, live.count, .get)
      try emit(Measurement(peer, .get, found, watch.read()))
    }
    watch = Stopwatch()
    if let found = try store.scan() {
      try check(found, live.count, .scan)
      try emit(Measurement(peer, .scan, found, watch.read()))
    }
    watch = Stopwatch()
    if let count = try store.replay() {
      try check(count, workload.operations.count, .replay)
      try emit(Measurement(peer, .replay, count, watch.read()))
    }
  }

  /// A peer that reads less than was written measures nothing.
  private func check(_ count: Int, _ expected: Int, _ row: Row) throws {
    guard count == expected else {
      throw BenchmarkError("\(peer.rawValue) \(row.rawValue): \(count) of \(expected)")
    }
  }

  /// Makes the store that other processes open.
  func fillForOpening() throws {
    let store = try make(.relaxed)
    let chunk = 100_000
    for first in stride(from: 0, to: scale.opened, by: chunk) {
      let workload = Workload(
        creates: min(chunk, scale.opened - first), updates: 0, deletes: 0, first: first)
      try store.load(workload)
      try writeBatches(store, workload.operations.count)
    }
    try store.close()
  }

  /// Opens a store that is there, in a process that has done nothing before, with its files out of
  /// the page cache.
  func openCold() throws {
    Directory.evict(storeDirectory)
    let memory = Memory()
    let watch = Stopwatch()
    let store = try make(.full)
    try store.touch()
    var measurement = Measurement(peer, .open, 1, watch.read())
    measurement.peakMemoryBytes = memory.peakBytes
    measurement.directoryBytes = Directory.allocatedBytes(storeDirectory)
    try emit(measurement)
    try store.close()
  }
}
