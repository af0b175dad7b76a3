import Synchronization

/// What writes to a store: it runs closures one at a time, each to its end, in the order given, on a
/// thread of its own, or on that of a caller who waits anyway.
///
/// An LMDB write transaction has to begin and end on one thread, and waits for other processes
/// without a bound; on a thread of Swift's pool it would stop everything else there. So writes go
/// through here:
///
/// ```swift
/// let writer = try WriterThread(environment: environment)
/// try await writer.run(timeoutSeconds: 10) {
///   try environment.write { transaction in try transaction.append(notes, 2, value) }
/// }
/// ```
public final class WriterThread: Sendable {
  private let environment: Environment?
  private let queue: WriterQueue
  private let watchdog = Watchdog()
  private let isInline: Bool

  /// Starts the thread.
  /// - Parameters:
  ///   - environment: the store, to name the process that a wait is for.
  ///   - queueCountMax: the jobs that may wait; one more is refused with `busy`.
  ///   - isInline: there is no thread. Jobs run on the threads of their callers, and those that are
  ///     posted in `runPosted`, or at the end: so that one thread decides what happens when.
  ///   - pause: called on the thread whenever no job is waiting and one has run since.
  /// - Throws: `outOfMemory` where the system has no more threads.
  public init(
    environment: Environment?, queueCountMax: Int = 65_536, isInline: Bool = false,
    pause: @escaping @Sendable () -> Void = {}
  ) throws(LMDBError) {
    self.environment = environment
    self.isInline = isInline
    queue = WriterQueue(countMax: queueCountMax, pause: pause)
    if isInline { queue.startWithoutThread() } else { try queue.start() }
  }

  // Nobody waits for a job any more. One that others wait for elsewhere may stand in the way of the
  // thread's end, and must not keep this one.
  deinit { queue.close(waitSeconds: 1) }

  /// Takes no more jobs, and waits until those that it has are done.
  public func close() {
    if isInline { queue.runPosted() }
    queue.close()
  }

  /// Without a thread of its own: runs what was posted, on the calling thread.
  public func runPosted() { if isInline { queue.runPosted() } }

  /// Runs a closure on the writer thread, and blocks until it is done. In asynchronous code, call
  /// the asynchronous one.
  ///
  /// With a timeout, `busy` means that the closure has written nothing and never will: it had not
  /// begun, or was waiting for another process. Where it writes already, the wait goes on for the
  /// same time again, and then ends with `unknownOutcome`.
  /// - Throws: `reentrant` on the writer thread; `closed`; `busy`; `unknownOutcome`; and what the
  ///   closure throws.
  public func run<R: Sendable>(
    timeoutSeconds: Double? = nil, _ body: @escaping @Sendable () throws -> R
  ) throws -> R {
    try runDelivering(timeoutSeconds: timeoutSeconds) { deliver in
      deliver(Result(catching: body))
    }
  }

  /// Runs a closure on the writer thread, and blocks until it has delivered its result, which it may
  /// do after it has ended: several jobs can so wait for one thing.
  /// - Parameter atOnce: runs it on the calling thread where no other job runs or waits. The closure
  ///   is then to bound its own waits.
  /// - Throws: as `run`.
  // What a write returns stays with its caller; so nearly all come here for nothing.
  @_specialize(where R == Void)
  public func runDelivering<R: Sendable>(
    timeoutSeconds: Double? = nil, atOnce: Bool = false,
    _ body: @escaping @Sendable (@escaping @Sendable (Result<R, any Error>) -> Void) -> Void
  ) throws -> R {
    try checkThread()
    if atOnce || isInline {
      let result = ImmediateResult<R>()
      if queue.runAtOnce({ body { result.value = $0 } }) {
        guard let value = result.value else {
          throw LMDBError(.unknownOutcome, operation: "write", detail: "no result was delivered")
        }
        return try value.get()
      }
    }
    let result = JobResult<R>()
    let job = WriterJob { body { result.deliver($0) } }
    try queue.add(job)
    guard let timeoutSeconds else { return try result.wait().get() }
    if let value = result.wait(until: .after(seconds: timeoutSeconds)) { return try value.get() }
    if job.abandon() { throw busy(timeoutSeconds) }
    if let value = result.wait(until: .after(seconds: timeoutSeconds)) { return try value.get() }
    throw unknown(timeoutSeconds)
  }

  /// Runs a closure on the writer thread, and suspends until it is done.
  ///
  /// The timeout is that of the blocking one. A task that is cancelled before the closure writes
  /// gets `CancellationError`, and the closure writes nothing; later than that, it gets the result.
  /// - Throws: `closed`; `busy`; `unknownOutcome`; `CancellationError`; and what the closure throws.
  public func run<R: Sendable>(
    timeoutSeconds: Double? = nil, _ body: @escaping @Sendable () throws -> R
  ) async throws -> R {
    try await runDelivering(timeoutSeconds: timeoutSeconds) { deliver in
      deliver(Result(catching: body))
    }
  }

  /// The suspending one of `runDelivering`.
  /// - Throws: as the suspending `run`.
  @_specialize(where R == Void)
  public func runDelivering<R: Sendable>(
    timeoutSeconds: Double? = nil,
    _ body: @escaping @Sendable (@escaping @Sendable (Result<R, any Error>) -> Void) -> Void
  ) async throws -> R {
    if isInline {
      // No thread of the pool is kept waiting: nobody else writes.
      return try runInline(body)
    }
    try checkThread()
    let result = JobResult<R>()
    let job = WriterJob { body { result.deliver($0) } }
    try Task.checkCancellation()
    try queue.add(job)
    let watch = timeoutSeconds.map { seconds in
      let isBegun = Atomic<Bool>(false)
      return watchdog.add(seconds: seconds) { [self] in
        if job.abandon() {
          result.deliver(.failure(busy(seconds)))
          return false
        }
        if isBegun.exchange(true, ordering: .relaxed) {
          result.deliver(.failure(unknown(seconds)))
          return false
        }
        return true
      }
    }
    defer { if let watch { watchdog.remove(watch) } }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { result.await($0) }
    } onCancel: {
      if job.abandon() { result.deliver(.failure(CancellationError())) }
    }
  }

  /// Runs a closure on the writer thread, some time.
  /// - Throws: `closed`; `busy` where the queue is full.
  public func post(_ body: @escaping @Sendable () -> Void) throws(LMDBError) {
    try queue.add(WriterJob(body))
  }

  /// Called by a job before it changes anything: from here on nobody can give it up.
  /// - Throws: `busy` where somebody has.
  public static func admit() throws(LMDBError) { try WriterJob.admitCurrent() }

  private func runInline<R: Sendable>(
    _ body: @escaping @Sendable (@escaping @Sendable (Result<R, any Error>) -> Void) -> Void
  ) throws -> R {
    try runDelivering(atOnce: true, body)
  }

  private func checkThread() throws(LMDBError) {
    guard !queue.isCurrent else {
      throw LMDBError(
        .reentrant, operation: "writer thread", detail: "called from a job of the same thread")
    }
  }

  private func busy(_ seconds: Double) -> LMDBError {
    let other = environment?.otherProcessID.map { "; process \($0) has the store open" } ?? ""
    return LMDBError(
      .busy, operation: "write", detail: "not begun after \(seconds) seconds\(other)")
  }

  private func unknown(_ seconds: Double) -> LMDBError {
    LMDBError(
      .unknownOutcome, operation: "write", detail: "begun, and not ended after \(seconds) seconds")
  }
}
