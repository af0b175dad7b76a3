import Tidemark
import TidemarkSync

/// What the chapters do.
extension DemoScenario {
  func write(_ store: Store, _ operation: Tidemark.Operation) throws {
    _ = try store.submit([operation])
  }

  func sync(_ device: Store) throws { _ = try Replication.sync(device, cloud) }

  func post(_ id: RecordID, _ title: String, by principal: Principal) -> Tidemark.Operation {
    Operation(.create, "Post", id, [.init("title", .set(.string(title)))], by: principal)
  }

  func retitle(
    _ id: RecordID, _ title: String, by principal: Principal
  ) -> Tidemark.Operation {
    Operation(.update, "Post", id, [.init("title", .set(.string(title)))], by: principal)
  }

  func edit(
    _ id: RecordID, _ title: String?, likes: Int64, tag: String
  ) -> Tidemark.Operation {
    var changes: [Tidemark.Operation.Change] = [
      .init("likes", .add(likes)), .init("tags", .edit(add: [.string(tag)], remove: [])),
    ]
    if let title { changes.append(.init("title", .set(.string(title)))) }
    return Operation(.update, "Post", id, changes, by: ann)
  }

  func count(_ store: Store) throws -> Int {
    var count = 0
    try store.forEachRecord(of: "Post") { _ in
      count += 1
      return true
    }
    return count
  }

  func title(_ store: Store, _ id: RecordID) throws -> String? {
    try store.record("Post", id)?["title"]?.text
  }

  func tell(_ rejections: [Rejection]) throws {
    for rejection in rejections {
      let line = rejection.line
      let author = line.event?.principal.name ?? "somebody"
      let what = "\(line.eventKindName) of \(line.recordName) by \(author)"
      teller.say("   \(Text.yellow("rejected")) \(line.mark), \(what):")
      teller.say("     \(line.reason?.message ?? "")")
      teller.say("     reason \(line.reason?.code ?? ""), rule \(line.reason?.rule ?? "none")")
    }
  }
}
