import ArgumentParser
import Tidemark
import TidemarkJSON

struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Show what two stores disagree on: missing events, records, the first difference.")

  @Argument(help: "A store.")
  var left: String

  @Argument(help: "Another.")
  var right: String

  @OptionGroup var common: CommonOptions

  func run() throws {
    let (first, second) = try StorePair.open(left, right)
    let difference = try first.difference(from: second)
    if common.json {
      try printJSON(difference)
    } else {
      show(difference)
    }
    if !difference.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
  }

  private func printJSON(_ difference: StoreDifference) throws {
    for (side, ranges) in [("left", difference.onlyLeft), ("right", difference.onlyRight)] {
      for range in ranges {
        var builder = JSONLine()
        builder.beginObject()
        builder.append("kind", "range")
        builder.append("only", side)
        builder.append("replica", range.replica.description)
        builder.append("from", range.firstSeq)
        builder.append("to", range.lastSeq)
        builder.endObject()
        try Output.line(builder.bytes)
      }
    }
    for (side, ranges) in [("left", difference.withheldLeft), ("right", difference.withheldRight)] {
      for range in ranges {
        var builder = JSONLine()
        builder.beginObject()
        builder.append("kind", "withheld")
        builder.append("from", range.firstSeq)
        builder.append("to", range.lastSeq)
        builder.append("replica", range.replica.description)
        builder.append("side", side)
        builder.endObject()
        try Output.line(builder.bytes)
      }
    }
    for record in difference.records {
      var builder = JSONLine()
      builder.beginObject()
      builder.append("kind", "record")
      builder.append("model", record.model)
      builder.append("id", record.id.string)
      for (side, view) in [("left", record.left), ("right", record.right)] {
        if let view { builder.append(view, key: side) } else { builder.append(side, Value.null) }
      }
      builder.endObject()
      try Output.line(builder.bytes)
    }
    if let first = difference.firstDifference {
      var builder = JSONLine()
      builder.beginObject()
      builder.append("kind", "first")
      builder.append("dot", first.description)
      builder.endObject()
      try Output.line(builder.bytes)
    }
  }

  private func show(_ difference: StoreDifference) {
    if difference.isEmpty {
      return Output.text(Text.green("the same") + ": events, decisions and view")
    }
    for (name, ranges) in [(left, difference.onlyLeft), (right, difference.onlyRight)] {
      for range in ranges {
        Output.text("only in \(name): \(range.replica):\(range.firstSeq)–\(range.lastSeq)")
      }
    }
    for (name, ranges) in [(left, difference.withheldLeft), (right, difference.withheldRight)] {
      for range in ranges {
        Output.text(
          "withheld from \(name), whole or in part: \(range.replica):\(range.firstSeq)–\(range.lastSeq)"
        )
      }
    }
    for record in difference.records {
      Output.text(Text.bold("\(record.model) \(Text.visible(record.id.string))"))
      for (name, view) in [(left, record.left), (right, record.right)] {
        let text = view.map { view in
          view.fields.map { "\($0.name) = \(Text.shortened($0.value.text, to: 30))" }
            .joined(separator: ", ")
        }
        Output.text("  \(name): \(Text.visible(text ?? "not there"))")
      }
    }
    if let first = difference.firstDifference { Output.text("first differing event: \(first)") }
  }
}
