import ArgumentParser
import Tidemark
import TidemarkJSON

struct ImportCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case ndjson, csv
  }

  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Create records from NDJSON or CSV.",
    discussion: """
      NDJSON holds an object a line: the id, and fields by name. CSV begins with a header row of \
      names; a cell is read as its field's type, an empty one is left out, "" is an empty text. The file is checked whole \
      before anything is written.
      """)

  @OptionGroup var store: StoreArgument

  @Argument(help: "The file.")
  var file: String

  @Option(help: "The model; may be left out where the schema has one, or each line says it.")
  var model: String?

  @Option(help: "ndjson or csv; by the file's name where left out.")
  var format: Format?

  @Option(help: PrincipalArgument.help)
  var actor: PrincipalArgument?

  @Option(help: "The field or column that holds the id.")
  var idField = "id"

  @OptionGroup var common: CommonOptions

  /// An import file may be so long: 1 GiB.
  private static let byteCountMax = 1 << 30

  func run() throws {
    let store = try store.open()
    let schema = try store.schema
    let isCSV = format.map { $0 == .csv } ?? file.hasSuffix(".csv")
    let operations = try isCSV ? csv(schema) : ndjson(schema)
    var applier = Applier(store, isJSON: common.json)
    let started = ContinuousClock.now
    for (line, operation) in operations { try applier.add(operation, line: line) }
    try applier.commit()
    if !common.json { applier.summarize(ContinuousClock.now - started) }
    if applier.rejectedCount > 0 { throw ExitCode(ExitStatus.no.rawValue) }
  }

  private func ndjson(_ schema: Schema) throws -> [(Int, Tidemark.Operation)] {
    var operations: [(Int, Tidemark.Operation)] = []
    var reader = try LineReader(file, lineByteCountMax: Operation.byteCountMax)
    while let line = try reader.next() {
      guard !line.isEmpty else { continue }
      do {
        guard case .object(let members) = try JSONReader.read(line) else {
          throw CommandError(.usage, "a JSON object is wanted")
        }
        operations.append((reader.lineNumber, try create(members, schema)))
      } catch {
        throw failure(error, reader.lineNumber)
      }
    }
    return operations
  }

  private func csv(_ schema: Schema) throws -> [(Int, Tidemark.Operation)] {
    let rows = try CSV.rows(
      try LineReader.contents(file, byteCountMax: ImportCommand.byteCountMax))
    guard let header = rows.first else {
      throw CommandError(.usage, "\(file) is empty; its first row names the columns")
    }
    let model = try self.model(schema, nil)
    let names = try header.cells.map { name -> String in
      guard let name else {
        throw CommandError(
          .usage, "line \(header.line): a column has no name; nothing was imported")
      }
      return name
    }
    if let twice = names.first(where: { name in names.count(where: { $0 == name }) > 1 }) {
      throw CommandError(
        .usage, "line \(header.line): two columns are named \(twice); nothing was imported")
    }
    var operations: [(Int, Tidemark.Operation)] = []
    for row in rows.dropFirst() {
      do {
        guard row.cells.count == header.cells.count else {
          throw CommandError(
            .usage, "\(row.cells.count) cells, and the header has \(header.cells.count)")
        }
        var members: [Value.Member] = []
        for (name, cell) in zip(names, row.cells) {
          guard let cell else { continue }
          members.append(.init(name, name == idField ? .string(cell) : value(cell, name, model)))
        }
        operations.append((row.line, try create(members, schema)))
      } catch {
        throw failure(error, row.line)
      }
    }
    return operations
  }

  /// A cell as its field's type; the schema refuses what does not fit.
  private func value(_ cell: String, _ name: String, _ model: Model) -> Value {
    guard let field = model.field(name) else { return .string(cell) }
    switch field.type.unwrapped {
    case .scalar(.int), .scalar(.float), .scalar(.boolean), .scalar(.timestamp), .list, .embedded:
      return (try? JSONReader.read(cell)) ?? .string(cell)
    case .scalar, .enumeration, .required: return .string(cell)
    }
  }

  private func model(_ schema: Schema, _ given: String?) throws -> Model {
    let name = given ?? self.model ?? (schema.models.count == 1 ? schema.models[0].name : nil)
    guard let name, let model = schema.model(name) else {
      let names = schema.models.map(\.name).joined(separator: ", ")
      throw CommandError(.usage, "name the model with --model: one of \(names)")
    }
    return model
  }

  private func create(_ members: [Value.Member], _ schema: Schema) throws -> Tidemark.Operation {
    var fields = members
    var given: String?
    if let index = fields.firstIndex(where: { $0.name == "model" }),
      case .string(let name) = fields[index].value, let named = schema.model(name),
      named.field("model") == nil, self.model == nil || self.model == name
    {
      given = name
      fields.remove(at: index)
    }
    let model = try self.model(schema, given)
    guard let index = fields.firstIndex(where: { $0.name == idField }) else {
      throw CommandError(.usage, "there is no \(idField); name the column of ids with --id-field")
    }
    let id = fields.remove(at: index).value
    var operation = try Operation(
      .object([
        .init("op", "create"), .init("model", .string(model.name)),
        .init("id", .string(id.text)), .init("fields", .object(fields)),
      ]), schema: schema)
    operation.principal = actor?.principal ?? .anonymous
    return operation
  }

  private func failure(_ error: any Error, _ line: Int) -> CommandError {
    let message =
      switch error {
      case let error as CommandError: error.message
      case let error as OperationError: error.message
      default: "\(error)"
      }
    return CommandError(.usage, "line \(line): \(message); nothing was imported")
  }
}
