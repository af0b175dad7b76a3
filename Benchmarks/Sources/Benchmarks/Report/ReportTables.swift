/// The tables for people.
enum ReportTables {
  static func table(_ row: Row, _ summaries: [Summary]) -> String? {
    guard !summaries.isEmpty else { return nil }
    if row == .open { return openTable(summaries) }
    let references = row.references
    var table = TextTable(
      ["", row.unit] + references.map { "to \($0.rawValue)" } + [
        "CPU µs", "p50 µs", "p99 µs", "flushes", "then close ms",
      ])
    for summary in summaries {
      var cells = [summary.peer.rawValue, NumberText.rate(summary.rate)]
      for reference in references {
        cells.append(
          summary.peer == reference ? "1" : NumberText.ratio(summary.ratios[reference.rawValue]))
      }
      cells.append(NumberText.decimal(summary.processorMicroseconds, 2))
      cells.append(NumberText.microseconds(summary.p50Microseconds))
      cells.append(NumberText.microseconds(summary.p99Microseconds))
      cells.append(flushes(summary))
      cells.append(summary.closeSeconds.map { NumberText.decimal($0 * 1000, 1) } ?? "")
      table.append(cells)
    }
    let counts = Set(summaries.map(\.operationCount)).sorted().map(NumberText.grouped)
    return "\(row.title)  (\(row.rawValue), \(counts.joined(separator: " or ")))\n"
      + table.text
  }

  /// For each operation where each commit is one, for a thousand where they are in batches.
  private static func flushes(_ summary: Summary) -> String {
    guard let flushes = summary.flushesPerOperation, flushes > 0 else { return "" }
    switch summary.row {
    case .singleFull, .writersFull: return NumberText.decimal(flushes, 2) + " each"
    case .batchFull: return NumberText.decimal(flushes * 1000, 2) + " a batch"
    default: return ""
    }
  }

  private static func openTable(_ summaries: [Summary]) -> String {
    var table = TextTable(["", "ms", "CPU ms", "memory MiB", "directory MiB"])
    for summary in summaries {
      table.append([
        summary.peer.rawValue, NumberText.decimal(1000 / summary.rate, 2),
        NumberText.decimal(summary.processorMicroseconds / 1000, 2),
        NumberText.megabytes(summary.peakMemoryBytes),
        NumberText.megabytes(summary.directoryBytes),
      ])
    }
    return "\(Row.open.title)  (open, \(BenchmarkRun.openCount) times)\n" + table.text
  }

  /// What the batched workload left on disk, and the memory that it took.
  static func sizes(_ summaries: [Summary], valueBytes: ValueBytes) -> String? {
    guard !summaries.isEmpty else { return nil }
    var table = TextTable([
      "", "log B/event", "to the values", "directory B/event", "peak memory MiB",
    ])
    for summary in summaries {
      let count = Double(max(1, summary.operationCount))
      let log = summary.logBytes.map { Double($0) / count }
      table.append([
        summary.peer.rawValue, log.map { NumberText.decimal($0, 1) } ?? "",
        NumberText.ratio(log.map { $0 / valueBytes.perOperation }),
        summary.directoryBytes.map { NumberText.decimal(Double($0) / count, 1) } ?? "",
        NumberText.megabytes(summary.peakMemoryBytes),
      ])
    }
    let values = NumberText.decimal(valueBytes.perOperation, 1)
    return "On disk and in memory after batch.relaxed; the values are \(values) bytes an event\n"
      + table.text
  }

  static func notes(_ peers: Set<PeerName>, _ remarks: [String]) -> String {
    let explanation = """
      Medians of the rounds; a ratio is taken within each round. CPU is user and system time of \
      all threads for each operation. Flushes are the whole device's. "Then close" is what \
      trailed behind.
      """
    var lines = [TextTable.wrapped(explanation, columns: 100), ""]
    for peer in PeerName.allCases where peers.contains(peer) {
      let note = "\(peer.rawValue): \(peer.note)"
      lines.append(TextTable.wrapped(note, columns: 100, indent: "  "))
    }
    return (lines + remarks).joined(separator: "\n")
  }
}
