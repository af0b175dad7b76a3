internal import TidemarkEvents
internal import TidemarkSchema

/// One request judged for one credential: the single path to a decision and to its explanation.
///
/// Without `clauses` it stops at the first rule that settles a question and builds no string.
/// With them it goes on through all rules, and each leaves a clause; what settles the question is
/// still the first, so that a decision and its explanation cannot differ.
struct Judgement {
  let policy: ModelPolicy
  let request: AccessRequest
  let authorizer: (any CustomAuthorizer)?
  /// `nil` where the request has no credentials at all.
  var principal: Principal? { credential.map { request.credentials[$0] } }
  /// Of the principal, so that most rules need not look at it.
  let provider: Principal.Provider?
  let isSignedIn: Bool
  let credential: Int?
  /// What the last owner rule came to: the rules of fields often ask the same of the same field.
  var ownerMemo: OwnerMemo?
  /// What each rule came to, where that is asked for; `nil` while only deciding.
  var clauses: [Clause]?

  /// What the request comes to.
  mutating func verdict() -> Verdict {
    // By place, here and below: a change is looked at, and its value not copied.
    let fieldCount = policy.fieldLevels.count
    for index in request.changes.indices
    where !(0..<fieldCount).contains(request.changes[index].field) {
      return Verdict(
        finding: .operationNotCovered, need: request.operation, code: .unknownField)
    }
    var tally = Tally(isRecording: clauses != nil)
    switch request.operation {
    case .create: judgeCreate(&tally)
    case .update: judgeUpdate(&tally)
    case .delete: judgeDelete(&tally)
    case .get, .list, .listen, .search, .sync: judgeRead(&tally)
    }
    return tally.verdict
      ?? Verdict(finding: .operationNotCovered, need: request.operation, code: .noRule)
  }

  /// Every given field, the id among them, must be allowed: by its own rules where it has some,
  /// else by the model's. A create that gives nothing at all needs any rule that matches.
  private mutating func judgeCreate(_ tally: inout Tally) {
    if !request.givesID && request.changes.isEmpty { return judgeRead(&tally) }
    if request.givesID || givesPlain { tally.require(judgeRecord(.create)) }
    for index in request.changes.indices {
      if tally.isSettled { return }
      let field = request.changes[index].field
      if policy.fieldLevels[field] != nil || policy.record.hasCustom {
        tally.require(judgeField(field, .create))
      }
    }
  }

  /// Whether a field is given that the model's rules hold for.
  private var givesPlain: Bool {
    for index in request.changes.indices
    where policy.fieldLevels[request.changes[index].field] == nil {
      return true
    }
    return false
  }

  /// Every given field needs `update`, and `delete` too where it is set to null. An update that
  /// gives no field is judged by the model's rules.
  private mutating func judgeUpdate(_ tally: inout Tally) {
    if givesPlain || request.changes.isEmpty { tally.require(judgeRecord(.update)) }
    for index in request.changes.indices {
      if tally.isSettled { return }
      let field = request.changes[index].field
      if isJudgedAlone(field) { tally.require(judgeField(field, .update)) }
    }
    var plainNullJudged = false
    for index in request.changes.indices where request.changes[index].operation.setsNull {
      if tally.isSettled { return }
      let field = request.changes[index].field
      let alone = isJudgedAlone(field)
      if !alone && plainNullJudged { continue }
      plainNullJudged = plainNullJudged || !alone
      var verdict = judgeField(field, .delete)
      if verdict.code != nil { verdict.code = .fieldNeedsDelete }
      tally.require(verdict)
    }
  }

  /// The matching rules must together allow `delete` on every field.
  private mutating func judgeDelete(_ tally: inout Tally) {
    tally.require(judgeRecord(.delete))
    let fields = policy.record.hasCustom ? Array(policy.model.fields.indices) : policy.ownFields
    for field in fields {
      if tally.isSettled { return }
      tally.require(judgeField(field, .delete))
    }
  }

  /// A record is there for who may read it, or any field of it by the field's own rules.
  private mutating func judgeRead(_ tally: inout Tally) {
    tally.offer(judgeRecord(request.operation))
    for field in policy.ownFields {
      if tally.isSettled { return }
      tally.offer(judgeField(field, request.operation))
    }
  }

  /// Whether the verdict on the record as a whole does not settle this field.
  private func isJudgedAlone(_ field: Int) -> Bool {
    policy.fieldLevels[field] != nil || policy.isGuardedOwner[field] || policy.record.hasCustom
  }

  mutating func judgeRecord(_ need: AccessOperation) -> Verdict {
    let (finding, rule) = judge(policy.record, need, field: nil)
    return Verdict(
      finding: finding, need: need, level: nil, rule: rule, field: nil, code: refusal(finding))
  }

  mutating func judgeField(_ field: Int, _ need: AccessOperation) -> Verdict {
    let (finding, rule) = judge(policy.level(of: field), need, field: field)
    var verdict = Verdict(
      finding: finding, need: need, level: field, rule: rule, field: field,
      code: refusal(finding))
    if verdict.code != nil && policy.fieldLevels[field] != nil && mayTouchRecord() {
      verdict.code = .fieldForbidden
    }
    return verdict
  }

  private func refusal(_ finding: Finding) -> ReasonCode? {
    finding == .applies || finding.isUnknown ? nil : finding.code
  }

  /// Whether the model's rules let the caller do this to the record's other fields: then a field
  /// is what is forbidden, and otherwise more is.
  private mutating func mayTouchRecord() -> Bool {
    for rule in policy.record.rules
    where finding(of: rule, request.operation, field: nil) == .applies {
      return true
    }
    return false
  }

  /// The nearest finding of a level's rules, and its rule's place.
  private mutating func judge(
    _ level: Level, _ need: AccessOperation, field: Int?
  ) -> (finding: Finding, rule: Int?) {
    var nearest = (finding: Finding.operationNotCovered, rule: Int?.none)
    for index in level.rules.indices {
      let rule = level.rules[index]
      let found = finding(of: rule, need, field: field)
      if clauses != nil {
        let clause = clause(rule, found, need: need, field: field)
        clauses?.append(clause)
      }
      if found.distance < nearest.finding.distance {
        nearest = (found, index)
        if found == .applies && clauses == nil { break }
      }
    }
    return nearest
  }
}

/// What comparing an owner field with the caller came to. It is the same for all of one request.
struct OwnerMemo {
  let field: Int?
  let claim: IdentityClaim
  let finding: Finding
}

/// What one level, or a whole request, comes to. Places instead of names: it costs no string.
struct Verdict {
  /// The nearest finding.
  var finding: Finding
  /// The operation that was needed.
  var need: AccessOperation
  /// The field whose level was asked; `nil` for the record's.
  var level: Int?
  /// The place in the level's rules; `nil` where none covers the operation.
  var rule: Int?
  var field: Int?
  /// Set where it is a refusal.
  var code: ReasonCode?

  var isAllowed: Bool { code == nil && !finding.isUnknown }

  /// How near a refusal came: who may do it but for a field came nearest.
  var distance: UInt8 {
    switch code {
    case .fieldForbidden, .fieldNeedsDelete, .unknownField: 0
    default: finding.distance
    }
  }
}

/// Verdicts taken together: the first refusal decides, else the first that is not known, else
/// the first that allowed.
private struct Tally {
  let isRecording: Bool
  private(set) var verdict: Verdict?
  private var isFinal = false

  init(isRecording: Bool) {
    self.isRecording = isRecording
  }

  /// Nothing that follows can change the outcome, and nobody wants to read it.
  var isSettled: Bool { isFinal && !isRecording }

  /// All must allow.
  mutating func require(_ next: Verdict) {
    guard !isFinal else { return }
    if next.code != nil {
      verdict = next
      isFinal = true
    } else if verdict?.isAllowed ?? true, !next.isAllowed || verdict == nil {
      verdict = next
    }
  }

  /// One that allows is enough; else the nearest.
  mutating func offer(_ next: Verdict) {
    guard !isFinal else { return }
    if next.isAllowed || next.finding.distance < verdict?.finding.distance ?? .max {
      verdict = next
    }
    isFinal = next.isAllowed
  }
}

extension FieldOperation {
  fileprivate var setsNull: Bool {
    if case .set(let value) = self { return value.isNull }
    return false
  }
}
