/// A figure that we mean to reach, and the one that we have.
struct Goal: Codable, Sendable {
  let what: String
  let bound: String
  let measured: String
  let isMet: Bool
}

/// The goals, as ratios within one run.
enum Goals {
  static func text(_ measurements: [Measurement], valueBytes: ValueBytes) -> String? {
    let goals = all(measurements, valueBytes: valueBytes)
    guard !goals.isEmpty else { return nil }
    var table = TextTable(["", "measured", "goal", ""])
    for goal in goals {
      table.append([goal.what, goal.measured, goal.bound, goal.isMet ? "met" : "missed"])
    }
    return "Goals for tidemark\n" + table.text
  }

  static func all(_ measurements: [Measurement], valueBytes: ValueBytes) -> [Goal] {
    let board = Scoreboard(measurements: measurements)
    var goals: [Goal?] = [
      board.time(.batchRelaxed, to: .lmdbAppend, atMost: 2),
      board.speed(.batchRelaxed, to: .lmdbNaive, atLeast: 4),
      board.time(.batchFull, to: .lmdbAppend, atMost: 1.3),
      board.speed(.batchFull, to: .lmdbNaive, atLeast: 8),
      board.time(.singleRelaxed, to: .lmdbAppend, atMost: 1.5),
      board.time(.singleFull, to: .lmdbAppend, atMost: 1.1),
      board.speed(.singleFull, to: .sqlite, atLeast: 1),
      board.speed(.writersFull, besideOwn: .singleFull, atLeast: 20),
      board.speed(.batchRelaxed, to: .grdb, atLeast: 5),
      board.speed(.batchFull, to: .grdb, atLeast: 5),
      board.speed(.singleRelaxed, to: .grdb, atLeast: 1),
      board.speed(.singleFull, to: .grdb, atLeast: 1),
      board.speed(.writersFull, to: .grdb, atLeast: 1),
      board.speed(.get, to: .lmdbNaive, atLeast: 0.5),
      board.replay(),
      board.speed(.merge, besideOwn: .batchFull, atLeast: 0.5),
      board.speed(.mergeConcurrent, besideOwn: .batchFull, atLeast: 0.5),
    ]
    for row in [Row.merge, .mergeConcurrent] { goals.append(board.bestLibrary(row, atLeast: 1.5)) }
    goals.append(board.speed(.largeEnd, besideOwn: .largeStart, atLeast: 0.8))
    goals.append(board.open(milliseconds: 10))
    goals.append(board.logBytes(valueBytes, atMost: 1.25))
    return goals.compactMap { $0 }
  }
}
