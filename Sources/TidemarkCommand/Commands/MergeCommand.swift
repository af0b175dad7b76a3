import ArgumentParser
import Tidemark
import TidemarkJSON
import TidemarkSync

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Bring INTO all that FROM has and it lacks, through INTO's acceptance.",
    discussion: """
      An authority judges what it is given; a device takes what an authority has decided. Only INTO \
      changes.
      """)

  @Argument(help: "The store to read.")
  var from: String

  @Argument(help: "The store to change.")
  var into: String

  @OptionGroup var common: CommonOptions

  func run() throws {
    let (source, target) = try StorePair.open(from, into)
    let summary = try Replication.merge(
      from: source, into: target, progress: Progress.show)
    Progress.clear()
    if common.json {
      var builder = JSONLine()
      builder.append(summary)
      return try Output.line(builder.bytes)
    }
    Output.text("\(from) → \(into): \(summary.text)")
    summary.showForks()
  }
}

struct SyncCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Exchange both ways: events up, decisions and others' events down.")

  @Argument(help: "A store.")
  var directory: String

  @Argument(help: "The other store's directory.")
  var other: String

  @OptionGroup var common: CommonOptions

  func run() throws {
    guard !other.contains("://") else {
      throw CommandError(
        .usage, "\(other): sync over the network is not there yet; give a directory")
    }
    let (left, right) = try StorePair.open(directory, other)
    let exchange = try Replication.sync(left, right, progress: Progress.show)
    Progress.clear()
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
    Output.text("\(other) → \(directory): \(exchange.toLeft.text)")
    exchange.toLeft.showForks()
  }
}

enum StorePair {
  static func open(_ left: String, _ right: String) throws -> (Store, Store) {
    let first = try open(left)
    let second = try open(right)
    guard try first.identity.logID != second.identity.logID || !isSame(left, right) else {
      throw CommandError(.usage, "\(left) and \(right) are one store; name two")
    }
    return (first, second)
  }

  private static func open(_ directory: String) throws -> Store {
    do {
      return try Support.open(directory)
    } catch {
      throw StoreError(error.code, "\(directory): \(error.message)")
    }
  }

  private static func isSame(_ left: String, _ right: String) -> Bool {
    FileIdentity(left + "/data.mdb") == FileIdentity(right + "/data.mdb")
  }
}

/// Progress for people, on standard error while that is a terminal.
enum Progress {
  static func show(_ summary: MergeSummary) {
    guard StandardError.isTerminal else { return }
    StandardError.write("\r\u{1b}[K\(summary.text)")
  }

  static func clear() {
    if StandardError.isTerminal { StandardError.write("\r\u{1b}[K") }
  }
}

extension MergeSummary {
  var text: String {
    var parts = ["\(takenCount) taken"]
    if rejectedCount > 0 { parts.append("\(rejectedCount) rejected") }
    if decidedCount > 0 { parts.append("\(decidedCount) of its own accepted") }
    if voidedCount > 0 { parts.append("\(voidedCount) voided") }
    return parts.joined(separator: ", ")
  }

  func showForks() {
    for fork in forks {
      Output.text(
        Text.yellow("fork")
          + " at \(fork.dot): another store wrote under the same replica id; \(fork.eventCount) events go on under \(fork.replica)"
      )
    }
  }
}

extension JSONBuilder {
  mutating func append(_ summary: MergeSummary, key: String? = nil) {
    if let key { beginObject(key) } else { beginObject() }
    append("taken", summary.takenCount)
    append("rejected", summary.rejectedCount)
    append("accepted", summary.decidedCount)
    append("voided", summary.voidedCount)
    append(
      "forks",
      Value.list(
        summary.forks.map { fork in
          .object([
            .init("dot", .string("\(fork.dot)")), .init("replica", .string("\(fork.replica)")),
            .init("events", .int(Int64(fork.eventCount))),
          ])
        }))
    endObject()
  }
}
