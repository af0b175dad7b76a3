import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyDryRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dry-run",
    abstract:
      "Replay a store's history under a candidate schema and list the verdicts that change.",
    discussion: """
      Every transaction is judged as an authority with the candidate would judge it, in the log's \
      order; what it refuses has no effect on what comes after. Nothing is written. On a device it \
      also says which pending work the candidate would lose.
      """)

  @OptionGroup var store: StoreArgument

  @Option(help: "The candidate: a GraphQL schema file.")
  var schema: String

  @Flag(help: "Exit with status 1 where a verdict changes, or the store could not take the schema.")
  var strict = false

  @OptionGroup var common: CommonOptions

  func run() throws {
    let source = try SchemaFile.source(schema)
    let store = try store.open()
    var table = TextTable(["event", "kind", "record", "by", "was", "would be", "rule"])
    let run = try store.dryRun(schema: source) { change in
      if common.json {
        try Output.line(json(change))
      } else {
        table.add([
          change.dot.description, change.kind.name, "\(change.model)/\(change.id)",
          change.principal.name, change.was.rawValue,
          change.reason.map { "rejected: \($0.code)" } ?? "accepted", change.rule ?? "",
        ])
        if table.rowCount >= 500 { try table.showPart() }
      }
      return true
    }
    if common.json {
      try Output.line(json(run))
    } else {
      try table.showPart()
      show(run)
    }
    let isRefused = run.schemaChanges.contains(where: \.isRefused)
    if strict, run.count.total > 0 || isRefused { throw ExitCode(ExitStatus.no.rawValue) }
  }

  private func show(_ run: DryRun) {
    for change in run.schemaChanges {
      Output.text((change.isRefused ? Text.red("cannot be taken  ") : "") + change.text)
    }
    let count = run.count
    Output.text(
      "policy \(run.candidate): of \(run.eventCount) events \(count.refused) would be refused that were not, \(count.allowed) accepted that were not"
    )
    if run.unknownCount > 0 {
      Output.text(
        "\(run.unknownCount) events are not kept here, or not wholly, and were not judged")
    }
    if count.lost > 0 {
      Output.text(Text.red("\(count.lost) pending events on this device would be lost"))
    }
    guard count.total > 0 else { return }
    show("by rule", run.byRule)
    show("by user", run.byUser)
    show(
      "by device",
      Dictionary(uniqueKeysWithValues: run.byDevice.map { ($0.key.description, $0.value) }))
  }

  private func show(_ title: String, _ counts: [String: DryRun.Count]) {
    Output.text(Text.bold(title))
    for (key, count) in sorted(counts) {
      let lost = count.lost > 0 ? ", \(count.lost) lost here" : ""
      Output.text(
        "  \(Text.visible(key.isEmpty ? "anonymous" : key)): \(count.refused) refused, \(count.allowed) accepted\(lost)"
      )
    }
  }

  /// The most first, then by name.
  private func sorted(_ counts: [String: DryRun.Count]) -> [(String, DryRun.Count)] {
    counts.sorted {
      $0.value.total == $1.value.total
        ? $0.key.precedesInBytes($1.key) : $0.value.total > $1.value.total
    }
  }

  private func json(_ change: VerdictChange) -> [UInt8] {
    var builder = JSONLine()
    builder.beginObject()
    builder.append("dot", change.dot.description)
    builder.append("tx", change.transactionDot.description)
    builder.append("kind", change.kind.name)
    builder.append("model", change.model)
    builder.append("id", change.id.string)
    change.principal.appendJSON("actor", to: &builder)
    builder.append("was", change.was.rawValue)
    builder.append("wasReason", ifGiven: change.wasReason?.code)
    builder.append("wasRule", ifGiven: change.wasReason?.rule)
    builder.append("now", change.now.rawValue)
    builder.append("reason", ifGiven: change.reason?.code)
    builder.append("rule", ifGiven: change.rule)
    builder.append("message", ifGiven: change.reason?.message)
    builder.append("lost", change.losesPendingWork)
    builder.endObject()
    return builder.bytes
  }

  private func json(_ run: DryRun) -> [UInt8] {
    func members(_ counts: [String: DryRun.Count]) -> Value {
      .object(
        sorted(counts).map {
          .init(
            $0.0,
            .object([
              .init("refused", .int(Int64($0.1.refused))),
              .init("accepted", .int(Int64($0.1.allowed))), .init("lost", .int(Int64($0.1.lost))),
            ]))
        })
    }
    var builder = JSONLine()
    builder.beginObject()
    builder.append("policy", run.candidate.description)
    builder.append("events", run.eventCount)
    builder.append("unknown", run.unknownCount)
    builder.append("refused", run.count.refused)
    builder.append("accepted", run.count.allowed)
    builder.append("lost", run.count.lost)
    builder.append("byRule", members(run.byRule))
    builder.append("byUser", members(run.byUser))
    builder.append(
      "byDevice",
      members(Dictionary(uniqueKeysWithValues: run.byDevice.map { ($0.key.description, $0.value) }))
    )
    builder.append("schemaChanges", Value.list(run.schemaChanges.map(\.json)))
    builder.endObject()
    return builder.bytes
  }
}
