public import TidemarkEvents
internal import TidemarkSchema

/// What of one record somebody may read.
public struct ReadAccess: Sendable, Hashable {
  /// Whether the record is found and listed at all.
  public let isVisible: Bool
  /// Where it is not visible: whether that is only because a fact is missing here.
  public let isUnknown: Bool
  /// The places of the fields that read as null, and are to be reported as such.
  public let hiddenFields: [Int]
}

/// What of all of a model's records somebody may read, as far as no record needs to be asked.
public enum ReadScope: Sendable, Hashable {
  /// No record, whatever it holds.
  case nothing
  /// Every record. Fields with rules of their own may still be hidden.
  case everything
  /// It depends on each record: its owner, its groups, or the app's function.
  case filtered
}

extension Policy {
  /// Whether a record is found, and which of its fields are null, for a part of `read`.
  ///
  /// A record is visible when the model's rules allow reading it, or some field's own rules
  /// allow reading that field. With several credentials, what any of them may read is readable:
  /// each of them could ask alone.
  public func readAccess(
    model: Int, operation: AccessOperation, credentials: [Principal],
    stored: (any RecordFacts)?
  ) -> ReadAccess {
    guard models.indices.contains(model), operation.isRead else {
      return ReadAccess(isVisible: false, isUnknown: false, hiddenFields: [])
    }
    let policy = models[model]
    let request = AccessRequest(
      model: model, operation: operation, credentials: credentials, stored: stored)
    let record = best(request, policy) { $0.judgeRecord(operation) }
    var isVisible = record == .applies
    var isUnknown = record.isUnknown
    var hidden: [Int] = []
    for field in policy.model.fields.indices {
      var finding = record
      let hasOwnRules = policy.fieldLevels[field] != nil
      if hasOwnRules || policy.record.hasCustom {
        finding = best(request, policy) { $0.judgeField(field, operation) }
      }
      if finding != .applies {
        hidden.append(field)
      } else if hasOwnRules {
        isVisible = true
      }
      isUnknown = isUnknown || finding.isUnknown
    }
    return ReadAccess(
      isVisible: isVisible, isUnknown: isUnknown && !isVisible, hiddenFields: hidden)
  }

  /// Whether one field of a record may be read, by which rule, or why not.
  public func decideReading(
    model: Int, field: Int, operation: AccessOperation = .get, credentials: [Principal],
    stored: (any RecordFacts)?
  ) -> Decision {
    guard models.indices.contains(model), models[model].model.fields.indices.contains(field),
      operation.isRead
    else {
      return .denied(Denial(code: .unknownField, message: "The schema has no such field."))
    }
    let policy = models[model]
    let request = AccessRequest(
      model: model, operation: operation, credentials: credentials, stored: stored)
    var nearest: (verdict: Verdict, judgement: Judgement)?
    for credential in Credentials(of: request, policy: policy) {
      var judgement = judgement(request, policy, credential)
      let verdict = judgement.judgeField(field, operation)
      if verdict.isAllowed { return .allowed(judgement.allowance(verdict)) }
      if nearest.map({ verdict.finding.distance < $0.verdict.finding.distance }) ?? true {
        nearest = (verdict, judgement)
      }
    }
    guard let nearest else {
      return .denied(Denial(code: .noRule, message: "No rule allows this."))
    }
    return nearest.verdict.code == nil
      ? .unknown(nearest.judgement.unknownFact(nearest.verdict))
      : .denied(nearest.judgement.denial(nearest.verdict))
  }

  /// Whether a record is found and listed: the filter of `get`, `list` and the other parts.
  public func canRead(
    model: Int, operation: AccessOperation, credentials: [Principal],
    stored: (any RecordFacts)?
  ) -> Bool {
    guard operation.isRead else { return false }
    return decide(
      AccessRequest(
        model: model, operation: operation, credentials: credentials, stored: stored)
    ).isAllowed
  }

  /// The places of the fields that may be read of that record, in order; none of an invisible one.
  public func permittedReadFields(
    model: Int, operation: AccessOperation, credentials: [Principal],
    stored: (any RecordFacts)?
  ) -> [Int] {
    let access = readAccess(
      model: model, operation: operation, credentials: credentials, stored: stored)
    guard access.isVisible else { return [] }
    return models[model].model.fields.indices.filter { !access.hiddenFields.contains($0) }
  }

  /// Whether a reader of many records needs to ask for each.
  public func readScope(
    model: Int, operation: AccessOperation, credentials: [Principal]
  ) -> ReadScope {
    let access = readAccess(
      model: model, operation: operation, credentials: credentials, stored: nil)
    if access.isVisible { return .everything }
    return access.isUnknown ? .filtered : .nothing
  }

  /// The nearest finding of all credentials.
  private func best(
    _ request: AccessRequest, _ policy: ModelPolicy, _ judge: (inout Judgement) -> Verdict
  ) -> Finding {
    var nearest = Finding.operationNotCovered
    for credential in Credentials(of: request, policy: policy) {
      var judgement = judgement(request, policy, credential)
      let finding = judge(&judgement).finding
      if finding.distance < nearest.distance { nearest = finding }
      if nearest == .applies { break }
    }
    return nearest
  }
}
