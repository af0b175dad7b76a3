import Testing

@testable import TidemarkLMDB

/// Tables in memory against LMDB: the same calls give the same answers.
@Suite struct MemoryTests {
  private struct Dice {
    var state: UInt64
    mutating func below(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % count
    }
  }

  private static func byte(_ value: UInt8) -> [UInt8] { [value] }

  private static func bytes(_ dice: inout Dice, _ countMax: Int) -> [UInt8] {
    (0..<1 + dice.below(countMax)).map { _ in UInt8(dice.below(3)) }
  }

  @Test(arguments: [UInt64](1...30))
  func `random changes leave what LMDB has`(seed: UInt64) throws {
    let scratch = try Scratch()
    let real = try Environment.open(directory: scratch.path, create: true)
    let memory = Environment.open(MemoryDisk(), directory: "memory")
    var dice = Dice(state: seed)
    let names: [(String, Table.Kind)] = [("bytes", .bytesKeys), ("numbers", .integerKeys)]
    let tables = try [real, memory].map { environment in
      try names.map { try environment.table(named: $0.0, $0.1) }
    }
    for _ in 0..<12 {
      let fails = dice.below(5) == 0
      let start = dice
      for (environment, tables) in zip([real, memory], tables) {
        dice = start
        do {
          try environment.write { tx in
            for _ in 0..<40 { try Self.change(&tx, tables, &dice) }
            if fails { throw Stop() }
          }
        } catch is Stop {}
      }
      let contents = try zip([real, memory], tables).map { environment, tables in
        try environment.read { tx in try Self.contents(tx, tables) }
      }
      #expect(contents[0] == contents[1], "seed \(seed)")
    }
  }

  private struct Stop: Error {}

  private static func change(
    _ tx: inout WriteTransaction, _ tables: [Table], _ dice: inout Dice
  ) throws {
    let key = bytes(&dice, 10)
    let value = bytes(&dice, 200)
    let number = UInt64(dice.below(200))
    switch dice.below(8) {
    case 0...2: try tx.put(tables[0], unsafe key.span.bytes, unsafe value.span.bytes)
    case 3, 4: try tx.put(tables[1], number, unsafe value.span.bytes)
    case 5: _ = try tx.delete(tables[0], unsafe key.span.bytes)
    case 6: _ = try tx.delete(tables[1], number)
    default:
      if dice.below(10) == 0 {
        try tx.clear(tables[dice.below(2)])
      } else {
        try tx.deleteRange(tables[0], prefix: unsafe Array(key.prefix(3)).span.bytes)
      }
    }
  }

  /// Everything, forwards, backwards and by looking it up.
  private static func contents(
    _ tx: borrowing ReadTransaction, _ tables: [Table]
  ) throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    try tx.forEach(tables[0]) { key, value in
      found.append([UInt8](key))
      found.append([UInt8](value))
      return true
    }
    try tx.withCursor(tables[1]) { cursor -> Void in
      var isThere = try cursor.last()
      while isThere {
        found.append([UInt8(truncatingIfNeeded: try cursor.integerKey)])
        found.append([UInt8](cursor.value))
        isThere = try cursor.previous()
      }
    }
    for number in stride(from: UInt64(0), to: 220, by: 7) {
      found.append([try tx.get(tables[1], number) == nil ? 0 : 1])
      try tx.withCursor(tables[1]) { cursor -> Void in
        let isThere = try cursor.seek(number)
        found.append([isThere ? UInt8(truncatingIfNeeded: try cursor.integerKey) : 255])
      }
    }
    found.append([UInt8(truncatingIfNeeded: try tx.count(tables[0]))])
    return found
  }

  @Test func `a snapshot stays what it was`() throws {
    let environment = Environment.open(MemoryDisk(), directory: "memory")
    let table = try environment.table(named: "numbers", .integerKeys)
    try environment.write { tx in
      for number in UInt64(0)..<300 { try tx.append(table, number, unsafe Self.byte(1).span.bytes) }
    }
    let before = try environment.snapshot()
    try environment.write { tx in
      for number in UInt64(0)..<300 where number % 2 == 0 { _ = try tx.delete(table, number) }
      try tx.put(table, 1, unsafe Self.byte(2).span.bytes)
    }
    #expect(try before.count(table) == 300)
    #expect(try before.copy(table, 1) == [1])
    #expect(try environment.read { try $0.count(table) } == 150)
  }

  @Test func `a process that died changes nothing, and the next one finds what was committed`()
    throws
  {
    let disk = MemoryDisk()
    let first = Environment.open(disk, directory: "memory")
    let table = try first.table(named: "numbers", .integerKeys)
    try first.write { try $0.put(table, 1, unsafe Self.byte(1).span.bytes) }
    disk.faults = { $0 == .commit ? .crashAfter : nil }
    #expect(throws: LMDBError.self) {
      try first.write { try $0.put(table, 2, unsafe Self.byte(2).span.bytes) }
    }
    disk.faults = nil
    #expect(throws: LMDBError.self) {
      try first.write { try $0.put(table, 3, unsafe Self.byte(3).span.bytes) }
    }
    let second = Environment.open(disk, directory: "memory")
    let reopened = try second.table(named: "numbers", .integerKeys)
    #expect(try second.read { try $0.count(reopened) } == 2)
  }

  @Test func `a power cut keeps any of the sectors that were not synced, and all that were`() throws
  {
    let disk = MemoryDisk()
    let file = disk.files[0]
    let synced = [UInt8](repeating: 1, count: 1024)
    try file.write(unsafe synced.span.bytes, at: 0, 1)
    try file.synchronize(1)
    let late = [UInt8](repeating: 2, count: 1024)
    try file.write(unsafe late.span.bytes, at: 0, 1)
    var keeps = [false, true].makeIterator()
    disk.cutPower { keeps.next() ?? true }
    #expect(file.read(1, at: 0) == [1])
    #expect(file.read(1, at: 512) == [2])
  }
}
