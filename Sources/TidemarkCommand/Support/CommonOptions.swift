import ArgumentParser
import Tidemark
import TidemarkEvents

/// What every command has.
struct CommonOptions: ParsableArguments {
  @Flag(help: "One JSON object a line on standard output, and nothing else there.")
  var json = false
}

/// The store's directory.
struct StoreArgument: ParsableArguments {
  @Argument(help: "The store's directory.")
  var directory: String

  @OptionGroup var custom: CustomOption

  func open() throws -> Store {
    var options = StoreOptions()
    options.customAuthorizer = try custom.authorizer()
    return try Store.open(at: directory, options: options)
  }
}
