import ArgumentParser
import Tidemark
import TidemarkJSON

struct ConflictsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conflicts", abstract: "Show which concurrent writes lost, and to which.")

  @OptionGroup var store: StoreArgument
  @Option(name: .customLong("as"), help: PrincipalArgument.readerHelp)
  var principal: PrincipalArgument?

  @OptionGroup var common: CommonOptions

  func run() throws {
    var table = TextTable(["record", "field", "shows", "by", "lost"])
    try store.open().forEachConflict(as: principal?.principal) { conflict in
      if common.json {
        try Output.line(json(conflict))
      } else {
        table.add([
          "\(conflict.model)/\(conflict.id)", conflict.field, conflict.winner.value.text,
          conflict.winner.dot.description,
          conflict.losers.map { "\($0.value.text) (\($0.dot))" }.joined(separator: ", "),
        ])
      }
      return true
    }
    guard !common.json else { return }
    if table.isEmpty { Output.text("no conflicts") } else { try table.show() }
  }

  private func json(_ conflict: FieldConflict) -> [UInt8] {
    func candidate(_ candidate: FieldConflict.Candidate) -> Value {
      .object([
        .init("dot", .string("\(candidate.dot)")),
        .init(
          "stamp",
          .object([
            .init("ms", .int(Int64(candidate.stamp.milliseconds))),
            .init("n", .int(Int64(candidate.stamp.counter))),
          ])),
        .init("value", candidate.value),
      ])
    }
    var builder = JSONLine()
    builder.beginObject()
    builder.append("model", conflict.model)
    builder.append("id", conflict.id.string)
    builder.append("field", conflict.field)
    builder.append("winner", candidate(conflict.winner))
    builder.append("losers", Value.list(conflict.losers.map(candidate)))
    builder.endObject()
    return builder.bytes
  }
}
