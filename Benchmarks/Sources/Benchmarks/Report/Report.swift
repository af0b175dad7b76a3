import Foundation

/// All that a run found.
struct Report {
  let machine: Machine
  let options: Options
  let measurements: [Measurement]
  let remarks: [String]
  let seconds: Double

  /// By row and peer, in the order of the table.
  var summaries: [Summary] {
    Row.allCases.flatMap { row in
      let all = measurements.filter { $0.row == row }
      return PeerName.allCases.compactMap { peer in
        let own = all.filter { $0.peer == peer }
        return own.isEmpty ? nil : Summary(peer, row, own, beside: all)
      }
    }
  }

  var text: String {
    let summaries = summaries
    var parts = Row.allCases.compactMap { row in
      ReportTables.table(row, summaries.filter { $0.row == row })
    }
    if let sizes = ReportTables.sizes(
      summaries.filter { $0.row == .batchRelaxed }, valueBytes: valueBytes)
    {
      parts.append(sizes)
    }
    if let goals = Goals.text(measurements, valueBytes: valueBytes) { parts.append(goals) }
    parts.append(ReportTables.notes(Set(summaries.map(\.peer)), remarks))
    parts.append("Took \(Int(seconds)) s.")
    return parts.joined(separator: "\n\n")
  }

  /// Of the batched workload, and how many operations it has.
  private var valueBytes: ValueBytes {
    let workload = Workload(operationCount: options.scale.batched)
    return ValueBytes(bytes: workload.valueBytes, operationCount: workload.operations.count)
  }

  func json() throws -> Data {
    struct Document: Encodable {
      let machine: Machine
      let seed: UInt64
      let isQuick: Bool
      let rounds: Int
      let valueBytesPerEvent: Double
      let summaries: [Summary]
      let goals: [Goal]
      let measurements: [Measurement]
      let remarks: [String]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let summaries = summaries
    return try encoder.encode(
      Document(
        machine: machine, seed: Workload.seed, isQuick: options.isQuick, rounds: options.rounds,
        valueBytesPerEvent: valueBytes.perOperation, summaries: summaries,
        goals: Goals.all(measurements, valueBytes: valueBytes), measurements: measurements,
        remarks: remarks))
  }
}

/// The bytes of the values that an application hands over.
struct ValueBytes {
  let bytes: Int
  let operationCount: Int

  var perOperation: Double { Double(bytes) / Double(max(1, operationCount)) }
}
