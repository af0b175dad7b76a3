import Foundation
import Testing
import TidemarkLMDB

/// Each test runs another process on the same store: the body of an exit test.
@Suite struct `Processes` {
  let scratch: Scratch
  let path: String

  init() throws {
    scratch = try Scratch()
    path = scratch("store")
  }

  private func open(_ options: Environment.Options = Environment.Options()) throws
    -> (Environment, Table)
  {
    let environment = try Environment.open(directory: path, create: true, options: options)
    return (environment, try environment.table(named: "t", .integerKeys))
  }

  @Test func `writes of two processes are all there, and a grown map is followed`() async throws {
    let (environment, table) = try open(smallMap())
    let writing = Task.detached { [path] in
      await #expect(processExitsWith: .success) { [path = path as String] in
        let environment = try Environment.open(
          directory: path, create: false, options: smallMap(1 << 25))
        let table = try environment.table(named: "t", .integerKeys)
        for key: UInt64 in 0..<300 {
          try environment.write {
            try $0.put(table, key * 2, [UInt8](repeating: 1, count: 5000))
          }
        }
      }
    }
    for key: UInt64 in 0..<300 {
      try environment.write { try $0.put(table, key * 2 + 1, [UInt8](repeating: 1, count: 5000)) }
      _ = try environment.read { try $0.lastIntegerKey(table) }
      await Task.yield()
    }
    _ = await writing.value
    #expect(try environment.read { try $0.count(table) } == 600)
  }

  @Test func `a reader follows a map that another process has grown`() async throws {
    let (environment, table) = try open(smallMap())
    try environment.write { try $0.put(table, 0, [1]) }
    await #expect(processExitsWith: .success) { [path = path as String] in
      let environment = try Environment.open(
        directory: path, create: false, options: smallMap(1 << 25))
      let table = try environment.table(named: "t", .integerKeys)
      try environment.write { try $0.put(table, 1, [UInt8](repeating: 1, count: 1 << 20)) }
    }
    #expect(try environment.read { try $0.copy(table, 1)?.count } == 1 << 20)
    #expect(try environment.info.mapByteCount == 1 << 25)
  }

  @Test func `a second open and its end leave the lock to this process`() async throws {
    let (environment, table) = try open()
    try environment.write { try $0.put(table, 1, [1]) }
    do {
      let link = scratch("link")
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
      let second = try Environment.open(directory: link, create: false)
      #expect(second === environment)
    }
    // Another process that found no lock would start the lock file anew, and not see this reader.
    try await environment.readAsync { [path] in
      await #expect(processExitsWith: .success) { [path = path as String] in
        let environment = try Environment.open(directory: path, create: false)
        #expect(environment.otherProcessID == getppid())
        #expect(try environment.readers().contains { $0.processID == getppid() })
      }
    }
  }

  @Test func `a process that dies while it writes or reads leaves the store to others`()
    async throws
  {
    let (environment, table) = try open()
    try environment.write { try $0.put(table, 1, [1]) }
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try Environment.open(directory: path, create: false)
      let table = try environment.table(named: "t", .integerKeys)
      try environment.read { _ in
        try environment.write { transaction in
          try transaction.put(table, 2, [2])
          kill(getpid(), SIGKILL)
        }
      }
    }
    let start = ContinuousClock.now
    try environment.write { try $0.put(table, 3, [3]) }
    #expect(ContinuousClock.now - start < .seconds(1))
    #expect(try environment.read { try $0.copy(table, 2) } == nil)
    try environment.clearStaleReaders()
    #expect(try environment.readers().allSatisfy { $0.processID == getpid() })
  }

  @Test func `a writer that stands still elsewhere is named, and reads go on`() async throws {
    let (environment, table) = try open()
    try environment.write { try $0.put(table, 1, [1]) }
    let ready = scratch("ready")
    let go = scratch("go")
    let standing = Task.detached { [path] in
      await #expect(processExitsWith: .success) {
        [path = path as String, ready = ready as String, go = go as String] in
        let environment = try Environment.open(directory: path, create: false)
        try environment.write { _ in
          try Data("\(getpid())".utf8).write(to: URL(fileURLWithPath: ready), options: .atomic)
          while !FileManager.default.fileExists(atPath: go) { usleep(1000) }
        }
      }
    }
    while !FileManager.default.fileExists(atPath: ready) {
      try await Task.sleep(for: .milliseconds(5))
    }
    let writer = try WriterThread(environment: environment)
    do {
      try await writer.run(timeoutSeconds: 0.2) {
        try environment.write { try $0.put(table, 2, [2]) }
      }
      Issue.record("it wrote")
    } catch let error as LMDBError {
      #expect(error.code == .busy)
      let other = try String(contentsOfFile: ready, encoding: .utf8)
      #expect(error.message.contains("process \(other)"))
    }
    #expect(try environment.read { try $0.copy(table, 1) } == [1])
    try Data().write(to: URL(fileURLWithPath: go))
    _ = await standing.value
    try await writer.run { try environment.write { try $0.put(table, 3, [3]) } }
    #expect(try environment.read { try $0.copy(table, 2) } == nil)
  }

  @Test func `a child of fork gets a typed error and harms nothing`() async throws {
    await #expect(processExitsWith: .success) { [path = path as String] in
      let environment = try Environment.open(directory: path, create: true)
      let table = try environment.table(named: "t", .integerKeys)
      // Swift hides fork; it is looked up by name.
      typealias Fork = @convention(c) () -> Int32
      let address = try unsafe #require(dlsym(nil, "fork"))
      let child = unsafe unsafeBitCast(address, to: Fork.self)()
      if child == 0 {
        let error = code { try environment.write { try $0.put(table, 1, [1]) } }
        _exit(error == .closed ? 0 : 1)
      }
      var status: Int32 = 0
      unsafe waitpid(child, &status, 0)
      #expect(status == 0)
      try environment.write { try $0.put(table, 2, [2]) }
      #expect(try environment.read { try $0.count(table) } == 1)
    }
  }
}

extension Environment {
  /// Keeps a read transaction open, on a thread of its own, while a closure runs.
  func readAsync(_ body: @Sendable () async throws -> Void) async throws {
    let started = DispatchSemaphore(value: 0)
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      try? self.read { _ in
        started.signal()
        done.wait()
      }
    }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        started.wait()
        continuation.resume()
      }
    }
    defer { done.signal() }
    try await body()
  }
}
