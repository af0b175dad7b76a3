import ArgumentParser
import Tidemark
import TidemarkJSON

struct DigestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "digest",
    abstract: "Show the order-independent hash of the view and of the sets behind it.",
    discussion: "Stores that know the same show the same, whatever the order in which it came.")

  @OptionGroup var store: StoreArgument
  @OptionGroup var common: CommonOptions

  func run() throws {
    let digest = try store.open().digest()
    if common.json {
      var builder = JSONLine()
      builder.beginObject()
      builder.append("view", digest.view)
      builder.append("live", digest.live)
      builder.append("void", digest.void)
      builder.endObject()
      return try Output.line(builder.bytes)
    }
    Output.text("view  \(digest.view)")
    Output.text("live  \(digest.live)")
    Output.text("void  \(digest.void)")
  }
}
