import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyVersionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "versions",
    abstract: "List the schema versions that a store knows, and when it took which.")

  @OptionGroup var store: StoreArgument

  @Option(help: "Print the source of this version, and nothing else.")
  var show: SchemaVersion?

  @OptionGroup var common: CommonOptions

  func run() throws {
    let known = try store.open().knownSchemas()
    if let show {
      guard let found = known.last(where: { $0.version == show }) else {
        throw CommandError(
          .no, "schema version \(show) is not known here; leave --show out for a list")
      }
      return Output.text(found.source)
    }
    var table = TextTable(["version", "taken", "at lsn", "models"])
    for schema in known {
      let origin = schema.isAdopted ? "when the store was made" : "no, it came with events"
      let taken = schema.stamp?.time ?? origin
      guard common.json else {
        let models = (try? Schema.parse(schema.source))?.models.map(\.name) ?? []
        let lsn = schema.lsn.map { String($0) } ?? ""
        var style: TextTable.Style?
        if schema.isCurrent { style = Text.green }
        table.add(
          [schema.version.description, taken, lsn, models.joined(separator: ", ")], style)
        continue
      }
      var builder = JSONLine()
      builder.beginObject()
      builder.append("policy", schema.version.description)
      builder.append("current", schema.isCurrent)
      builder.append("adopted", schema.isAdopted)
      if let lsn = schema.lsn { builder.append("lsn", lsn) }
      if let stamp = schema.stamp { builder.append("ms", stamp.milliseconds) }
      builder.endObject()
      try Output.line(builder.bytes)
    }
    if !common.json { try table.show() }
  }
}
