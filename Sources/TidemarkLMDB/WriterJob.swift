import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// One closure on its way through a writer thread.
///
/// ```
/// queued ──start──▶ started ──admit──▶ admitted ──┐
///    │                 │                          ├─▶ (its result is delivered)
///    └────abandon──────┴──▶ abandoned             │
///                      └──────────────────────────┘
/// ```
/// A job is admitted when it first holds LMDB's lock for writing. Until then it can be abandoned,
/// and then it writes nothing: a wait that ends with `busy` has changed nothing. After that nobody
/// can say that it did not happen.
final class WriterJob: Sendable {
  private enum State: UInt8 { case queued, started, admitted, abandoned }

  private let state = Atomic<UInt8>(State.queued.rawValue)
  let perform: @Sendable () -> Void

  init(_ perform: @escaping @Sendable () -> Void) { self.perform = perform }

  /// False when the job must not run.
  func start() -> Bool { move(.queued, to: .started) }

  /// Gives the job up; false when it is too late.
  func abandon() -> Bool { move(.queued, to: .abandoned) || move(.started, to: .abandoned) }

  private func admit() -> Bool {
    move(.started, to: .admitted) || state.load(ordering: .acquiring) == State.admitted.rawValue
  }

  private func move(_ old: State, to new: State) -> Bool {
    state.compareExchange(
      expected: old.rawValue, desired: new.rawValue, ordering: .acquiringAndReleasing
    ).exchanged
  }

  // MARK: The job of a thread

  private static let key: pthread_key_t? = {
    var key = pthread_key_t()
    return unsafe pthread_key_create(&key, nil) == 0 ? key : nil
  }()

  /// Runs the job on this thread, where `admitCurrent` finds it.
  func runHere() {
    guard let key = Self.key else { return perform() }
    unsafe pthread_setspecific(key, Unmanaged.passUnretained(self).toOpaque())
    perform()
    pthread_setspecific(key, nil)
  }

  /// Called on a thread that has just got LMDB's lock for writing.
  /// - Throws: `busy` where this thread runs a job that has been abandoned.
  static func admitCurrent() throws(LMDBError) {
    guard let key, let pointer = unsafe pthread_getspecific(key) else { return }
    let job = unsafe Unmanaged<WriterJob>.fromOpaque(pointer).takeUnretainedValue()
    guard job.admit() else {
      throw LMDBError(.busy, operation: "write", detail: "nobody waits for it any more")
    }
  }
}

/// Where the result of a job arrives, once: what comes later is dropped.
final class JobResult<R: Sendable>: @unchecked Sendable {  // Variables are under `monitor` only.
  private let monitor = Monitor()
  private var result: Result<R, any Error>?
  private var continuation: CheckedContinuation<R, any Error>?
  private var isTaken = false

  func deliver(_ result: Result<R, any Error>) {
    monitor.lock()
    guard self.result == nil, !isTaken else { return monitor.unlock() }
    let waiting = continuation
    continuation = nil
    if waiting == nil { self.result = result } else { isTaken = true }
    monitor.broadcast()
    monitor.unlock()
    waiting?.resume(with: result)
  }

  /// Resumes the continuation with the result, now or when it comes.
  func await(_ continuation: CheckedContinuation<R, any Error>) {
    monitor.lock()
    let result = self.result
    if result == nil { self.continuation = continuation } else { isTaken = true }
    monitor.unlock()
    if let result { continuation.resume(with: result) }
  }

  /// Blocks until the result is there.
  func wait() -> Result<R, any Error> {
    monitor.lock()
    defer { monitor.unlock() }
    while true {
      if let result { return result }
      monitor.wait()
    }
  }

  /// Blocks until the result is there or the deadline has passed.
  func wait(until deadline: Deadline) -> Result<R, any Error>? {
    monitor.lock()
    defer { monitor.unlock() }
    while result == nil {
      guard monitor.wait(until: deadline) else { break }
    }
    return result
  }
}

/// Where the result of a job arrives that runs on the thread that waits for it.
final class ImmediateResult<R: Sendable>: @unchecked Sendable {  // Touched by that thread only.
  var value: Result<R, any Error>?
}
