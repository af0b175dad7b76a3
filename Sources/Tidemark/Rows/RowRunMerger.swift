internal import TidemarkEvents
internal import TidemarkLMDB

/// Merges runs of like size into one, a bounded part at a time, so that no transaction is long.
///
/// What a merge has written before it ends is no run yet: where the process dies, it is removed by
/// the next merge.
final class RowRunMerger {
  private var inputs: [RowRun] = []
  private var merge: RowMerge?
  private var writer: RowRunWriter?
  private var isClean = false

  /// Does a part of what there is to do, if anything is.
  /// - Returns: whether there is more.
  func step(_ environment: Environment, _ tables: Tables) throws -> Bool {
    let runs = try environment.read { tx in try tables.rowRuns(tx) }
    if merge != nil, !runs.containsInOrder(inputs) { forget() }
    guard merge != nil || RowRunMerger.choice(runs, tables) != nil else { return false }
    do {
      var attempts = 0
      return try environment.write { tx in
        // A body that runs again, because the map had to grow, begins the merge anew.
        attempts += 1
        if attempts > 1 { forget() }
        return try step(tables, &tx)
      }
    } catch {
      forget()
      throw error
    }
  }

  private func forget() {
    merge = nil
    writer = nil
    inputs = []
    isClean = false
  }

  private func step(_ tables: Tables, _ tx: inout WriteTransaction) throws -> Bool {
    let runs = try tables.rowRuns(tx)
    if !isClean {
      try removeLeftovers(runs, tables, &tx)
      isClean = true
    }
    if merge == nil {
      guard let range = RowRunMerger.choice(runs, tables) else { return false }
      inputs = Array(runs[range])
      merge = RowMerge(inputs.map { RowSource(run: $0, tables) })
      writer = RowRunWriter(
        try tables.nextRowRunID(tx), tables, seed: inputs.first?.seed,
        rowCountMax: inputs.reduce(0) { $0 + $1.rowCount })
    }
    for _ in 0..<tables.tuning.mergeStepRowCount {
      guard let source = try merge?.next(tx) else {
        try finish(runs, tables, &tx)
        return RowRunMerger.choice(try tables.rowRuns(tx), tables) != nil
      }
      try source.withCurrent { key, row in try writer?.append(key, row, &tx) }
    }
    try writer?.pause(&tx)
    return true
  }

  private func finish(
    _ runs: [RowRun], _ tables: Tables, _ tx: inout WriteTransaction
  ) throws {
    guard let merged = try writer?.finish(&tx),
      let place = runs.firstIndex(where: { $0 == inputs.first })
    else { return }
    var after = runs
    after.replaceSubrange(place..<place + inputs.count, with: [merged])
    try tables.setRowRuns(after, &tx)
    for input in inputs { try tables.dropRowRun(input.id, &tx) }
    forget()
    isClean = true
  }

  /// Blocks and filters of no run.
  private func removeLeftovers(
    _ runs: [RowRun], _ tables: Tables, _ tx: inout WriteTransaction
  ) throws {
    let known = Set(runs.map(\.id))
    var next: UInt32 = 0
    while let found = try tables.firstRunID(atOrAfter: next, tx) {
      if !known.contains(found) { try tables.dropRowRun(found, &tx) }
      guard found < .max else { break }
      next = found + 1
    }
  }

  /// Neighbours of one tier, as many as are merged at once; the newest that there are.
  private static func choice(_ runs: [RowRun], _ tables: Tables) -> Range<Int>? {
    let least = tables.tuning.treeRowCount
    var start = 0
    while start < runs.count {
      var end = start + 1
      while end < runs.count, runs[end].tier(least: least) == runs[start].tier(least: least) {
        end += 1
      }
      if end - start >= RowRun.mergeWidth { return start..<end }
      start = end
    }
    return nil
  }
}

extension [RowRun] {
  fileprivate func containsInOrder(_ others: [RowRun]) -> Bool {
    guard let first = others.first, let place = firstIndex(of: first) else { return false }
    return self[place...].prefix(others.count).elementsEqual(others)
  }
}

extension Tables {
  fileprivate func firstRunID(
    atOrAfter id: UInt32, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> UInt32? {
    var prefix = ByteWriter(capacity: 64)
    prefix.append(bigEndian: id)
    return try tx.withCursor(rowBlocks) { cursor in
      guard try cursor.seek(prefix.bytes) else { return nil }
      var reader = ByteReader(cursor.key)
      return try reader.bigEndian(UInt32.self)
    }
  }
}
