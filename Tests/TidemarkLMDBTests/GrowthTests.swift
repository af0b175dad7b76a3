import Foundation
import Testing
import TidemarkLMDB

@Suite struct `The map` {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  struct Missing: Error {}

  @Test func `the map grows from a tiny one while records come in`() throws {
    let environment = try Environment.open(
      directory: scratch("store"), create: true, options: smallMap())
    let table = try environment.table(named: "log", .integerKeys)
    for start in stride(from: UInt64(0), to: 2000, by: 100) {
      try environment.write { transaction in
        for key in start..<start + 100 {
          try transaction.append(table, key, [UInt8](repeating: UInt8(key & 255), count: 1000))
        }
      }
    }
    try environment.read { transaction in
      #expect(try transaction.count(table) == 2000)
      try transaction.forEach(table, from: 0) { key, value in
        #expect([UInt8](value) == [UInt8](repeating: UInt8(key & 255), count: 1000))
        return true
      }
    }
    #expect(try environment.info.mapByteCount >= 2_000_000)
  }

  @Test func `one value larger than the map runs the body again until it fits`() throws {
    let environment = try Environment.open(
      directory: scratch("store"), create: true, options: smallMap())
    let table = try environment.table(named: "t", .bytesKeys)
    var runCount = 0
    try environment.write { transaction in
      runCount += 1
      try transaction.put(table, [1], [UInt8](repeating: 1, count: 1 << 20))
    }
    #expect(runCount > 1)
    #expect(try environment.read { try $0.copy(table, [1])?.count } == 1 << 20)
  }

  @Test func `a body that hides the full map runs again all the same`() throws {
    let environment = try Environment.open(
      directory: scratch("store"), create: true, options: smallMap())
    let table = try environment.table(named: "t", .bytesKeys)
    try environment.write { transaction in
      try? transaction.put(table, [1], [UInt8](repeating: 1, count: 300_000))
    }
    #expect(try environment.read { try $0.copy(table, [1])?.count } == 300_000)
  }

  @Test func `the cap is a typed error, and a greater one goes on`() throws {
    var options = smallMap()
    options.mapByteCountMax = 1 << 19
    var key: UInt64 = 0
    for cap in [1 << 19, 1 << 20] {
      options.mapByteCountMax = cap
      let environment = try Environment.open(
        directory: scratch("store"), create: true, options: options)
      let table = try environment.table(named: "t", .integerKeys)
      let error = code {
        while key < 10_000 {
          try environment.write { try $0.append(table, key, [UInt8](repeating: 1, count: 2000)) }
          key += 1
        }
      }
      #expect(error == .mapFull)
      #expect(key > UInt64(cap / 5000))
      #expect(try environment.info.mapByteCount == cap)
      #expect(try environment.read { try $0.count(table) } == Int(key))
    }
  }

  @Test func `growth waits for readers, and says busy after the bound`() throws {
    var options = smallMap()
    options.exclusiveWaitSeconds = 0.2
    let environment = try Environment.open(
      directory: scratch("store"), create: true, options: options)
    let table = try environment.table(named: "t", .integerKeys)
    try environment.write { try $0.put(table, 1, [7, 7]) }
    try environment.read { transaction in
      guard let value = try transaction.get(table, 1) else { throw Missing() }
      let error = code {
        try environment.write { try $0.put(table, 2, [UInt8](repeating: 1, count: 1 << 20)) }
      }
      #expect(error == .busy)
      #expect([UInt8](value) == [7, 7])  // The map has not moved under the reader.
    }
    try environment.write { try $0.put(table, 2, [UInt8](repeating: 1, count: 1 << 20)) }
    #expect(try environment.read { try $0.count(table) } == 2)
  }

  @Test func `readers and a growing writer do not disturb each other`() async throws {
    let environment = try Environment.open(
      directory: scratch("store"), create: true, options: smallMap())
    let table = try environment.table(named: "log", .integerKeys)
    let done = Flag()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { done.set() }
        for key: UInt64 in 0..<400 {
          try environment.write { transaction in
            try transaction.append(table, key, [UInt8](repeating: UInt8(key & 255), count: 5000))
          }
        }
      }
      for _ in 0..<3 {
        group.addTask {
          while !done.isSet {
            try environment.read { transaction in
              guard let last = try transaction.lastIntegerKey(table) else { return }
              #expect(try transaction.count(table) == Int(last) + 1)
              let bytes = try transaction.copy(table, last / 2)
              #expect(bytes == [UInt8](repeating: UInt8((last / 2) & 255), count: 5000))
            }
            await Task.yield()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try environment.read { try $0.count(table) } == 400)
  }

  @Test func `64 tasks that write at once lose nothing`() async throws {
    let environment = try Environment.open(
      directory: scratch("store"), create: true, options: smallMap())
    let table = try environment.table(named: "t", .integerKeys)
    let writer = try WriterThread(environment: environment)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task: UInt64 in 0..<64 {
        group.addTask {
          for item: UInt64 in 0..<10 {
            let key = task * 10 + item
            if task % 2 == 0 {
              try await writer.run { try environment.write { try $0.put(table, key, [1]) } }
            } else {
              try environment.write { try $0.put(table, key, [1]) }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try environment.read { try $0.count(table) } == 640)
  }

  @Test func `too many readers are a typed error, and ended ones make room`() throws {
    var options = Environment.Options()
    options.readersMax = 4
    let environment = try Environment.open(
      directory: scratch("store"), create: true, options: options)
    func nest(_ depth: Int) throws {
      if depth > 0 { try environment.read { _ in try nest(depth - 1) } }
    }
    try nest(4)
    #expect(code { try nest(5) } == .readersFull)
    try nest(4)
    #expect(try environment.info.readersInUse == 0)
  }

  @Test func `info names the oldest state that is being read`() throws {
    let environment = try Environment.open(directory: scratch("store"), create: true)
    let table = try environment.table(named: "t", .integerKeys)
    #expect(try environment.info.oldestReaderTransactionID == nil)
    try environment.read { transaction in
      let id = transaction.id
      for key: UInt64 in 0..<5 { try environment.write { try $0.put(table, key, [1]) } }
      let info = try environment.info
      #expect(info.oldestReaderTransactionID == id)
      #expect(info.lastTransactionID == id + 5)
      #expect(info.readersInUse == 1)
      let readers = try environment.readers()
      #expect(readers.contains { $0.processID == getpid() && $0.transactionID == id })
    }
    #expect(try environment.tableStatistics(table).entryCount == 5)
    #expect(try environment.tableStatistics(table).depth == 1)
  }
}
