import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyDecideCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decide",
    abstract: "Decide one hypothetical operation, or a file of them, and say why.",
    discussion: """
      --cases takes a JSON object a line: {"model","op","principal":{…} or [several],"input":{…}, \
      "record":{…}}. Exit status 1 where a single operation is denied.
      """)

  @Argument(help: "The GraphQL schema file.")
  var schema: String

  @Option(help: "The model.")
  var model: String?

  @Option(help: "create, update, delete, read, get, list, listen, search or sync.")
  var op: String?

  @Option(name: .customLong("as"), help: PrincipalArgument.help)
  var principal: PrincipalArgument?

  @Option(help: "The fields given, as a JSON object.")
  var input: String?

  @Option(help: "The stored record's fields, as a JSON object.")
  var record: String?

  @Option(help: "A file of cases, one JSON object a line; - for standard input.")
  var cases: String?

  @OptionGroup var custom: CustomOption
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if cases == nil, model == nil || op == nil || principal == nil {
      throw ValidationError("give --model, --op and --as, or --cases FILE")
    }
  }

  func run() throws {
    let decider = PolicyDecider(try SchemaFile.schema(schema), try custom.authorizer())
    if let cases {
      var reader = try LineReader(cases, lineByteCountMax: Operation.byteCountMax)
      while let line = try reader.next() {
        guard !line.isEmpty else { continue }
        do {
          let value = try JSONReader.read(line)
          try show(try decider.decide(try PolicyCase(value)))
          // A program that asks case by case gets each answer before it asks on.
          if !reader.isReady(waitMilliseconds: 0) { try Output.flush() }
        } catch let error as CommandError {
          throw CommandError(.usage, "line \(reader.lineNumber): \(error.message)")
        } catch let error as JSONError {
          throw CommandError(.usage, "line \(reader.lineNumber): \(error)")
        }
      }
      return
    }
    let verdict = try decider.decide(
      PolicyCase(
        model: model ?? "", operation: op ?? "", principals: [principal?.principal ?? .anonymous],
        input: try object(input, "--input"), record: try object(record, "--record")))
    try show(verdict)
    if !verdict.isAllowed { throw ExitCode(ExitStatus.no.rawValue) }
  }

  private func object(_ text: String?, _ option: String) throws -> Value? {
    guard let text else { return nil }
    guard let value = try? JSONReader.read(text), case .object = value else {
      throw CommandError(.usage, "\(option) is a JSON object, as {\"title\":\"Hi\"}")
    }
    return value
  }

  private func show(_ verdict: PolicyVerdict) throws {
    if common.json { return try Output.line(verdict.json) }
    Output.text(verdict.isAllowed ? Text.green("allowed") : Text.red("denied"))
    if let rule = verdict.rule { Output.text("  rule: \(rule)") }
    if let reason = verdict.reason { Output.text("  \(reason): \(Text.visible(verdict.message))") }
    verdict.trace?.show()
    if let record = verdict.record {
      Output.text("  record: \(Text.visible(JSONWriter.text(record)))")
    }
  }
}
