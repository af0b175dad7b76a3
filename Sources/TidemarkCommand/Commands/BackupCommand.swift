import ArgumentParser
import Tidemark
import TidemarkJSON

struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Write a consistent copy while the store is in use.",
    discussion: """
      The copy is a store of its own: when it writes, it goes on under a new replica id, so a backup \
      that is brought back loses nothing and forks nothing.
      """)

  @OptionGroup var store: StoreArgument

  @Argument(help: "The directory for the copy.")
  var target: String

  @OptionGroup var common: CommonOptions

  func run() throws {
    try store.open().backup(to: target)
    if common.json {
      var builder = JSONLine()
      builder.beginObject()
      builder.append("backup", target)
      builder.endObject()
      return try Output.line(builder.bytes)
    }
    Output.text("\(store.directory) → \(target)")
  }
}
