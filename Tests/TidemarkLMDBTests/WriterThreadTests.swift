import Foundation
import Synchronization
import Testing
import TidemarkLMDB

@Suite struct `The writer thread` {
  let scratch: Scratch
  let environment: Environment
  let table: Table
  let writer: WriterThread

  init() throws {
    scratch = try Scratch()
    environment = try Environment.open(directory: scratch("store"), create: true)
    table = try environment.table(named: "t", .integerKeys)
    writer = try WriterThread(environment: environment)
  }

  @Test func `jobs run on one thread, in the order given`() throws {
    let order = Mutex<[Int]>([])
    let threads = Mutex<Set<UInt>>([])
    for index in 0..<100 {
      try writer.run {
        order.withLock { $0.append(index) }
        threads.withLock { _ = $0.insert(UInt(pthread_self())) }
      }
    }
    #expect(order.withLock { $0 } == Array(0..<100))
    #expect(threads.withLock { $0.count } == 1)
    #expect(threads.withLock { !$0.contains(UInt(pthread_self())) })
    #expect(try writer.run { 7 } == 7)
  }

  @Test func `a job's error is its caller's`() async throws {
    struct Stop: Error {}
    #expect(throws: Stop.self) { try writer.run { throw Stop() } }
    await #expect(throws: Stop.self) { try await writer.run { throw Stop() } }
  }

  @Test func `a job that calls its own thread gets a typed error`() throws {
    let writer = writer
    let error = try writer.run { code { try writer.run {} } }
    #expect(error == .reentrant)
  }

  @Test func `a closed thread has done what it had, and takes no more`() throws {
    let count = Mutex(0)
    let writer = try WriterThread(environment: nil)
    let started = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      try? writer.run {
        started.signal()
        Thread.sleep(forTimeInterval: 0.05)
        count.withLock { $0 += 1 }
      }
    }
    started.wait()
    writer.close()
    #expect(count.withLock { $0 } == 1)
    #expect(code { try writer.run {} } == .closed)
  }

  @Test func `the last reference may go in a job`() throws {
    let writer = Mutex<WriterThread?>(try WriterThread(environment: nil))
    let ended = DispatchSemaphore(value: 0)
    let thread = try #require(writer.withLock { $0 })
    _ = try thread.run(timeoutSeconds: 10) { 1 }
    Thread.detachNewThread { [thread] in
      try? thread.run { writer.withLock { $0 = nil } }
      ended.signal()
    }
    #expect(ended.wait(timeout: .now() + 10) == .success)
  }

  @Test func `a full queue is a typed error`() throws {
    let writer = try WriterThread(environment: nil, queueCountMax: 1)
    let gate = DispatchSemaphore(value: 0)
    let started = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      try? writer.run {
        started.signal()
        gate.wait()
      }
    }
    started.wait()
    Thread.detachNewThread { try? writer.run {} }
    Thread.sleep(forTimeInterval: 0.1)
    #expect(code { try writer.run {} } == .busy)
    gate.signal()
  }

  @Test func `a wait for a writer elsewhere ends with busy, and nothing is written`() throws {
    // This thread is the writer elsewhere: LMDB's lock does not care whose it is.
    try holdingLock {
      let start = ContinuousClock.now
      let error = code {
        try writer.run(timeoutSeconds: 0.2) { [environment, table] in
          try environment.write { try $0.put(table, 1, [1]) }
        }
      }
      #expect(error == .busy)
      #expect(ContinuousClock.now - start < .seconds(5))
    }
    try writer.run {}
    #expect(try environment.read { try $0.count(table) } == 0)
  }

  @Test func `a wait that suspends is bounded too, and can be cancelled`() async throws {
    let writer = writer
    let gate = DispatchSemaphore(value: 0)
    let started = DispatchSemaphore(value: 0)
    let environment = environment
    let table = table
    Thread.detachNewThread {
      try? environment.write { _ in
        started.signal()
        gate.wait()
      }
    }
    started.wait()
    let error = await asyncCode {
      try await writer.run(timeoutSeconds: 0.2) {
        try environment.write { try $0.put(table, 1, [1]) }
      }
    }
    #expect(error == .busy)
    let task = Task {
      try await writer.run { try environment.write { try $0.put(table, 2, [2]) } }
    }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    gate.signal()
    try await writer.run {}
    #expect(try environment.read { try $0.count(table) } == 0)
  }

  @Test func `a write that has begun is waited for, and not called busy`() throws {
    let error = code {
      try writer.run(timeoutSeconds: 0.1) { [environment, table] in
        try environment.write { transaction in
          try transaction.put(table, 1, [1])
          Thread.sleep(forTimeInterval: 0.15)
        }
      }
    }
    #expect(error == nil)
    let late = code {
      try writer.run(timeoutSeconds: 0.1) { [environment, table] in
        try environment.write { transaction in
          try transaction.put(table, 2, [1])
          Thread.sleep(forTimeInterval: 0.5)
        }
      }
    }
    #expect(late == .unknownOutcome)
    try writer.run {}
    #expect(try environment.read { try $0.count(table) } == 2)
  }

  @Test func `waiting writes do not stop the pool of tasks`() async throws {
    let gate = DispatchSemaphore(value: 0)
    let started = DispatchSemaphore(value: 0)
    let environment = environment
    let table = table
    let writer = writer
    Thread.detachNewThread {
      try? environment.write { _ in
        started.signal()
        gate.wait()
      }
    }
    started.wait()
    let waiting = (UInt64(0)..<16).map { key in
      Task { try await writer.run { try environment.write { try $0.put(table, key, [1]) } } }
    }
    for _ in 0..<10 { try await Task.sleep(for: .milliseconds(5)) }
    #expect(try environment.read { try $0.count(table) } == 0)
    gate.signal()
    for task in waiting { try await task.value }
    #expect(try environment.read { try $0.count(table) } == 16)
  }

  private func holdingLock(_ body: () throws -> Void) throws {
    try environment.write { _ in try body() }
  }
}
