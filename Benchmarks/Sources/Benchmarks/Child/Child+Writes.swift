/// The rows that write.
extension Child {
  func runBatches(_ row: Row, _ durability: Durability) throws {
    let workload = Workload(operationCount: scale.batched)
    var store = try make(durability)
    try store.load(workload)
    let memory = Memory()
    let watch = Stopwatch(device)
    try writeBatches(store, workload.operations.count)
    var measurement = Measurement(peer, row, workload.operations.count, watch.read())
    try measureClose(store, &measurement)
    measurement.peakMemoryBytes = memory.peakBytes
    measurement.directoryBytes = Directory.allocatedBytes(storeDirectory)

    store = try make(durability)
    measurement.logBytes = try store.logBytes()
    try emit(measurement)
    if row == .batchRelaxed { try runReads(store, workload) }
    try store.close()
  }

  func writeBatches(_ store: any Peer, _ count: Int) throws {
    for start in stride(from: 0, to: count, by: Scale.batchCount) {
      try store.commit(start..<min(start + Scale.batchCount, count))
    }
  }

  private func measureClose(_ store: any Peer, _ measurement: inout Measurement) throws {
    let watch = Stopwatch()
    try store.close()
    measurement.closeSeconds = watch.read().seconds
  }

  func runSingles(_ row: Row, _ durability: Durability, _ count: Int) throws {
    let workload = Workload(operationCount: count)
    let store = try make(durability)
    try store.load(workload)
    var microseconds = [Double](repeating: 0, count: count)
    let watch = Stopwatch(device)
    var before = Stopwatch.nanoseconds()
    for index in 0..<count {
      try store.commit(index..<(index + 1))
      let after = Stopwatch.nanoseconds()
      microseconds[index] = Double(after - before) / 1000
      before = after
    }
    var measurement = Measurement(peer, row, count, watch.read())
    measurement.p50Microseconds = Statistics.median(microseconds)
    measurement.p99Microseconds = Statistics.percentile(microseconds, 0.99)
    try measureClose(store, &measurement)
    try emit(measurement)
  }

  func runWriters() throws {
    let count = peer == .tidemark ? scale.concurrentShared : scale.concurrent
    // Creates alone: an update must not overtake the create of its post.
    let workload = Workload(creates: count, updates: 0, deletes: 0)
    let store = try make(.full)
    try store.load(workload)
    let watch = Stopwatch(device)
    try store.commitConcurrently(count, writers: Scale.writerCount)
    var measurement = Measurement(peer, .writersFull, count, watch.read())
    try measureClose(store, &measurement)
    try emit(measurement)
  }

  /// The rate of a store with ten million operations beside the one it began with. Each chunk's
  /// updates are of posts all over the store.
  func runLarge() throws {
    let store = try make(.relaxed)
    let chunkCount = scale.large / scale.largeChunk
    let creates = scale.largeChunk * 20 / 32
    for chunk in 0..<chunkCount {
      let workload = Workload(
        creates: creates, updates: scale.largeChunk - creates, deletes: 0, first: chunk * creates)
      try store.load(workload)
      let watch = Stopwatch(device)
      try writeBatches(store, workload.operations.count)
      let reading = watch.read()
      if chunk == 0 {
        try emit(Measurement(peer, .largeStart, workload.operations.count, reading))
      } else if chunk == chunkCount - 1 {
        var measurement = Measurement(peer, .largeEnd, workload.operations.count, reading)
        try measureClose(store, &measurement)
        measurement.directoryBytes = Directory.allocatedBytes(storeDirectory)
        try emit(measurement)
      }
    }
  }
}
