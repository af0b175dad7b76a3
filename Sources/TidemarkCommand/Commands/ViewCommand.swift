import ArgumentParser
import Tidemark
import TidemarkJSON

struct ViewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "view",
    abstract: "Show the current records, or those of any moment, sorted by model and id.")

  @OptionGroup var store: StoreArgument

  @Argument(help: "Only this model's records.")
  var model: String?

  @Option(help: "Only the record with this id; MODEL may be left out where the schema has one.")
  var id: String?

  @Option(
    name: .customLong("where"),
    help: "FIELD=VALUE, FIELD!=VALUE, <, <=, >, >=, or FIELD~TEXT; all of them must hold.")
  var conditions: [String] = []

  // A leading - belongs to the value.
  @Option(
    parsing: .unconditionalSingleValue,
    help: "A field to sort by; with - before it, downwards. May be repeated.")
  var sort: [String] = []

  @Option(help: "At most so many records.")
  var limit: Int?

  @Option(name: .customLong("as"), help: PrincipalArgument.help)
  var principal: PrincipalArgument?

  @Option(name: .customLong("at"), help: "A time (RFC 3339), an event's dot, or a version vector.")
  var moment: Moment?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit is 0 or more") }
  }

  func run() throws {
    let store = try store.open()
    if let id { return try showOne(store, id) }
    let schema = try store.schema
    let models = schema.models.filter { model == nil || $0.name == model }
      .sorted { $0.name.precedesInBytes($1.name) }
    guard model == nil || models.contains(where: { $0.name == model }) else {
      let names = schema.models.map(\.name).joined(separator: ", ")
      throw CommandError(.usage, "the schema has no model \(model ?? ""); it has \(names)")
    }
    let arguments = try QueryArguments(conditions: conditions, sort: sort, schema, model)
    var shown = RecordPrinter(isJSON: common.json)
    var rest = limit ?? Int.max
    var held: [RecordView] = []
    for model in models where rest > 0 {
      try query(model, arguments, limit: limit == nil ? nil : rest, in: store) { view in
        guard arguments.sort.isEmpty else { return held.append(view) }
        try shown.show(view)
        rest -= 1
      }
    }
    // Every model's are in order; those of several are not yet.
    if models.count > 1 { held.sort { Query.precedes($0, $1, by: arguments.sort) } }
    for view in held.prefix(rest) { try shown.show(view) }
    try shown.finish()
  }

  private func query(
    _ model: Model, _ arguments: QueryArguments, limit: Int?, in store: Store,
    _ body: (RecordView) throws -> Void
  ) throws {
    let query = Query(
      model.name, where: arguments.filter(model), sort: arguments.sort, limit: limit,
      as: principal?.principal, at: moment)
    try store.forEach(query, body)
  }

  private func showOne(_ store: Store, _ id: String) throws {
    let models = try store.schema.models.map(\.name)
    guard let model = model ?? (models.count == 1 ? models[0] : nil) else {
      throw CommandError(
        .usage,
        "--id needs the model: write `view DIR MODEL --id ID`, with one of \(models.joined(separator: ", "))"
      )
    }
    let schema = try store.schema
    let arguments = try QueryArguments(conditions: conditions, sort: [], schema, model)
    guard
      let view = try store.record(model, RecordID(id), as: principal?.principal, at: moment),
      try schema.model(model).flatMap(arguments.filter).map({ try store.meets($0, view) }) ?? true
    else {
      throw CommandError(.no, "there is no \(model) \(id) to see")
    }
    if common.json {
      var builder = JSONLine()
      builder.append(view)
      return try Output.line(builder.bytes)
    }
    RecordPrinter.card(view)
  }
}

/// Prints records: JSON lines as they come, for people a table a model.
struct RecordPrinter {
  private let isJSON: Bool
  private var table: (model: String, columns: [String], rows: [RecordView])?
  private var count = 0
  /// Rows held to align a table; past it a new one begins.
  private static let rowCountMax = 200

  init(isJSON: Bool) {
    self.isJSON = isJSON
  }

  mutating func show(_ view: RecordView) throws {
    count += 1
    if isJSON {
      var builder = JSONLine()
      builder.append(view)
      return try Output.line(builder.bytes)
    }
    if let held = table, held.model != view.model || held.rows.count >= RecordPrinter.rowCountMax {
      try flush()
    }
    if table == nil { table = (view.model, [], []) }
    for name in view.fields.map(\.name) where table?.columns.contains(name) == false {
      table?.columns.append(name)
    }
    table?.rows.append(view)
  }

  mutating func finish() throws {
    guard !isJSON else { return }
    try flush()
    Output.text(Text.dim(count == 1 ? "1 record" : "\(count) records"))
  }

  private mutating func flush() throws {
    guard let held = table else { return }
    table = nil
    Output.text(Text.bold(held.model))
    var text = TextTable(["id"] + held.columns + ["updated"])
    for view in held.rows {
      let cells = held.columns.map { column in
        (view.hidden.contains(column) ? "hidden" : view[column]?.text ?? "")
          + (view.conflicts.contains(column) ? " ⚡" : "")
      }
      text.add([view.id.string] + cells + [view.updated.stamp.time])
    }
    try text.show()
  }

  static func card(_ view: RecordView) {
    Output.text(Text.bold("\(view.model) \(Text.visible(view.id.string))"))
    let width = (view.fields.map(\.name.count) + [7]).max() ?? 7
    for field in view.fields {
      if view.hidden.contains(field.name) {
        Output.text("  \(Text.padded(field.name, to: width))  \(Text.dim("hidden by the rules"))")
        continue
      }
      let mark = view.conflicts.contains(field.name) ? Text.yellow("  ⚡ in conflict") : ""
      Output.text(
        "  \(Text.padded(field.name, to: width))  \(Text.visible(field.value.text))\(mark)")
    }
    // Where a field of that name shows it already, once is enough.
    if let owner = view.owner, view["owner"] == nil {
      Output.text(Text.dim("  \(Text.padded("owner", to: width))  \(Text.visible(owner.text))"))
    }
    for (name, rank) in [("created", view.created), ("updated", view.updated)] {
      Output.text(Text.dim("  \(Text.padded(name, to: width))  \(rank.stamp.time) by \(rank.dot)"))
    }
  }
}
