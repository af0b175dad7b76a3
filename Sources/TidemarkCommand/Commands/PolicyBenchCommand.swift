import ArgumentParser
import Tidemark
import TidemarkJSON

struct PolicyBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how long decisions take on this machine.",
    discussion: "The model has ten rules, five of them on fields; each operation is decided alone.")

  @Option(help: "How often each is decided; the best of five rounds is shown.")
  var iterations = 200_000

  @Option(help: "Only the rows whose names hold this text.")
  var only = ""

  @OptionGroup var common: CommonOptions

  private static let schema = """
    type Post @model @auth(rules: [
      { allow: owner }
      { allow: owner, ownerField: "editors", operations: [read, update] }
      { allow: groups, groups: ["Admins"], operations: [read, delete] }
      { allow: groups, groupsField: "team", operations: [read] }
      { allow: public, operations: [read] }
    ]) {
      title: String!
      body: String @auth(rules: [{ allow: owner }])
      note: String @auth(rules: [{ allow: owner, operations: [read, update] }])
      rank: Int @auth(rules: [{ allow: groups, groups: ["Admins"] }])
      mark: String @auth(rules: [{ allow: private, operations: [read] }])
      seal: String @auth(rules: [{ allow: owner }])
    }
    """

  func validate() throws {
    guard (1...100_000_000).contains(iterations) else {
      throw ValidationError("--iterations takes 1 to 100000000")
    }
  }

  func run() throws {
    let schema = try Schema.parse(PolicyBenchCommand.schema)
    let policy = Policy(schema)
    let model = schema.models[0]
    func place(_ name: String) -> Int { model.fieldIndex(name) ?? 0 }
    let owner = place("owner")
    let stored = StoredRecord { $0 == owner ? "ann" : .null }
    func request(
      _ operation: AccessOperation, _ principal: Principal, _ fields: [String]
    ) -> AccessRequest {
      AccessRequest(
        model: 0, operation: operation, credentials: [principal],
        changes: fields.map(place).sorted().map { FieldChange(field: $0, operation: .set("x")) },
        stored: stored)
    }
    let ann = Principal.user("ann")
    let lawful = request(.update, ann, ["title", "body", "note", "seal"])
    let unlawful = request(.update, .user("bob"), ["title", "body"])
    let forbidden = request(.update, ann, ["title", "rank"])
    let usual = request(.update, ann, ["title", "body"])
    try measure("an update of two fields, allowed") { policy.decide(usual).isAllowed }
    try measure("an update of four fields, allowed") { policy.decide(lawful).isAllowed }
    let creating = request(.create, ann, ["title"])
    try measure("a create whose owner is filled in") { policy.decide(creating).isAllowed }
    try measure("an update by another, denied") { policy.decide(unlawful).isAllowed }
    try measure("a denied update with its whole trace") {
      policy.explain(unlawful).decision.isAllowed
    }
    try measure("a forbidden field with its whole trace") {
      policy.explain(forbidden).decision.isAllowed
    }
  }

  private func measure(_ name: String, _ body: () -> Bool) throws {
    guard only.isEmpty || name.contains(only) else { return }
    var best = Double.infinity
    var allowed = 0
    for _ in 0..<5 {
      let started = ContinuousClock.now
      for _ in 0..<iterations where body() { allowed += 1 }
      best = min(best, (ContinuousClock.now - started).seconds / Double(iterations))
    }
    let nanoseconds = (best * 1e10).rounded() / 10
    guard common.json else {
      return Output.text("\(Text.padded(name, to: 40)) \(nanoseconds) ns")
    }
    var builder = JSONLine()
    builder.beginObject()
    builder.append("row", name)
    builder.append("nanoseconds", nanoseconds)
    builder.append("allowed", allowed > 0)
    builder.endObject()
    try Output.line(builder.bytes)
  }
}
