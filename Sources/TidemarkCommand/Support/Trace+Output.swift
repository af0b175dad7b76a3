import Tidemark
import TidemarkJSON

extension JSONBuilder {
  /// `"trace":[{"rule","applies","finding","why","field"?}]` and what it comes to.
  mutating func appendTrace(_ trace: Trace) {
    beginList("trace")
    for clause in trace.clauses {
      var members: [Value.Member] = [
        .init("rule", .string(clause.rule)),
        .init("applies", clause.applies.map(Value.bool) ?? .null),
        .init("finding", .string(clause.finding.rawValue)), .init("why", .string(clause.why)),
      ]
      if let field = clause.field { members.append(.init("field", .string(field))) }
      append(Value.object(members))
    }
    endList()
  }
}

extension Trace {
  /// The clauses for people, a line each.
  func show() {
    for clause in clauses {
      let mark =
        switch clause.applies {
        case true: Text.green("yes")
        case false: Text.red("no ")
        case nil: Text.yellow("?  ")
        }
      let field = clause.field.map { " on \($0)" } ?? ""
      Output.text("  \(mark)  \(clause.rule)\(field): \(Text.visible(clause.why))")
    }
  }
}
