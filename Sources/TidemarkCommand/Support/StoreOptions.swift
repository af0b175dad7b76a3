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

  func open(readOnly: Bool = false) throws(StoreError) -> Store {
    try Support.open(directory, readOnly: readOnly)
  }
}

enum Support {
  static func open(_ directory: String, readOnly: Bool = false) throws(StoreError) -> Store {
    var options = StoreOptions()
    options.readOnly = readOnly
    return try Store.open(at: directory, options: options)
  }
}
