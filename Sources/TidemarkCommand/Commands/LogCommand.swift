import ArgumentParser
import Tidemark
import TidemarkJSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log",
    abstract: "Show the log's entries in the order in which this log took them.",
    discussion: """
      An event is marked ' while it is pending and ~ once a tombstone voids it. With --follow, new \
      entries are shown as they come, until the command is interrupted.
      """)

  @OptionGroup var store: StoreArgument

  @Option(help: "Only events of this model.")
  var model: String?

  @Option(help: "Only events of the record with this id.")
  var id: String?

  @Option(help: "Only events of this replica.")
  var replica: ReplicaID?

  @Option(help: "Only what comes after this lsn, or from this time (RFC 3339) on.")
  var since: String?

  @Flag(help: "Go on with new entries as they come.")
  var follow = false

  @Option(name: .customLong("as"), help: PrincipalArgument.readerHelp)
  var principal: PrincipalArgument?

  @OptionGroup var common: CommonOptions

  /// Rows held to align them; a log may be longer than memory.
  private static let rowCountMax = 500

  func run() throws {
    let store = try store.open()
    var query = LogQuery()
    query.model = model
    query.id = id.map { RecordID($0) }
    query.replica = replica
    if let model, try store.schema.model(model) == nil {
      throw CommandError(.usage, "the schema has no model \(model)")
    }
    var from = Stamp.zero
    if let since {
      if let lsn = UInt64(since) {
        query.afterLSN = lsn
      } else if let milliseconds = Timestamp.milliseconds(since) {
        from = Stamp(milliseconds: milliseconds)
      } else {
        throw CommandError(
          .usage, "--since \(since): give an lsn, or a time as 2026-01-02T03:04:05Z")
      }
    }
    if follow { endQuietlyWhenInterrupted() }
    var table = TextTable(LogLine.header)
    repeat {
      // The walk may see more than there was here: what it has shown counts too.
      var end = try store.nextLSN - 1
      try store.forEachLogLine(query, as: principal?.principal) { line in
        end = max(end, line.lsn)
        if line.stamp >= from { try show(line, &table) }
        return true
      }
      try table.showPart()
      query.afterLSN = max(query.afterLSN, end)
      guard follow else { return }
      try Output.flush()
      usleep(200_000)
    } while true
  }

  /// Interrupting it is how following ends; every line that was shown was flushed already.
  private func endQuietlyWhenInterrupted() {
    signal(SIGINT) { _ in _exit(130) }
    signal(SIGTERM) { _ in _exit(143) }
  }

  private func show(_ line: LogLine, _ table: inout TextTable) throws {
    guard common.json else {
      let style: TextTable.Style? =
        switch line.status {
        case .rejected: Text.red
        case .pending: Text.yellow
        case .accepted: nil
        }
      table.add(line.row(), style)
      if table.rowCount >= LogCommand.rowCountMax { try table.showPart() }
      return
    }
    var builder = JSONLine()
    line.appendJSON(to: &builder)
    try Output.line(builder.bytes)
  }
}
