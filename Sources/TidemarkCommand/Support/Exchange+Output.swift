import Tidemark
import TidemarkJSON
import TidemarkSync

enum StorePair {
  static func open(
    _ left: String, _ right: String, authorizer: (any CustomAuthorizer)? = nil
  ) throws -> (Store, Store) {
    var options = StoreOptions()
    options.customAuthorizer = authorizer
    let first = try open(left, options)
    let second = try open(right, options)
    guard try first.identity.logID != second.identity.logID || !isSame(left, right) else {
      throw CommandError(.usage, "\(left) and \(right) are one store; name two")
    }
    return (first, second)
  }

  private static func open(_ directory: String, _ options: StoreOptions) throws -> Store {
    do {
      return try Store.open(at: directory, options: options)
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
    if disclosedCount > 0 { parts.append("\(disclosedCount) disclosed") }
    if withheldCount > 0 { parts.append("\(withheldCount) withheld") }
    return parts.joined(separator: ", ")
  }

  func showHeld() {
    for work in held {
      let events = work.eventCount == 1 ? "1 event" : "\(work.eventCount) events"
      let why =
        switch work.reason {
        case .notSignedIn: "who is not signed in: sign in and sync again, or sign them out"
        case .expired: "whose credential has expired: sign in again and sync"
        case .behind: "behind those that wait"
        }
      Output.text(
        Text.yellow("held") + "  \(events) of \(Text.visible(work.principal.name)), \(why)")
    }
  }

  func showForks() {
    for fork in forks {
      let events = fork.eventCount == 1 ? "1 event goes on" : "\(fork.eventCount) events go on"
      Output.text(
        Text.yellow("fork") + " at \(fork.dot): another store wrote under the same replica id; "
          + "\(events) under \(fork.replica)")
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
    if summary.disclosedCount > 0 { append("disclosed", summary.disclosedCount) }
    if summary.withheldCount > 0 { append("withheld", summary.withheldCount) }
    append(
      "forks",
      Value.list(
        summary.forks.map { fork in
          .object([
            .init("dot", .string("\(fork.dot)")), .init("replica", .string("\(fork.replica)")),
            .init("events", .int(Int64(fork.eventCount))),
          ])
        }))
    if !summary.held.isEmpty {
      beginList("held")
      for work in summary.held {
        beginObject()
        work.principal.appendJSON("actor", to: &self)
        append("events", work.eventCount)
        append("reason", work.reason.rawValue)
        endObject()
      }
      endList()
    }
    endObject()
  }
}

extension [PrincipalArgument] {
  /// `nil` where nobody is named: then everybody's work goes, and all is read.
  var credentials: [Credential]? { isEmpty ? nil : map { Credential($0.principal) } }
}
