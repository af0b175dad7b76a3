import CLMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The jobs of a writer thread, in order, and the thread that runs them.
///
/// The thread owns the queue, not the other way round, so that dropping a `WriterThread` ends it.
final class WriterQueue: @unchecked Sendable {  // Variables are touched under `monitor` only.
  private let monitor = Monitor()
  private let countMax: Int
  private let pause: @Sendable () -> Void
  private var jobs: [WriterJob] = []
  private var isClosed = false
  private var hasEnded = false
  /// Who runs jobs now; nil when nobody does.
  private var runner: UInt?
  private var thread: UInt?

  init(countMax: Int, pause: @escaping @Sendable () -> Void) {
    self.countMax = countMax
    self.pause = pause
  }

  /// Starts the thread.
  /// - Throws: `outOfMemory` where the system has no more threads.
  func start() throws(LMDBError) {
    #if canImport(Glibc)
      var thread = pthread_t()
    #else
      var thread: pthread_t?
    #endif
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setstacksize(&attributes, 8 << 20)
    // Its end is waited for through the monitor: it may be itself that drops the last reference.
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let context = unsafe Unmanaged.passRetained(self)
    let rc = unsafe pthread_create(
      &thread, &attributes,
      { context in
        #if canImport(Darwin)
          let context: UnsafeMutableRawPointer? = unsafe context
        #endif
        if let context = unsafe context {
          unsafe Unmanaged<WriterQueue>.fromOpaque(context).takeRetainedValue().run()
        }
        return nil
      }, context.toOpaque())
    unsafe pthread_attr_destroy(&attributes)
    guard rc == 0 else {
      unsafe context.release()
      throw LMDBError(.outOfMemory, rc: rc, operation: "start writer thread")
    }
  }

  /// From here on there is no thread: jobs run where their callers are, or by `runPosted`.
  func startWithoutThread() { monitor.locked { hasEnded = true } }

  /// Runs what was added, on the calling thread.
  func runPosted() {
    let current = currentThreadNumber()
    while true {
      let next: WriterJob? = monitor.locked {
        guard runner == nil, !jobs.isEmpty else { return nil }
        runner = current
        return jobs.removeFirst()
      }
      guard let next else { return }
      if next.start() { next.runHere() }
      monitor.locked { runner = nil }
    }
  }

  /// True where this thread runs a job now.
  var isCurrent: Bool {
    let current = currentThreadNumber()
    return monitor.locked { runner == current }
  }

  /// Runs a closure at once on the calling thread, if no other runs or waits: a change of threads costs
  /// more than most jobs.
  /// - Returns: whether it did.
  func runAtOnce(_ body: () -> Void) -> Bool {
    let current = currentThreadNumber()
    let isFree = monitor.locked {
      guard jobs.isEmpty, runner == nil, !isClosed else { return false }
      runner = current
      return true
    }
    guard isFree else { return false }
    body()
    pause()
    monitor.locked {
      runner = nil
      if !jobs.isEmpty || isClosed { monitor.broadcast() }
    }
    return true
  }

  /// - Throws: `closed`; `busy` where the queue is full.
  func add(_ job: WriterJob) throws(LMDBError) {
    monitor.lock()
    defer { monitor.unlock() }
    guard !isClosed else { throw LMDBError(.closed, operation: "writer thread") }
    guard jobs.count < countMax else {
      throw LMDBError(
        .busy, operation: "writer thread", detail: "\(countMax) jobs are waiting")
    }
    jobs.append(job)
    if jobs.count == 1, runner == nil { monitor.broadcast() }
  }

  /// Takes no more jobs, and waits until those that it has are done, unless on the thread itself.
  func close(waitSeconds: Double = .infinity) {
    let current = currentThreadNumber()
    let deadline = Deadline.after(seconds: waitSeconds)
    monitor.lock()
    defer { monitor.unlock() }
    isClosed = true
    monitor.broadcast()
    guard thread != current else { return }
    while !hasEnded {
      guard monitor.wait(until: deadline) else { return }
    }
  }

  private func run() {
    let current = currentThreadNumber()
    monitor.locked { thread = current }
    while let batch = next(current) {
      for job in batch where job.start() { job.runHere() }
      if isIdle { pause() }
    }
    monitor.locked {
      hasEnded = true
      monitor.broadcast()
    }
  }

  private var isIdle: Bool { monitor.locked { jobs.isEmpty } }

  /// All the jobs there are, as soon as there are any and nobody else runs one; nil at the end.
  private func next(_ current: UInt) -> [WriterJob]? {
    monitor.lock()
    defer { monitor.unlock() }
    if runner == current { runner = nil }
    while jobs.isEmpty || runner != nil {
      if isClosed, jobs.isEmpty, runner == nil { return nil }
      monitor.wait()
    }
    runner = current
    defer { jobs = [] }
    return jobs
  }
}
