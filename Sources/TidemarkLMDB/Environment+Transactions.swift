public import CLMDB

extension Environment {
  /// Runs a closure on one unchanging state of the store, as of now.
  ///
  /// Reads never wait for writers, save for the moment in which the map grows.
  /// - Throws: `readersFull`; `closed`; `busy` where another process has grown the store and a
  ///   transaction of this one keeps the map from following; and what the closure throws.
  @inlinable
  public func read<R: ~Copyable>(
    _ body: (borrowing ReadTransaction) throws -> R
  ) throws -> R {
    let transaction = unsafe try beginRead()
    defer { unsafe endRead(transaction) }
    return try body(ReadTransaction(unsafe handle(transaction)))
  }

  /// Runs a closure in a write transaction on the calling thread, and commits what it did; when it
  /// throws, nothing has happened.
  ///
  /// The closure may run **more than once**: where the map is full, everything is undone, the map
  /// doubles, and the closure runs again, until the greatest size is reached. Let it have no
  /// effects but on the transaction.
  ///
  /// Waits for the writers of this and of all other processes, without a bound; see `WriterThread`
  /// for one.
  /// - Throws: `reentrant` inside a write of the same thread; `readOnly`; `mapFull`; `diskFull`;
  ///   `ioFailure`; `unknownOutcome`; `busy` where a transaction of this process keeps the map from
  ///   growing; `removed`; `closed`; and what the closure throws.
  @inlinable
  public func write<R: ~Copyable>(_ body: (inout WriteTransaction) throws -> R) throws -> R {
    try takeSeat()
    defer { leaveSeat() }
    while true {
      let pointer = unsafe try beginWrite()
      var transaction = WriteTransaction(unsafe handle(pointer))
      let result: R
      do {
        result = try body(&transaction)
      } catch {
        unsafe abortWrite(pointer)
        guard transaction.failure == MDB_MAP_FULL else { throw error }
        try grow()
        continue
      }
      if transaction.failure != 0 {
        unsafe abortWrite(pointer)
        guard transaction.failure == MDB_MAP_FULL else { throw failed(transaction.failure) }
      } else if unsafe try commitWrite(pointer) == .committed {
        return result
      }
      try grow()
    }
  }

  @usableFromInline
  enum CommitResult {
    case committed
    case mapFull
  }

  @usableFromInline
  func handle(_ pointer: OpaquePointer) -> TransactionHandle {
    unsafe TransactionHandle(pointer: pointer, owner: number)
  }

  @usableFromInline
  func failed(_ rc: Int32) -> LMDBError {
    classify(
      LMDBError(rc: rc, operation: "write", detail: "a change in the transaction failed"),
      directory)
  }

  @usableFromInline
  func takeSeat() throws(LMDBError) {
    try checkFork()
    guard !options.readOnly else {
      throw LMDBError(.readOnly, operation: "write", detail: directory)
    }
    try gate.takeSeat()
  }

  @usableFromInline
  func leaveSeat() { gate.leaveSeat() }

  @usableFromInline
  func beginRead() throws(LMDBError) -> OpaquePointer {
    try checkFork()
    if let memory { return unsafe try beginInMemory(memory, writes: false) }
    var attempt = Attempt()
    while true {
      var (handle, transaction) = unsafe try gate.enterReader()
      let rc =
        unsafe transaction == nil
        ? mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction)
        : mdb_txn_renew(transaction)
      if rc == 0, let transaction = unsafe transaction { return unsafe transaction }
      // A transaction that could not begin does not exist; one that could not be renewed does.
      if let transaction = unsafe transaction { unsafe mdb_txn_abort(transaction) }
      if rc == MDB_READERS_FULL { unsafe mdb_reader_check(handle, nil) }
      gate.leave()
      try repair(rc, &attempt, "read")
    }
  }

  @usableFromInline
  func endRead(_ transaction: OpaquePointer) {
    if memory != nil { return unsafe endInMemory(transaction) }
    unsafe mdb_txn_reset(transaction)
    unsafe gate.leave(returning: transaction)
  }

  /// Begins a write on the thread that has the seat.
  @usableFromInline
  func beginWrite() throws(LMDBError) -> OpaquePointer {
    if let memory {
      try WriterJob.admitCurrent()
      return unsafe try beginInMemory(memory, writes: true)
    }
    var attempt = Attempt()
    while true {
      let handle = unsafe try gate.enterWriter()
      var transaction: OpaquePointer?
      let rc = unsafe mdb_txn_begin(handle, nil, 0, &transaction)
      if rc == 0, let transaction = unsafe transaction {
        do {
          try WriterJob.admitCurrent()
          try checkFilesExist()
        } catch {
          unsafe abortWrite(transaction)
          throw error
        }
        return unsafe transaction
      }
      gate.leaveWriter()
      try repair(rc, &attempt, "write")
    }
  }

  @usableFromInline
  func abortWrite(_ transaction: OpaquePointer) {
    if memory != nil { return unsafe endInMemory(transaction) }
    unsafe mdb_txn_abort(transaction)
    gate.leaveWriter()
  }

  @usableFromInline
  func commitWrite(_ transaction: OpaquePointer) throws(LMDBError) -> CommitResult {
    if let memory {
      unsafe try commitInMemory(memory, transaction)
      return .committed
    }
    let handle = unsafe mdb_txn_env(transaction)
    let rc = unsafe mdb_txn_commit(transaction)
    let isFatal = unsafe rc > 0 && mayHavePanicked(handle)
    gate.leaveWriter()
    if rc == 0 { return .committed }
    if rc == MDB_MAP_FULL { return .mapFull }
    let error = classify(LMDBError(rc: rc, operation: "commit"), directory)
    guard isFatal else { throw error }
    // Where this fails, the next transaction finds the same state and tries again.
    try? recover()
    throw LMDBError(.unknownOutcome, rc: rc, operation: "commit", detail: error.detail)
  }

  /// True where LMDB refuses to go on after a commit: its last step, the meta page, failed.
  private func mayHavePanicked(_ handle: OpaquePointer?) -> Bool {
    var transaction: OpaquePointer?
    let rc = unsafe mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction)
    if rc == 0 { unsafe mdb_txn_abort(transaction) }
    return rc != 0
  }
}
