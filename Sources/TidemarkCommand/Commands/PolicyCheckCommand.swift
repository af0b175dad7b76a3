import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a schema file, and warn of rules that may not say what was meant.")

  @Argument(help: "The GraphQL schema file.")
  var schema: String

  @Option(
    name: .customLong("provider"),
    help: "A provider that is configured; may be repeated. Left out: all are.")
  var providers: [Principal.Provider] = []

  @OptionGroup var common: CommonOptions

  func run() throws {
    let parsed = try SchemaFile.schema(
      schema, providers: providers.isEmpty ? nil : Set(providers))
    let warnings = PolicyCheck(parsed).warnings
    for warning in warnings {
      if common.json {
        var builder = JSONLine()
        builder.beginObject()
        builder.append("warning", warning.code.rawValue)
        builder.append("model", warning.model)
        builder.append("field", ifGiven: warning.field)
        builder.append("rule", ifGiven: warning.rule)
        builder.append("message", warning.message)
        builder.endObject()
        try Output.line(builder.bytes)
      } else {
        let place = warning.field.map { "\(warning.model).\($0)" } ?? warning.model
        Output.text("\(Text.yellow(warning.code.rawValue))  \(place): \(warning.message)")
      }
    }
    guard !common.json else { return }
    let models = parsed.models.map(\.name).joined(separator: ", ")
    Output.text(
      "\(schema): \(Text.green("valid")), policy \(SchemaVersion(source: parsed.source)); models \(models)"
    )
  }
}
