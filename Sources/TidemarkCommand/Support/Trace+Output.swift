import Tidemark
import TidemarkJSON

extension JSONBuilder {
  /// `"trace":[{"rule","applies","finding","why","field"?}]` and what it comes to,
  /// `"decision":{"decision","rule"?,"mode"?,"reason"?,"message"?,"field"?}`.
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
    beginObject("decision")
    append("decision", trace.decision.name)
    append("rule", ifGiven: trace.decision.rule)
    append("mode", ifGiven: trace.decision.mode)
    if let denial = trace.decision.denial {
      append("reason", denial.code.rawValue)
      append("message", denial.message)
      append("field", ifGiven: denial.field)
    }
    endObject()
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

extension Decision {
  var name: String {
    switch self {
    case .allowed: "allowed"
    case .denied: "denied"
    case .unknown: "unknown"
    }
  }

  /// The rule that allowed it, refused it, or lacks a fact.
  var rule: String? {
    if case .allowed(let allowance) = self { return allowance.rule }
    return denial?.rule
  }

  /// The provider of the credential that was allowed.
  var mode: String? {
    if case .allowed(let allowance) = self { return allowance.provider.rawValue }
    return nil
  }

  /// For people: what the rules come to; the clauses say why.
  var text: String {
    let by = rule.map { " by \($0)" } ?? ""
    switch self {
    case .allowed(let allowance):
      return Text.green("allowed") + by + " for \(allowance.provider.rawValue)"
    case .denied(let denial):
      return Text.red("denied") + by + " (\(denial.code.rawValue))"
    case .unknown(let fact):
      return Text.yellow("not known here") + by + ": \(Text.visible(fact.message))"
    }
  }
}
