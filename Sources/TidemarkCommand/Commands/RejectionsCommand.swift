import ArgumentParser
import Tidemark
import TidemarkJSON

struct RejectionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rejections",
    abstract: "Show what was refused: a device's own events, or all that an authority refused.")

  @OptionGroup var store: StoreArgument

  @Option(help: "Note that this rejection has been dealt with.")
  var acknowledge: Dot?

  @OptionGroup var common: CommonOptions

  func run() throws {
    let store = try store.open()
    if let acknowledge { return try store.acknowledge(acknowledge) }
    var table = TextTable(["event", "kind", "record", "by", "reason", "why"])
    for rejection in try store.rejections() {
      if common.json {
        try Output.line(json(rejection))
      } else {
        let event = rejection.line.event
        table.add([
          rejection.line.dot.description, kind(event),
          event.map { "\(rejection.line.model?.name ?? "?")/\($0.id)" } ?? "",
          event?.principal.name ?? "", rejection.line.reason?.code ?? "",
          rejection.line.reason?.message ?? "",
        ])
      }
    }
    guard !common.json else { return }
    if table.isEmpty { Output.text("nothing was refused") } else { try table.show() }
  }

  private func kind(_ event: Event?) -> String {
    switch event?.kind {
    case .create: "create"
    case .update: "update"
    case .delete: "delete"
    case .unknown(let code): "unknown-\(code)"
    case nil: ""
    }
  }

  private func json(_ rejection: Rejection) -> [UInt8] {
    let line = rejection.line
    var builder = JSONLine()
    builder.beginObject()
    builder.append("dot", line.dot.description)
    builder.append("tx", line.transaction)
    if let event = line.event {
      if let model = line.model { builder.append("model", model.name) }
      builder.append("id", event.id.string)
      builder.append("kind", kind(event))
      if let model = line.model { Operation.appendFields(event.changes, of: model, to: &builder) }
      event.principal.appendJSON("actor", to: &builder)
    }
    builder.append("reason", line.reason?.code ?? "")
    builder.append("rule", ifGiven: line.reason?.rule)
    builder.append("message", line.reason?.message ?? "")
    if let policy = line.policy { builder.append("policy", policy.description) }
    if let decided = line.decided { builder.append("decided", decided.milliseconds) }
    builder.append("before", Value.object(rejection.before))
    builder.append("after", Value.object(rejection.after))
    builder.append("dependents", Value.list(rejection.dependents.map { .string("\($0)") }))
    builder.append("acknowledged", rejection.isAcknowledged)
    builder.endObject()
    return builder.bytes
  }
}
