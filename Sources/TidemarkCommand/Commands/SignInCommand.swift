import ArgumentParser
import Tidemark
import TidemarkJSON

struct SignInCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign-in",
    abstract: "Sign a user in on a device: what was kept for them is pending again.")

  @OptionGroup var store: StoreArgument

  @Option(name: .customLong("as"), help: PrincipalArgument.help)
  var principal: PrincipalArgument

  @OptionGroup var common: CommonOptions

  func run() throws {
    let count = try store.open().signIn(principal.principal)
    guard common.json else { return Output.text("\(count) events are pending again") }
    var builder = JSONLine()
    builder.beginObject()
    builder.append("events", count)
    builder.endObject()
    try Output.line(builder.bytes)
  }
}
