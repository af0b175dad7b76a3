import ArgumentParser
import Tidemark
import TidemarkJSON

struct ExportCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case ndjson, csv, operations
  }

  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write records as NDJSON or CSV, or the log as operations that `apply` takes.")

  @OptionGroup var store: StoreArgument

  @Argument(help: "Only this model; needed for csv.")
  var model: String?

  @Option(help: "ndjson: a record a line. csv: with a header row. operations: the live events.")
  var format: Format = .ndjson

  @Option(name: .customLong("as"), help: PrincipalArgument.readerHelp)
  var principal: PrincipalArgument?

  @OptionGroup var common: CommonOptions

  func run() throws {
    let store = try store.open()
    guard principal == nil || format != .operations else {
      throw CommandError(
        .usage,
        "operations are whole, and what may not be read cannot be left out: choose ndjson or csv, or leave --as out"
      )
    }
    switch format {
    case .ndjson:
      try store.forEachRecord(of: model, as: principal?.principal) { view in
        var builder = JSONLine()
        builder.beginObject()
        // A field of that name comes first: what is exported must come back whole.
        if !view.fields.contains(where: { $0.name == "model" }) {
          builder.append("model", view.model)
        }
        builder.append("id", view.id.string)
        for field in view.fields { builder.append(field.name, field.value) }
        builder.endObject()
        try Output.line(builder.bytes)
        return true
      }
    case .csv: try exportCSV(store)
    case .operations: try exportOperations(store)
    }
  }

  private func exportCSV(_ store: Store) throws {
    let schema = try store.schema
    guard let name = model ?? (schema.models.count == 1 ? schema.models[0].name : nil),
      let model = schema.model(name)
    else {
      throw CommandError(
        .usage,
        "csv holds one model: write `export DIR MODEL --format csv`, with one of \(schema.models.map(\.name).joined(separator: ", "))"
      )
    }
    try Output.line(CSV.row(["id"] + model.fields.map(\.name)))
    try store.forEachRecord(of: name, as: principal?.principal) { view in
      let cells = model.fields.map { field -> String? in
        switch view[field.name] {
        case nil, .null?: nil
        case .string(let text)?: text
        case let value?: JSONWriter.text(value)
        }
      }
      try Output.line(CSV.row([view.id.string] + cells))
      return true
    }
  }

  private func exportOperations(_ store: Store) throws {
    var query = LogQuery()
    query.model = model
    try store.forEachLogLine(query) { line in
      guard !line.isTombstone, line.status != .rejected, let event = line.event,
        let model = line.model, ["create", "update", "delete"].contains(line.kindName)
      else { return true }
      var builder = JSONLine()
      builder.beginObject()
      builder.append("op", line.kindName)
      builder.append("model", model.name)
      builder.append("id", event.id.string)
      if event.kind != .delete {
        Operation.appendFields(event.changes, of: model, to: &builder)
      }
      event.principal.appendJSON("actor", to: &builder)
      let milliseconds = (line.effective ?? line.stamp).milliseconds
      if milliseconds <= Timestamp.millisecondsMax {
        builder.append("at", Timestamp.text(milliseconds))
      }
      // Labels repeat; what was two transactions must stay two.
      builder.append("tx", line.transactionDot.description)
      builder.endObject()
      try Output.line(builder.bytes)
      return true
    }
  }
}
