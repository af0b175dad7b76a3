import ArgumentParser
import Tidemark
import TidemarkJSON

struct PendingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pending",
    abstract: "Show whose work waits on a device, in its log or kept until they sign in again.")

  @OptionGroup var store: StoreArgument
  @OptionGroup var common: CommonOptions

  func run() throws {
    let work = try store.open().waitingWork()
    if !common.json, work.isEmpty { Output.text("nothing waits") }
    for item in work {
      guard common.json else {
        let place = item.isKept ? "kept until they sign in" : "pending"
        Output.text("\(item.eventCount) events of \(Text.visible(item.principal.name)), \(place)")
        continue
      }
      var builder = JSONLine()
      builder.beginObject()
      item.principal.appendJSON("actor", to: &builder)
      builder.append("events", item.eventCount)
      builder.append("kept", item.isKept)
      builder.endObject()
      try Output.line(builder.bytes)
    }
  }
}
