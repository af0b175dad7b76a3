import ArgumentParser
import Tidemark
import TidemarkJSON

struct SignOutCommand: ParsableCommand {
  enum Mode: String, ExpressibleByArgument, CaseIterable {
    case keep, discard
    case handOver = "hand-over"
  }

  static let configuration = CommandConfiguration(
    commandName: "sign-out",
    abstract: "Sign a user out of a device: keep, hand over or discard their pending work.",
    discussion: """
      keep: it leaves the log and waits, unseen, until they sign in again. hand-over: somebody else \
      submits it as their own; ask both. discard: it is given up, and printed as operations.
      """)

  @OptionGroup var store: StoreArgument

  @Option(name: .customLong("as"), help: PrincipalArgument.help)
  var principal: PrincipalArgument

  @Option(help: "keep, hand-over or discard.")
  var mode = Mode.keep

  @Option(help: "With hand-over: who submits it.")
  var to: PrincipalArgument?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if (mode == .handOver) != (to != nil) {
      throw ValidationError("--to goes with --mode hand-over, which needs it")
    }
  }

  func run() throws {
    let store = try store.open()
    let mode: SignOutMode
    switch (self.mode, to?.principal) {
    case (.discard, _): mode = .discard
    case (.handOver, let other?): mode = .handOver(to: other)
    default: mode = .keep
    }
    let receipt: SignOutReceipt
    do {
      receipt = try store.signOut(principal.principal, mode)
    } catch let refusal as AuthorizationError {
      throw CommandError(
        .no, "\(refusal); nothing has changed: keep the work, or discard it")
    }
    if self.mode == .discard {
      for operation in receipt.operations.joined() { try Output.line(operation.json(store.schema)) }
      if !common.json { Output.text("\(receipt.eventCount) pending events were discarded") }
      return
    }
    guard common.json else {
      let done = self.mode == .keep ? "kept until they sign in again" : "handed over"
      return Output.text("\(receipt.eventCount) pending events were \(done)")
    }
    var builder = JSONLine()
    builder.beginObject()
    builder.append("mode", self.mode.rawValue)
    builder.append("events", receipt.eventCount)
    builder.append("dots", Value.list(receipt.dots.map { .string($0.description) }))
    builder.endObject()
    try Output.line(builder.bytes)
  }
}

extension Tidemark.Operation {
  /// A line that `apply` takes.
  fileprivate func json(_ schema: Schema) throws -> [UInt8] {
    var builder = JSONLine()
    builder.beginObject()
    builder.append("op", kind.name)
    builder.append("model", model)
    builder.append("id", id.string)
    if kind != .delete, let model = schema.model(model) {
      let given = changes.compactMap { change in
        model.fieldIndex(change.name).map { FieldChange(field: $0, operation: change.operation) }
      }
      Operation.appendFields(given, of: model, to: &builder)
    }
    principal.appendJSON("actor", to: &builder)
    builder.append("tx", ifGiven: transactionLabel)
    builder.endObject()
    return builder.bytes
  }
}
