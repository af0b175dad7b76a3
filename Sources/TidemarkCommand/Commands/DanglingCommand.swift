import ArgumentParser
import Tidemark
import TidemarkJSON

struct DanglingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dangling",
    abstract: "Show the keys of relations that name a record which is not there.")

  @OptionGroup var store: StoreArgument
  @OptionGroup var common: CommonOptions

  func run() throws {
    var table = TextTable(["record", "key", "names"])
    for reference in try store.open().danglingReferences() {
      guard common.json else {
        table.add([
          "\(reference.model)/\(reference.id)", reference.key,
          "\(reference.target)/\(reference.targetID)",
        ])
        continue
      }
      var builder = JSONLine()
      builder.beginObject()
      builder.append("model", reference.model)
      builder.append("id", reference.id.string)
      builder.append("key", reference.key)
      builder.append("target", reference.target)
      builder.append("targetId", reference.targetID.string)
      builder.endObject()
      try Output.line(builder.bytes)
    }
    guard !common.json else { return }
    if table.isEmpty { Output.text("no key dangles") } else { try table.show() }
  }
}
