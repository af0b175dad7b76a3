import ArgumentParser
import Tidemark
import TidemarkJSON

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Make a new store from a schema with @model and @auth.")

  @Argument(help: "The directory of the new store.")
  var directory: String

  @Option(help: "The GraphQL schema file.")
  var schema: String

  @Option(help: "device: its events are pending until an authority decides. authority: it decides.")
  var role: StoreRole = .device

  @Option(help: "The replica id to write under, 16 hexadecimal digits; random where left out.")
  var replica: ReplicaID?

  @Option(
    help: "enforce: refuse at once what the rules refuse. optimistic: write it, and decide later.")
  var accept: AcceptanceMode = .enforce

  @OptionGroup var common: CommonOptions

  func run() throws {
    let source = try SchemaFile.source(schema)
    let store = try Store.create(
      at: directory, schema: source, role: role, acceptance: accept, replica: replica)
    let identity = try store.identity
    if common.json {
      var builder = JSONLine()
      builder.beginObject()
      builder.append("directory", directory)
      builder.append("role", identity.role.rawValue)
      builder.append("accept", identity.acceptance.rawValue)
      builder.append("replica", identity.replica.description)
      builder.append("policy", identity.schema.description)
      builder.endObject()
      return try Output.line(builder.bytes)
    }
    Output.text(
      "\(directory): a new store, \(identity.role.rawValue), \(identity.acceptance.rawValue), replica \(identity.replica)"
    )
  }
}

/// Reads and checks schema files for commands.
enum SchemaFile {
  static func schema(
    _ path: String, providers: Set<Principal.Provider>? = nil
  ) throws -> Schema {
    let bytes = try LineReader.contents(path, byteCountMax: Schema.byteCountMax)
    return try explaining(path) { () throws(SchemaError) in
      try Schema.parse(bytes: bytes, providers: providers)
    }
  }

  /// Runs a body whose complaints of a schema name its file, line and column.
  static func explaining<R>(_ path: String, _ body: () throws(SchemaError) -> R) throws -> R {
    do {
      return try body()
    } catch {
      throw CommandError(
        .usage, "\(path):\(error.line):\(error.column): \(error.message) (\(error.code.rawValue))")
    }
  }

  static func source(_ path: String) throws -> String { try schema(path).source }
}
