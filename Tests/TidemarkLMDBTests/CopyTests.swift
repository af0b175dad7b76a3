import Foundation
import Testing
import TidemarkLMDB

@Suite struct `Copies` {
  let scratch: Scratch
  let environment: Environment
  let table: Table

  init() throws {
    scratch = try Scratch()
    environment = try Environment.open(
      directory: scratch("store"), create: true, options: smallMap(1 << 24))
    table = try environment.table(named: "log", .integerKeys)
  }

  @Test(arguments: [false, true])
  func `a copy made while others write opens and is a prefix`(compact: Bool) async throws {
    let done = Flag()
    let environment = environment
    let table = table
    try environment.write { try $0.append(table, 0, [UInt8](repeating: 0, count: 900)) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var key: UInt64 = 1
        while !done.isSet {
          try environment.write { transaction in
            for _ in 0..<3 {
              try transaction.append(table, key, [UInt8](repeating: UInt8(key & 255), count: 900))
              key += 1
            }
          }
        }
      }
      defer { done.set() }
      for round in 0..<8 {
        let target = scratch("copy-\(round)")
        try environment.copy(to: target, compact: compact)
        let copy = try Environment.open(directory: target, create: false)
        let copied = try copy.table(named: "log", .integerKeys)
        try copy.read { transaction in
          let count = try transaction.count(copied)
          #expect(count % 3 == 1)
          #expect(try transaction.lastIntegerKey(copied) == UInt64(count - 1))
          try transaction.forEach(copied, from: 0) { key, value in
            #expect([UInt8](value) == [UInt8](repeating: UInt8(key & 255), count: 900))
            return true
          }
        }
        #expect(
          try FileManager.default.contentsOfDirectory(atPath: target).sorted()
            == ["data.mdb", "lock.mdb"])
      }
      done.set()
      try await group.waitForAll()
    }
  }

  @Test func `a copy never replaces a store`() throws {
    let target = scratch("target")
    try environment.copy(to: target, compact: false)
    let before = try Data(contentsOf: URL(fileURLWithPath: target + "/data.mdb"))
    try environment.write { try $0.append(table, 1, [1]) }
    #expect(code { try environment.copy(to: target, compact: false) } == .alreadyExists)
    #expect(code { try environment.copy(to: scratch("store"), compact: false) } == .alreadyExists)
    #expect(code { try environment.copy(to: scratch("a/b"), compact: false) } == .notFound)
    #expect(try Data(contentsOf: URL(fileURLWithPath: target + "/data.mdb")) == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: target) == ["data.mdb"])
  }

  @Test func `a compact copy leaves free pages out`() throws {
    for key: UInt64 in 0..<200 {
      try environment.write { try $0.append(table, key, [UInt8](repeating: 1, count: 4000)) }
    }
    try environment.write { try $0.clear(table) }
    try environment.copy(to: scratch("compact"), compact: true)
    let copy = try Environment.open(directory: scratch("compact"), create: false)
    #expect(try copy.info.usedByteCount < environment.info.usedByteCount / 4)
  }
}
