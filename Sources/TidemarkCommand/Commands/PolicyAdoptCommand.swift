import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyAdoptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adopt",
    abstract: "Take another schema, with its rules, in place of a store's current one.",
    discussion: """
      The log stays as it is. Pending events stay pending, and are judged as what they were written. \
      Try the schema with `policy dry-run` before.
      """)

  @OptionGroup var store: StoreArgument

  @Option(help: "The GraphQL schema file.")
  var schema: String?

  @Option(
    help: "A version that the store knows from another, as `policy versions` lists them.")
  var policy: SchemaVersion?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if (schema == nil) == (policy == nil) {
      throw ValidationError("give --schema FILE, or --policy VERSION")
    }
  }

  func run() throws {
    let source = try schema.map { try SchemaFile.source($0) }
    let store = try store.open()
    let adoption: SchemaAdoption
    if let source {
      adoption = try store.adopt(schema: source)
    } else if let policy {
      adoption = try store.adopt(version: policy)
    } else {
      return
    }
    guard common.json else {
      for change in adoption.changes {
        let place = change.field.map { "\(change.model).\($0)" } ?? change.model
        Output.text("\(change.code.rawValue)  \(place): \(change.message)")
      }
      Output.text(
        adoption.previous == adoption.current
          ? "policy \(adoption.current) is the current one already"
          : "policy \(adoption.current) in place of \(adoption.previous)")
      if adoption.refoldedCount > 0 {
        Output.text("\(adoption.refoldedCount) records were folded again")
      }
      return
    }
    var builder = JSONLine()
    builder.beginObject()
    builder.append("policy", adoption.current.description)
    builder.append("was", adoption.previous.description)
    builder.append("refolded", adoption.refoldedCount)
    builder.append("schemaChanges", Value.list(adoption.changes.map(\.json)))
    builder.endObject()
    try Output.line(builder.bytes)
  }
}

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
