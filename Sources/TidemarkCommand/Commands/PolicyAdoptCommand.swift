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
      for change in adoption.changes { Output.text(change.text) }
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
