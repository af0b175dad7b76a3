import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyModesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "modes",
    abstract: "List the authorization modes to try, in order, for each model and operation.",
    discussion: """
      A mode is a provider whose credential an app submits. The order is that of the model's rules \
      for the operation: by allow (custom, owner, groups, private, public), then by provider \
      (function, userPools, oidc, iam, apiKey), each once. Where the rules leave none, it is the \
      default mode.
      """)

  @Argument(help: "The GraphQL schema file.")
  var schema: String

  @Option(help: "Only this model.")
  var model: String?

  @Option(help: "Only this operation: create, update, delete, read, or a part of read.")
  var op: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Only where somebody, or nobody, is signed in; both where left out.")
  var signedIn: Bool?

  @Option(help: "default or multiAuth.")
  var strategy = ModeStrategy.multiAuth

  @Option(name: .customLong("default-mode"), help: "The provider of the default mode.")
  var fallback = Principal.Provider.apiKey

  @OptionGroup var common: CommonOptions

  func run() throws {
    let schema = try SchemaFile.schema(schema)
    let policy = Policy(schema)
    let operations = try operations()
    var table = TextTable(["model", "operation", "signed in", "modes"])
    for place in try models(schema) {
      for operation in operations {
        for isSignedIn in signedIn.map({ [$0] }) ?? [true, false] {
          let modes = policy.providers(
            model: place, operation: operation.access, signedIn: isSignedIn, strategy: strategy,
            fallback: fallback)
          let name = schema.models[place].name
          guard common.json else {
            table.add([
              name, operation.name, isSignedIn ? "yes" : "no",
              modes.map(\.rawValue).joined(separator: ", "),
            ])
            continue
          }
          var builder = JSONLine()
          builder.beginObject()
          builder.append("model", name)
          builder.append("op", operation.name)
          builder.append("signedIn", isSignedIn)
          builder.append("strategy", strategy.rawValue)
          builder.append("modes", Value.list(modes.map { .string($0.rawValue) }))
          builder.endObject()
          try Output.line(builder.bytes)
        }
      }
    }
    if !common.json { try table.show() }
  }

  private func models(_ schema: Schema) throws -> [Int] {
    guard let model else { return Array(schema.models.indices) }
    guard let place = schema.modelIndex(model) else {
      throw CommandError(
        .usage,
        "the schema has no model \(model); it has \(schema.models.map(\.name).joined(separator: ", "))"
      )
    }
    return [place]
  }

  private func operations() throws -> [(name: String, access: AccessOperation)] {
    guard let op else { return AccessOperation.allCases.map { ($0.rawValue, $0) } }
    return [(op, try AccessOperation(named: op))]
  }
}

extension AccessOperation {
  /// `read` is asked as `get`.
  /// - Throws: `CommandError` `usage` for a name that is no operation.
  init(named name: String) throws {
    guard let known = AccessOperation(rawValue: name == "read" ? "get" : name) else {
      throw CommandError(
        .usage,
        "there is no operation \(name); write create, update, delete, read, or a part of read: get, list, listen, search, sync"
      )
    }
    self = known
  }
}
