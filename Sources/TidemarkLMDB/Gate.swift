import CLMDB

/// Who is using an environment's handle, so that the map is never moved under anybody.
///
/// Invariants, under the monitor:
/// - while `isExclusive` and its owner runs: `liveCount == 0` and `writerIsInside == false`
/// - `writerIsInside` implies `writer != nil`: one thread holds the seat, also between the attempts
///   of one write
/// - `idle` holds read transactions that are reset, at most `idleCountMax`
/// - `handle == nil` only while the owner of the exclusive section runs, and for ever after it
///   could not open the environment again
@safe final class Gate: @unchecked Sendable {  // Every variable is touched under `monitor` only.
  static let idleCountMax = 16

  private let monitor = Monitor()
  private var handle: OpaquePointer?
  private var liveCount = 0
  private var writer: UInt?
  private var writerIsInside = false
  private var isExclusive = false
  private var idle: [OpaquePointer]

  /// - Parameter handle: nil where there is no LMDB; then only the writer's seat is of use.
  init(handle: OpaquePointer?) {
    unsafe self.handle = handle
    unsafe idle = []
    unsafe idle.reserveCapacity(Self.idleCountMax)
  }

  // MARK: Readers

  /// Counts the caller in as a user of the handle.
  func enter() throws(LMDBError) -> OpaquePointer {
    monitor.lock()
    defer { monitor.unlock() }
    return unsafe try countIn()
  }

  /// Counts the caller in, and gives it a reset transaction if there is one.
  func enterReader() throws(LMDBError) -> (handle: OpaquePointer, idle: OpaquePointer?) {
    monitor.lock()
    defer { monitor.unlock() }
    return unsafe (try countIn(), idle.popLast())
  }

  private func countIn() throws(LMDBError) -> OpaquePointer {
    while isExclusive { monitor.wait() }
    guard let handle = unsafe handle else { throw Self.closed }
    liveCount += 1
    return unsafe handle
  }

  /// Counts the caller out.
  func leave() {
    monitor.lock()
    defer { monitor.unlock() }
    liveCount -= 1
    if isExclusive { monitor.broadcast() }
  }

  /// Counts the caller out and keeps its reset transaction, or ends that.
  func leave(returning transaction: OpaquePointer) {
    monitor.lock()
    if unsafe idle.count < Self.idleCountMax {
      unsafe idle.append(transaction)
      liveCount -= 1
      if isExclusive { monitor.broadcast() }
      monitor.unlock()
    } else {
      monitor.unlock()
      unsafe mdb_txn_abort(transaction)
      leave()
    }
  }

  // MARK: The writer

  /// True on the thread that holds the writer's seat.
  var isWriter: Bool {
    let thread = currentThreadNumber()
    return monitor.locked { writer == thread }
  }

  /// Waits for the seat, as long as it takes.
  /// - Throws: `reentrant` where the thread has it.
  func takeSeat() throws(LMDBError) {
    let thread = currentThreadNumber()
    monitor.lock()
    defer { monitor.unlock() }
    if writer == thread {
      throw LMDBError(.reentrant, operation: "write")
    }
    while writer != nil { monitor.wait() }
    writer = thread
  }

  func leaveSeat() {
    monitor.lock()
    defer { monitor.unlock() }
    writer = nil
    monitor.broadcast()
  }

  /// Counts the writer in as a user of the handle.
  func enterWriter() throws(LMDBError) -> OpaquePointer {
    monitor.lock()
    defer { monitor.unlock() }
    while isExclusive { monitor.wait() }
    guard let handle = unsafe handle else { throw Self.closed }
    writerIsInside = true
    return unsafe handle
  }

  func leaveWriter() {
    monitor.lock()
    defer { monitor.unlock() }
    writerIsInside = false
    if isExclusive { monitor.broadcast() }
  }

  // MARK: The whole handle

  /// Runs a closure while nobody else uses the handle. It returns the handle to use from then on.
  /// - Throws: `busy` after the wait; what the closure throws, and then the handle is kept.
  func exclusively(
    _ operation: String, waitSeconds: Double,
    _ body: (_ handle: OpaquePointer, _ isCurrent: inout Bool) throws(LMDBError) -> OpaquePointer
  ) throws(LMDBError) {
    let handle = unsafe try beginExclusive(operation, waitSeconds: waitSeconds)
    var isCurrent = true
    var result: OpaquePointer? = unsafe handle
    defer { unsafe endExclusive(result) }
    do {
      unsafe result = try body(handle, &isCurrent)
    } catch {
      if !isCurrent { unsafe result = nil }
      throw error
    }
  }

  /// Takes the handle away for ever, with every idle transaction ended.
  func close() -> OpaquePointer? {
    monitor.lock()
    defer { monitor.unlock() }
    abortIdle()
    defer { unsafe handle = nil }
    return unsafe handle
  }

  private func beginExclusive(
    _ operation: String, waitSeconds: Double
  ) throws(LMDBError) -> OpaquePointer {
    let deadline = Deadline.after(seconds: waitSeconds)
    monitor.lock()
    defer { monitor.unlock() }
    while isExclusive {
      guard monitor.wait(until: deadline) else { throw Self.inUse(operation) }
    }
    guard let handle = unsafe handle else { throw Self.closed }
    isExclusive = true
    while liveCount > 0 || writerIsInside {
      guard monitor.wait(until: deadline) else {
        isExclusive = false
        monitor.broadcast()
        throw Self.inUse(operation)
      }
    }
    abortIdle()
    return unsafe handle
  }

  private func endExclusive(_ handle: OpaquePointer?) {
    monitor.lock()
    defer { monitor.unlock() }
    unsafe self.handle = handle
    isExclusive = false
    monitor.broadcast()
  }

  private func abortIdle() {
    while let transaction = unsafe idle.popLast() { unsafe mdb_txn_abort(transaction) }
  }

  private static var closed: LMDBError {
    LMDBError(.closed, operation: "begin transaction")
  }

  private static func inUse(_ operation: String) -> LMDBError {
    LMDBError(
      .busy, operation: operation,
      detail: "a transaction of this process has been open too long; end it and try again")
  }
}
