import ArgumentParser
import Tidemark
import TidemarkJSON

struct HistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Show everything that ever happened to one record, and what each event changed.")

  @OptionGroup var store: StoreArgument

  @Argument(help: "The record's model.")
  var model: String

  @Argument(help: "The record's id.")
  var id: String

  @Option(name: .customLong("as"), help: PrincipalArgument.readerHelp)
  var principal: PrincipalArgument?

  @OptionGroup var common: CommonOptions

  func run() throws {
    let history = try store.open().history(
      model, RecordID(id), as: principal?.principal)
    guard !history.isEmpty else {
      throw CommandError(.no, "nothing ever happened to \(model) \(id) in this log")
    }
    for item in history {
      if common.json {
        try Output.line(json(item))
      } else {
        show(item)
      }
    }
  }

  private func json(_ item: HistoryLine) -> [UInt8] {
    var builder = JSONLine()
    builder.beginObject()
    item.line.appendKeys(to: &builder)
    builder.append("effect", item.effect.rawValue)
    builder.beginList("changes")
    for change in item.changes {
      builder.append(
        Value.object([
          .init("field", .string(change.field)), .init("before", change.before ?? .null),
          .init("after", change.after ?? .null),
        ]))
    }
    builder.endList()
    builder.endObject()
    return builder.bytes
  }

  private func show(_ item: HistoryLine) {
    let line = item.line
    let who = line.event?.principal.name ?? ""
    Output.text(
      Text.bold("\((line.effective ?? line.stamp).time)  \(line.mark)  \(line.kindName)")
        + "  by \(Text.visible(who))  \(effect(item))")
    if line.effective != nil {
      Output.text("    its clock was ahead, at \(line.stamp.time)")
    }
    if let reason = line.reason {
      if !line.writtenText.isEmpty {
        Output.text("    it said: \(Text.visible(line.writtenText))")
      }
      Output.text("    \(Text.visible(reason.message)) (\(reason.code))")
    }
    for change in item.changes {
      let before = change.before.map { Text.shortened(Text.visible($0.text), to: 36) } ?? "—"
      let after = change.after.map { Text.shortened(Text.visible($0.text), to: 36) } ?? "—"
      Output.text("    \(change.field): \(before) → \(after)")
    }
  }

  private func effect(_ item: HistoryLine) -> String {
    switch item.effect {
    case .live: item.line.status == .pending ? Text.yellow("pending") : Text.green("live")
    case .ended: Text.dim("ended by a delete that it had not seen")
    case .overturned: Text.dim("overturned by a write that it had not seen")
    case .void: Text.red("void")
    case .unknown: Text.dim("of a kind that this version does not know")
    case .withheld: Text.dim("withheld")
    }
  }
}
