import ArgumentParser
import Tidemark
import TidemarkJSON

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say why an event was accepted, rejected, overridden or has no effect, rule by rule.")

  @OptionGroup var store: StoreArgument

  @Argument(help: "The event's dot, REPLICA:SEQ, as `log` shows it with --json.")
  var dot: Dot

  @Option(name: .customLong("as"), help: PrincipalArgument.readerHelp)
  var principal: PrincipalArgument?

  @OptionGroup var common: CommonOptions

  func run() throws {
    let store = try store.open()
    let explanation: Explanation
    do {
      explanation = try store.explain(dot, as: principal?.principal)
    } catch let error where error.code == .notFound {
      throw CommandError(.no, error.message)
    }
    if common.json {
      try Output.line(json(explanation))
    } else {
      show(explanation)
    }
  }

  private func json(_ explanation: Explanation) -> [UInt8] {
    var builder = JSONLine()
    builder.beginObject()
    explanation.line.appendKeys(to: &builder)
    builder.append("message", ifGiven: explanation.line.reason?.message)
    builder.append("effect", explanation.effect.rawValue)
    builder.append("because", Value.list(explanation.because.map { .string("\($0)") }))
    builder.beginList("outcomes")
    for field in explanation.fields {
      var members: [Value.Member] = [
        .init("field", .string(field.field)), .init("outcome", .string(field.outcome.rawValue)),
      ]
      if let by = field.by { members.append(.init("by", .string("\(by)"))) }
      if !field.over.isEmpty {
        members.append(.init("over", .list(field.over.map { .string("\($0)") })))
      }
      builder.append(Value.object(members))
    }
    builder.endList()
    if let trace = explanation.trace { builder.appendTrace(trace) }
    builder.endObject()
    return builder.bytes
  }

  private func show(_ explanation: Explanation) {
    showEvent(explanation.line)
    showDecision(explanation.line)
    showRules(explanation)
    showEffect(explanation)
  }

  private func showEvent(_ line: LogLine) {
    guard let event = line.event else {
      guard line.isTombstone else {
        return Output.text(
          Text.bold("\(line.dot)") + "  withheld: nobody for whom this store syncs may read it")
      }
      Output.text(Text.bold("\(line.dot)") + "  a tombstone")
      Output.text(
        "  What was written, and by whom, is kept by its author's store and the authority.")
      return
    }
    Output.text(
      Text.bold("\(line.dot)") + "  \(line.eventKindName) of \(Text.visible(line.recordName))")
    // A tombstone's own stamp is that of the decision.
    let when = line.isTombstone ? event.stamp : line.stamp
    Output.text("  written by \(Text.visible(event.principal.name)) at \(when.time)")
    Output.text("  in transaction \(Text.visible(line.transaction))")
    if let effective = line.effective {
      Output.text("  its clock was ahead: it counts as of \(effective.time)")
    }
    if !line.writtenText.isEmpty { Output.text("  it says: \(Text.visible(line.writtenText))") }
  }

  private func showDecision(_ line: LogLine) {
    Output.text("")
    let by = line.authority.map { " by \($0)" } ?? ""
    let when = line.decided.map { " at \($0.time)" } ?? ""
    let policy = line.policy.map { ", under policy \($0)" } ?? ""
    switch line.status {
    case .pending: Output.text(Text.yellow("pending") + ": no authority has decided yet")
    case .accepted: Output.text(Text.green("accepted") + by + when + policy)
    case .rejected:
      Output.text(Text.red("rejected") + by + when + policy)
      guard let reason = line.reason else { return }
      Output.text("  \(reason.code): \(Text.visible(reason.message))")
      Output.text("  " + (reason.rule.map { "the rule: \($0)" } ?? "no rule of the policy did it"))
    }
  }

  private func showRules(_ explanation: Explanation) {
    guard let trace = explanation.trace else { return }
    Output.text("")
    let policy = explanation.policy.map { " of policy \($0)" } ?? ""
    Output.text("Rule by rule\(policy), on the record as this log had it before:")
    trace.show()
    Output.text("  so it is \(trace.decision.text)")
    // An authority knows of other writes.
    let isAccepted = explanation.line.status == .accepted
    if explanation.line.status != .pending, isAccepted != trace.decision.isAllowed {
      Output.text("  The decision above was made on other grounds, and it is the one that counts.")
    }
  }

  private func showEffect(_ explanation: Explanation) {
    Output.text("")
    let because = explanation.because.map(\.description).joined(separator: ", ")
    switch explanation.effect {
    case .live where explanation.line.event?.kind == .delete:
      Output.text("Effect: live; what its author had seen of the record has ended")
    case .live: Output.text("Effect: live")
    case .ended:
      Output.text("Effect: none, for a delete that its author had not seen ended it: \(because)")
    case .overturned:
      Output.text("Effect: none, for a write that it had not seen overturned it: \(because)")
    case .void: Output.text("Effect: none; the view is as if it had never been written")
    case .unknown: Output.text("Effect: none known to this version")
    case .withheld: Output.text("Effect: not known here; this store may not read the record")
    }
    for field in explanation.fields {
      let by = field.by.map { " by \($0)" } ?? ""
      switch field.outcome {
      case .wins where !field.over.isEmpty:
        let over = field.over.map(\.description).joined(separator: ", ")
        Output.text(
          "  \(field.field): in conflict; the view shows it, for its stamp is later than that of \(over)"
        )
      case .wins: Output.text("  \(field.field): the view shows it")
      case .overwritten: Output.text("  \(field.field): set again later\(by), which had seen it")
      case .lost:
        Output.text(
          "  \(field.field): in conflict; a concurrent write with a later stamp wins\(by)")
      case .counts: Output.text("  \(field.field): counts")
      case .none: Output.text("  \(field.field): no effect")
      }
    }
  }
}
