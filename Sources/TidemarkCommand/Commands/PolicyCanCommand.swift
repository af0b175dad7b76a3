import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyCanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "can",
    abstract: "Say what somebody may do to a record of a store, and to each of its fields.",
    discussion: "It is what an app asks for its buttons. Without ID: to a new record.")

  @OptionGroup var store: StoreArgument

  @Argument(help: "The model.")
  var model: String

  @Argument(help: "The record's id.")
  var id: String?

  @Option(name: .customLong("as"), help: PrincipalArgument.help)
  var principal: PrincipalArgument

  @OptionGroup var common: CommonOptions

  func run() throws {
    let permissions = try store.open().permissions(
      for: model, id.map { RecordID($0) }, as: principal.principal)
    let answers: [(String, String?, Decision)] =
      [
        ("create", nil, permissions.create), ("read", nil, permissions.read),
        ("update", nil, permissions.update), ("delete", nil, permissions.delete),
      ]
      + permissions.fields.flatMap { field in
        [
          ("read", field.name, field.read), ("write", field.name, field.write),
          ("clear", field.name, field.clear),
        ]
      }
    for (what, field, decision) in answers {
      guard common.json else {
        let name = field.map { "\($0): \(what)" } ?? what
        Output.text("\(name): \(decision.text)")
        continue
      }
      var builder = JSONLine()
      builder.beginObject()
      builder.append("what", what)
      builder.append("field", ifGiven: field)
      builder.append("decision", decision.name)
      builder.append("reason", ifGiven: decision.denial?.code.rawValue)
      builder.append("rule", ifGiven: decision.rule)
      builder.append("message", ifGiven: decision.denial?.message)
      builder.endObject()
      try Output.line(builder.bytes)
    }
  }
}
