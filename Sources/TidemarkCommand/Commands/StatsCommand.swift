import ArgumentParser
import Tidemark
import TidemarkJSON

struct StatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Show sizes and counts.")

  @OptionGroup var store: StoreArgument
  @OptionGroup var common: CommonOptions

  func run() throws {
    let stats = try store.open().stats()
    if common.json { return try Output.line(json(stats)) }
    let identity = stats.identity
    Output.text(
      "\(identity.role.rawValue), \(identity.acceptance.rawValue), replica \(identity.replica), policy \(identity.schema)"
    )
    Output.text(
      "\(stats.eventCount) events (\(stats.pendingCount) pending), \(stats.tombstoneCount) tombstones, \(stats.recordCount) records, \(stats.conflictCount) conflicts, last stamp \(stats.lastStamp.time)"
    )
    if stats.portionCount > 0 {
      Output.text(
        "\(stats.portionCount) transactions are withheld from this store, whole or in part")
    }
    Output.text("\(stats.fileByteCount) bytes in use, \(stats.readerCount) readers now")
    Output.text("")
    var tables = TextTable(["table", "entries", "bytes"])
    for table in stats.tables {
      tables.add([table.name, String(table.entryCount), String(table.byteCount)])
    }
    try tables.show()
    Output.text("")
    var replicas = TextTable(["replica", "events", "pending", "own"])
    for replica in stats.replicas {
      replicas.add([
        replica.replica.description, String(replica.seq), String(replica.pendingCount),
        replica.isOwn ? "yes" : "",
      ])
    }
    try replicas.show()
  }

  private func json(_ stats: StoreStats) -> [UInt8] {
    var builder = JSONLine()
    builder.beginObject()
    builder.append("role", stats.identity.role.rawValue)
    builder.append("accept", stats.identity.acceptance.rawValue)
    builder.append("replica", stats.identity.replica.description)
    builder.append("policy", stats.identity.schema.description)
    builder.append("events", stats.eventCount)
    builder.append("pending", stats.pendingCount)
    builder.append("tombstones", stats.tombstoneCount)
    builder.append("records", stats.recordCount)
    builder.append("conflicts", stats.conflictCount)
    if stats.portionCount > 0 { builder.append("portions", stats.portionCount) }
    builder.append("quarantineBytes", stats.quarantineByteCount)
    builder.append("bytes", stats.fileByteCount)
    builder.append("readers", stats.readerCount)
    stats.lastStamp.appendJSON("lastStamp", to: &builder)
    builder.append(
      "replicas",
      Value.list(
        stats.replicas.map {
          .object([
            .init("replica", .string("\($0.replica)")), .init("seq", .int(Int64($0.seq))),
            .init("pending", .int(Int64($0.pendingCount))), .init("own", .bool($0.isOwn)),
          ])
        }))
    builder.append(
      "tables",
      Value.list(
        stats.tables.map {
          .object([
            .init("name", .string($0.name)), .init("entries", .int(Int64($0.entryCount))),
            .init("bytes", .int(Int64($0.byteCount))),
          ])
        }))
    builder.endObject()
    return builder.bytes
  }
}
