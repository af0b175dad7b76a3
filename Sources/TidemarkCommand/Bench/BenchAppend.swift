import TidemarkEvents
import TidemarkLMDB

/// The limit: LMDB that only appends as many bytes, with the same batches.
struct BenchAppend {
  private let environment: Environment
  private let table: Table
  private let workload: BenchWorkload

  init(_ directory: String, isSynchronized: Bool, _ workload: BenchWorkload) throws {
    var options = Environment.Options()
    options.unsafelyUnsynchronized = !isSynchronized
    environment = try Environment.open(directory: directory, create: true, options: options)
    table = try environment.table(named: "log", .integerKeys)
    self.workload = workload
  }

  func write(_ steps: Range<Int>, batch: Int) throws {
    let bytes = [UInt8](repeating: 7, count: 308)
    var index = steps.lowerBound
    while index < steps.upperBound {
      let end = min(index + batch, steps.upperBound)
      let part = index..<end
      try environment.write { transaction in
        for step in part {
          let byteCount =
            switch workload.steps[step] {
            case .create: 308
            case .update: 48
            case .delete: 40
            }
          try transaction.append(
            table, UInt64(step), bytes.rawBytes.extracting(0..<byteCount))
        }
      }
      index = end
    }
  }
}
