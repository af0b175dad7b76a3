import ArgumentParser
import Tidemark
import TidemarkJSON
import TidemarkSync

struct SyncCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Exchange both ways: events up, decisions and others' events down.")

  @Argument(help: "A store.")
  var directory: String

  @Argument(help: "The other store's directory.")
  var other: String

  @Option(
    name: .customLong("as"),
    help: """
      For whom a device asks; may be repeated. It submits their pending work and is given what they may \
      read. Left out: everybody's, and all.
      """)
  var principals: [PrincipalArgument] = []

  @OptionGroup var custom: CustomOption
  @OptionGroup var common: CommonOptions

  func run() throws {
    guard !other.contains("://") else {
      throw CommandError(
        .usage, "\(other): sync over the network is not there yet; give a directory")
    }
    let (left, right) = try StorePair.open(directory, other, authorizer: try custom.authorizer())
    defer { Progress.clear() }
    let exchange = try Replication.sync(
      left, right, credentials: principals.credentials, readers: principals.credentials,
      progress: Progress.show)
    if common.json {
      var builder = JSONLine()
      builder.beginObject()
      builder.append(exchange.toRight, key: "up")
      builder.append(exchange.toLeft, key: "down")
      builder.endObject()
      return try Output.line(builder.bytes)
    }
    Output.text("\(directory) → \(other): \(exchange.toRight.text)")
    exchange.toRight.showForks()
    exchange.toRight.showHeld()
    Output.text("\(other) → \(directory): \(exchange.toLeft.text)")
    exchange.toLeft.showForks()
    exchange.toLeft.showHeld()
  }
}
