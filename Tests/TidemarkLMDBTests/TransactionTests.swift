import Testing
import TidemarkLMDB

@Suite struct `Transactions` {
  let scratch: Scratch
  let environment: Environment

  init() throws {
    scratch = try Scratch()
    environment = try Environment.open(directory: scratch("store"), create: true)
  }

  @Test func `what a body wrote is there for the next transaction`() throws {
    let table = try environment.table(named: "t", .bytesKeys)
    try environment.write { transaction in
      try transaction.put(table, [1], [10, 11])
      #expect(try transaction.copy(table, [1]) == [10, 11])
    }
    #expect(try environment.read { try $0.copy(table, [1]) } == [10, 11])
    #expect(try environment.read { try $0.copy(table, [2]) } == nil)
  }

  @Test func `a body that throws leaves nothing behind`() throws {
    struct Stop: Error {}
    let table = try environment.table(named: "t", .bytesKeys)
    #expect(throws: Stop.self) {
      try environment.write { transaction in
        try transaction.put(table, [1], [1])
        throw Stop()
      }
    }
    #expect(try environment.read { try $0.count(table) } == 0)
  }

  @Test func `a read keeps its state while others write`() throws {
    let table = try environment.table(named: "t", .integerKeys)
    try environment.write { try $0.put(table, 1, [1]) }
    try environment.read { transaction in
      try environment.write { try $0.put(table, 1, [2]) }
      #expect(try transaction.copy(table, 1) == [1])
    }
    #expect(try environment.read { try $0.copy(table, 1) } == [2])
  }

  @Test(arguments: seeds)
  func `bytes keys behave as a dictionary`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let table = try environment.table(named: "t", .bytesKeys)
    var model: [[UInt8]: [UInt8]] = [:]
    for _ in 0..<40 {
      var next = model
      let isKept = Bool.random(using: &random)
      struct Abort: Error {}
      do {
        try environment.write { transaction in
          for _ in 0..<Int.random(in: 0...60, using: &random) {
            let key =
              random.bytes(Int.random(in: 1...3, using: &random))
              .map { $0 & 3 }
              + (Int.random(in: 0...9, using: &random) == 0
                ? [UInt8](repeating: 7, count: 508) : [])
            switch Int.random(in: 0...9, using: &random) {
            case 0...5:
              let value = random.bytes(Int.random(in: 0...6000, using: &random))
              try transaction.put(table, key, value)
              next[key] = value
            case 6:
              try transaction.reserve(table, unsafe key.span.bytes, byteCount: 9) { output in
                output.append(1 as UInt8)
              }
              next[key] = [1, 0, 0, 0, 0, 0, 0, 0, 0]
            default:
              #expect(try transaction.delete(table, key) == (next.removeValue(forKey: key) != nil))
            }
          }
          if Int.random(in: 0...19, using: &random) == 0 {
            try transaction.clear(table)
            next = [:]
          }
          if !isKept { throw Abort() }
        }
        model = next
      } catch is Abort {}
      try check(table, against: model)
    }
  }

  private func check(_ table: Table, against model: [[UInt8]: [UInt8]]) throws {
    let sorted = model.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    try environment.read { transaction in
      var found: [([UInt8], [UInt8])] = []
      try transaction.forEach(table) { key, value in
        found.append(([UInt8](key), [UInt8](value)))
        return true
      }
      #expect(found.map(\.0) == sorted.map(\.key))
      #expect(found.map(\.1) == sorted.map(\.value))
      #expect(try transaction.count(table) == model.count)
      let first = [UInt8](try transaction.firstKey(table))
      let last = [UInt8](try transaction.lastKey(table))
      #expect(first == sorted.first?.key)
      #expect(last == sorted.last?.key)
    }
  }

  @Test(arguments: seeds)
  func `integer keys keep the order of numbers`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let table = try environment.table(named: "n", .integerKeys)
    var model: [UInt64: [UInt8]] = [0: [0], UInt64.max: [1], 255: [2], 256: [3]]
    for _ in 0..<200 {
      let key =
        UInt64.random(in: 0...UInt64.max, using: &random)
        >> UInt64.random(
          in: 0...63, using: &random)
      model[key] = random.bytes(3)
    }
    try environment.write { transaction in
      for (key, value) in model { try transaction.put(table, key, value) }
    }
    try environment.read { transaction in
      var keys: [UInt64] = []
      try transaction.forEach(table, from: 0) { key, value in
        keys.append(key)
        #expect([UInt8](value) == model[key])
        return true
      }
      #expect(keys == model.keys.sorted())
      #expect(try transaction.firstIntegerKey(table) == 0)
      #expect(try transaction.lastIntegerKey(table) == UInt64.max)
      let start = keys[keys.count / 2]
      var first: UInt64?
      try transaction.forEach(table, from: start) { key, _ in
        first = key
        return false
      }
      #expect(first == start)
    }
  }

  @Test func `an append that is not past the last number is refused and harms nothing`() throws {
    let table = try environment.table(named: "log", .integerKeys)
    try environment.write { transaction in
      try transaction.append(table, 5, [5])
      for key: UInt64 in [4, 5] {
        do throws(LMDBError) {
          try transaction.append(table, key, [0])
          Issue.record("appended \(key)")
        } catch {
          #expect(error.code == .keyExists)
        }
      }
      try transaction.reserveAppend(table, 6, byteCount: 2) { output in
        output.append(8 as UInt8)
        output.append(9 as UInt8)
      }
    }
    #expect(try environment.read { try $0.copy(table, 5) } == [5])
    #expect(try environment.read { try $0.copy(table, 6) } == [8, 9])
  }

  @Test(arguments: [0, 1, 511, 512, 10_000])
  func `keys have 1 to 511 bytes`(byteCount: Int) throws {
    let table = try environment.table(named: "t", .bytesKeys)
    let key = [UInt8](repeating: 7, count: byteCount)
    let expected: LMDBError.Code? = (1...511).contains(byteCount) ? nil : .keySize
    try environment.write { transaction in
      do throws(LMDBError) {
        try transaction.put(table, key, [1])
        #expect(expected == nil)
      } catch {
        #expect(error.code == expected)
      }
      try transaction.put(table, [1], [2])  // The refusal has left the transaction alone.
    }
    #expect(code { _ = try environment.read { try $0.copy(table, key) } } == expected)
    #expect(try environment.read { try $0.copy(table, [1]) } == [2])
  }

  @Test func `a table of another kind or environment is refused`() throws {
    let bytes = try environment.table(named: "b", .bytesKeys)
    let numbers = try environment.table(named: "n", .integerKeys)
    let other = try Environment.open(directory: scratch("other"), create: true)
    let foreign = try other.table(named: "b", .bytesKeys)
    #expect(code { _ = try environment.read { try $0.copy(numbers, [1]) } } == .invalid)
    #expect(code { _ = try environment.read { try $0.copy(bytes, 1) } } == .invalid)
    #expect(code { _ = try environment.read { try $0.copy(foreign, [1]) } } == .invalid)
    #expect(code { _ = try environment.table(named: "b", .integerKeys) } == .invalid)
  }

  @Test func `the kind of a table is kept in the store`() throws {
    let path = scratch("kinds")
    _ = try Environment.open(directory: path, create: true).table(named: "n", .integerKeys)
    let again = try Environment.open(directory: path, create: false)
    #expect(code { _ = try again.table(named: "n", .bytesKeys) } == .invalid)
    #expect(try again.table(named: "n", .integerKeys).kind == .integerKeys)
  }

  @Test func `a reserved value whose closure throws cannot be committed`() throws {
    struct Stop: Error {}
    let table = try environment.table(named: "t", .integerKeys)
    let error = code {
      try environment.write { transaction in
        try? transaction.reserve(table, 1, byteCount: 4) { _ in throw Stop() }
      }
    }
    #expect(error == .invalid)
    #expect(try environment.read { try $0.count(table) } == 0)
  }

  @Test func `a write inside a write is a typed error, and the outer one goes on`() throws {
    let table = try environment.table(named: "t", .integerKeys)
    let scratch = scratch
    try environment.write { transaction in
      try transaction.put(table, 1, [1])
      #expect(code { try environment.write { try $0.put(table, 2, [2]) } } == .reentrant)
      #expect(code { _ = try environment.table(named: "new", .bytesKeys) } == .reentrant)
      #expect(code { try environment.copy(to: scratch("copy"), compact: false) } == .reentrant)
      #expect(try environment.read { try $0.count(table) } == 0)
    }
    #expect(try environment.read { try $0.count(table) } == 1)
  }

  @Test func `one function reads through either transaction`() throws {
    func sum(_ transaction: borrowing some Reading & ~Copyable & ~Escapable, _ table: Table) throws
      -> Int
    {
      var sum = 0
      try transaction.forEach(table, from: 0) { _, value in
        sum += value.byteCount
        return true
      }
      return sum
    }
    let table = try environment.table(named: "t", .integerKeys)
    let inside = try environment.write { transaction in
      try transaction.put(table, 1, [1, 2])
      try transaction.put(table, 2, [3])
      return try sum(transaction, table)
    }
    #expect(inside == 3)
    #expect(try environment.read { try sum($0, table) } == 3)
  }

  @Test func `more tables than the options allow is a typed error`() throws {
    var options = Environment.Options()
    options.tablesMax = 2
    let few = try Environment.open(directory: scratch("few"), create: true, options: options)
    _ = try few.table(named: "1", .bytesKeys)
    _ = try few.table(named: "2", .bytesKeys)
    #expect(code { _ = try few.table(named: "3", .bytesKeys) } == .tablesFull)
    #expect(try few.table(named: "2", .bytesKeys).name == "2")
  }
}

@Suite struct `Cursors` {
  let scratch: Scratch
  let environment: Environment
  let table: Table

  init() throws {
    scratch = try Scratch()
    environment = try Environment.open(directory: scratch("store"), create: true)
    table = try environment.table(named: "t", .bytesKeys)
    let table = table
    try environment.write { transaction in
      for key: UInt8 in [2, 4, 6] { try transaction.put(table, [key], [key, key]) }
    }
  }

  @Test func `a cursor goes both ways and ends`() throws {
    try environment.read { transaction in
      try transaction.withCursor(table) { cursor in
        var keys: [UInt8] = []
        while try cursor.next() { keys.append(contentsOf: [UInt8](cursor.key)) }
        #expect(keys == [2, 4, 6])
        #expect(cursor.key.byteCount == 0)
        #expect(try cursor.last())
        #expect([UInt8](cursor.value) == [6, 6])
        #expect(try cursor.previous())
        #expect([UInt8](cursor.key) == [4])
        #expect(try cursor.first())
        #expect(try !cursor.previous())
      }
    }
  }

  @Test(arguments: [(0, 2), (2, 2), (3, 4), (6, 6), (7, nil)] as [(UInt8, UInt8?)])
  func `a seek finds the first entry at or after a key`(sought: UInt8, found: UInt8?) throws {
    try environment.read { transaction in
      try transaction.withCursor(table) { cursor in
        let key = [sought]
        let isFound = try cursor.seek(unsafe key.span.bytes)
        #expect(isFound == (found != nil))
        #expect([UInt8](cursor.key) == (found.map { [$0] } ?? []))
        let isExact = try cursor.seek(exact: unsafe key.span.bytes)
        #expect(isExact == (sought == found))
        #expect([UInt8](cursor.value) == (sought == found ? [sought, sought] : []))
      }
    }
  }

  @Test func `a cursor of a write transaction sees its changes`() throws {
    try environment.write { transaction in
      try transaction.put(table, [5], [])
      let keys = try transaction.withCursor(table) { cursor in
        var keys: [UInt8] = []
        while try cursor.next() { keys.append(contentsOf: [UInt8](cursor.key)) }
        return keys
      }
      #expect(keys == [2, 4, 5, 6])
    }
  }

  @Test func `an empty key starts at the first entry`() throws {
    try environment.read { transaction in
      try transaction.withCursor(table) { cursor in
        let isThere = try cursor.seek(RawSpan())
        #expect(isThere)
        #expect([UInt8](cursor.key) == [2])
        #expect(code { _ = try cursor.integerKey } == .invalid)
      }
    }
  }
}
