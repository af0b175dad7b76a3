import ArgumentParser
import Tidemark
import TidemarkJSON

struct DigestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "digest",
    abstract: "Show the order-independent hash of the view and of the sets behind it.",
    discussion: """
      Stores that know the same show the same, whatever the order in which it came. Where some of it is \
      withheld from a store, its view differs, and it says that it is partial.
      """)

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
      if digest.isPartial { builder.append("partial", Value.bool(true)) }
      builder.endObject()
      return try Output.line(builder.bytes)
    }
    Output.text("view  \(digest.view)")
    Output.text("live  \(digest.live)")
    Output.text("void  \(digest.void)")
    if digest.isPartial {
      Output.text(
        "partial: the view is that of what this store may read; \(digest.portionCount) transactions are not whole here"
      )
    }
  }
}
