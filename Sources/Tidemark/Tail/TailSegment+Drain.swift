internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

extension TailSegment {
  /// Brings the segment into LMDB, in one transaction that is on the disk when this returns; then
  /// makes the file that held it as large as the writer wishes.
  func drain(
    into environment: Environment, _ tables: Tables, _ journal: Journal
  ) throws {
    guard !isEmpty else { return }
    try environment.write { tx in
      guard let stored = try tables.storeHeader(tx) else {
        throw StoreError(.notAStore, "the store has no header")
      }
      // Another process may have brought it in.
      if stored.nextLSN >= nextLSN { return }
      guard stored.nextLSN == firstLSN else {
        throw StoreError(
          .corrupt, "the log ends at \(stored.nextLSN) and the journal begins at \(firstLSN)")
      }
      try drain(into: tables, &tx)
    }
    // Without the room the writer goes on with what there is.
    try? file?.extend(to: journal.wishedByteCount)
  }

  private func drain(
    into tables: Tables, _ tx: inout WriteTransaction
  ) throws {
    let states = try tables.replicaState(header.replica, tx)
    own.head = seal(after: states.head)
    for entry in entries {
      try withBytes(entry) { bytes throws(LMDBError) in
        try tx.append(tables.log, entry.lsn, bytes)
      }
    }
    var buffer = ByteWriter(capacity: 4096)
    try tables.put(rows, &tx)
    try drainRun(tables, states.seq + 1, &tx)
    for note in contexts {
      buffer.truncate()
      buffer.append(0 as UInt8)
      note.whole.encode(into: &buffer)
      try tx.put(tables.contexts, note.first.key.rawBytes, buffer.bytes)
    }
    buffer.truncate()
    own.encode(into: &buffer)
    try tx.put(tables.replicas, header.replica.key.rawBytes, buffer.bytes)
    buffer.truncate()
    header.encode(into: &buffer)
    try tx.put(tables.header, 0, buffer.bytes)
  }

  /// The dots and the lsns of a segment lie in one run, which may go on from the one before.
  private func drainRun(
    _ tables: Tables, _ firstSeq: UInt64, _ tx: inout WriteTransaction
  ) throws {
    let count = nextLSN - firstLSN
    var run = Run(firstSeq: firstSeq, firstLSN: firstLSN, count: count)
    if firstSeq > 1, let before = try tables.run(at: Dot(header.replica, firstSeq - 1), tx),
      before.firstSeq + before.count == firstSeq, before.firstLSN + before.count == firstLSN
    {
      run = Run(firstSeq: before.firstSeq, firstLSN: before.firstLSN, count: before.count + count)
    }
    try tx.put(
      tables.runs, Dot(header.replica, run.firstSeq).key.rawBytes, run.bytes.rawBytes)
  }
}
