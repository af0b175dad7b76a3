import Tidemark
import TidemarkJSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The rows of a benchmark, for people or for programs.
struct BenchReport {
  private let root: String
  private let isJSON: Bool
  private var table = TextTable(["row", "operations a second", "µs each", "of the append's time"])
  private var paths: [String] = []

  init(_ root: String, isJSON: Bool) {
    self.root = root
    self.isJSON = isJSON
  }

  func begin() throws {
    guard !isJSON else { return }
    Output.text("\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors; stores in \(root)")
    Output.text("")
    try Output.flush()
  }

  /// A new directory for a store.
  mutating func path(_ name: String) -> String {
    let path = "\(root)/\(name)-\(paths.count)"
    paths.append(path)
    return path
  }

  /// The seconds that a body takes.
  func measure(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let time = try clock.measure(body)
    return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
  }

  mutating func add(_ name: String, count: Int, seconds: Double, limit: Double) throws {
    let rate = Double(count) / seconds
    if isJSON {
      var line = JSONLine()
      line.beginObject()
      line.append("row", name)
      line.append("operations", UInt64(count))
      line.append("seconds", Value.double(seconds))
      line.append("appendSeconds", Value.double(limit))
      line.append("ratio", Value.double(seconds / limit))
      line.endObject()
      try Output.line(line.bytes)
    } else {
      table.add([
        name, String(Int(rate)), Self.rounded(seconds / Double(count) * 1e6),
        Self.rounded(seconds / limit),
      ])
    }
    try Output.flush()
  }

  mutating func end() throws {
    if !isJSON {
      try table.show()
      Output.text("")
      Output.text(
        "The append is LMDB that writes as many bytes and nothing else; the same batches and syncs."
      )
    }
    for path in paths {
      for file in ["data.mdb", "lock.mdb", "journal-0", "journal-1"] {
        unsafe unlink("\(path)/\(file)")
      }
      unsafe rmdir(path)
    }
  }

  private static func rounded(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}
