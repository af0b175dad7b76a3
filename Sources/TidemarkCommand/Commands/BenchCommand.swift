import ArgumentParser
import Tidemark
import TidemarkJSON

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how fast this machine takes offline writes.",
    discussion: """
      Writes posts of about 300 bytes, ten creates to five updates to one delete, every one checked \
      against the rules, and beside each row LMDB that only appends as many bytes. Takes less than a \
      minute. `make bench` in the sources compares with other stores.
      """)

  @Option(help: "Where to write; a new temporary directory where left out.")
  var directory: String?

  @Option(help: "How many posts the batches write.")
  var posts = 100_000

  @Option(help: "Only the rows whose names hold this text.")
  var only = ""

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (1000...10_000_000).contains(posts) else {
      throw ValidationError("--posts takes 1000 to 10000000")
    }
  }

  func run() throws {
    let root = try directory ?? TemporaryPath.make()
    try Directories.make(root)
    let workload = BenchWorkload(postCount: posts)
    let all = workload.steps.count
    var report = BenchReport(root, isJSON: common.json)
    try report.begin()
    for (name, batch, durability, count) in [
      ("batches of 1000, relaxed", 1000, Durability.relaxed, all),
      ("batches of 1000, full", 1000, Durability.full, all),
      ("one at a time, relaxed", 1, Durability.relaxed, min(all, 50_000)),
      ("one at a time, full", 1, Durability.full, min(all, 3000)),
    ] where only.isEmpty || name.contains(only) {
      let store = try BenchStore(report.path("store"), durability, workload)
      let seconds = try report.measure { try store.write(0..<count, batch: batch) }
      store.store.close()
      let append = try BenchAppend(
        report.path("append"), isSynchronized: durability == .full, workload)
      let limit = try report.measure { try append.write(0..<count, batch: batch) }
      try report.add(name, count: count, seconds: seconds, limit: limit)
    }
    try report.end()
  }
}
