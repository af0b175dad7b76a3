import Tidemark
import TidemarkJSON

/// One hypothetical operation.
struct PolicyCase {
  let model: String
  let operation: String
  let principals: [Principal]
  let input: Value?
  let record: Value?

  init(model: String, operation: String, principals: [Principal], input: Value?, record: Value?) {
    self.model = model
    self.operation = operation
    self.principals = principals.flatMap(\.credentials)
    self.input = input
    self.record = record
  }

  /// Reads `{"model","op","principal","input","record"}`.
  init(_ value: Value) throws {
    guard case .object(let members) = value else {
      throw CommandError(.usage, "a case is a JSON object")
    }
    let keys = ["model", "op", "principal", "input", "record"]
    for member in members where !keys.contains(member.name) {
      throw CommandError(
        .usage, "a case has no key \(member.name); it has \(keys.joined(separator: ", "))")
    }
    guard let model = value["model"]?.stringValue, let operation = value["op"]?.stringValue else {
      throw CommandError(.usage, "a case names \"model\" and \"op\"")
    }
    var actors: [Value?] = [value["principal"]]
    if case .list(let several)? = value["principal"] { actors = several }
    do {
      principals = try actors.flatMap { try Principal(actor: $0).credentials }
    } catch let error as OperationError {
      throw CommandError(.usage, error.message)
    }
    for key in ["input", "record"] {
      guard let given = value[key], !given.isNull else { continue }
      guard case .object = given else { throw CommandError(.usage, "\"\(key)\" is an object") }
    }
    self.model = model
    self.operation = operation
    input = value["input"].flatMap { $0.isNull ? nil : $0 }
    record = value["record"].flatMap { $0.isNull ? nil : $0 }
  }
}

/// What a policy says to a case.
struct PolicyVerdict {
  var isAllowed: Bool
  var reason: String?
  var rule: String?
  var mode: String?
  var message = ""
  /// Fields that were refused, or for a read those that are hidden, with why.
  var fields: [Value.Member] = []
  var record: Value?
  var trace: Trace?

  var json: [UInt8] {
    var builder = JSONLine()
    builder.beginObject()
    builder.append("decision", isAllowed ? "allowed" : "denied")
    builder.append("reason", ifGiven: reason)
    builder.append("rule", ifGiven: rule)
    builder.append("mode", ifGiven: mode)
    builder.append("fields", Value.object(fields))
    if let record { builder.append("record", record) }
    if !message.isEmpty { builder.append("message", message) }
    builder.endObject()
    return builder.bytes
  }
}

/// Decides cases with the store's own engine.
struct PolicyDecider {
  private let schema: Schema
  private let policy: Policy

  init(_ schema: Schema, _ authorizer: (any CustomAuthorizer)?) {
    self.schema = schema
    policy = Policy(schema, customAuthorizer: authorizer)
  }

  func decide(_ item: PolicyCase) throws -> PolicyVerdict {
    guard let place = schema.modelIndex(item.model) else {
      throw CommandError(
        .usage,
        "the schema has no model \(item.model); it has \(schema.models.map(\.name).joined(separator: ", "))"
      )
    }
    let operation = try AccessOperation(named: item.operation)
    let model = schema.models[place]
    let stored = try item.record.map { try facts($0, model) }
    if operation.isRead { return read(item, operation, place, stored) }
    let changes = try changes(item.input, model)
    let request = AccessRequest(
      model: place, operation: operation, credentials: item.principals, changes: changes,
      stored: operation == .create ? nil : stored, givesID: item.input?["id"] != nil)
    let trace = policy.explain(request)
    var verdict = verdict(trace.decision, item)
    verdict.trace = trace
    if case .allowed(let allowance) = trace.decision {
      verdict.record = result(item, operation, allowance, model)
    }
    return verdict
  }

  private func verdict(_ decision: Decision, _ item: PolicyCase) -> PolicyVerdict {
    switch decision {
    case .allowed(let allowance):
      return PolicyVerdict(
        isAllowed: true, rule: allowance.rule, mode: allowance.provider.rawValue)
    case .denied, .unknown:
      guard let denial = decision.denial else { return PolicyVerdict(isAllowed: false) }
      var verdict = PolicyVerdict(
        isAllowed: false, reason: denial.code.rawValue, rule: denial.rule,
        mode: item.principals.first?.provider.rawValue, message: denial.message)
      if let field = denial.field {
        verdict.fields = [.init(field, .string(denial.code.rawValue))]
      }
      return verdict
    }
  }

  private func read(
    _ item: PolicyCase, _ operation: AccessOperation, _ place: Int, _ stored: StoredRecord?
  ) -> PolicyVerdict {
    let trace = policy.explain(
      AccessRequest(
        model: place, operation: operation, credentials: item.principals, stored: stored))
    var verdict = verdict(trace.decision, item)
    verdict.trace = trace
    let access = policy.readAccess(
      model: place, operation: operation, credentials: item.principals, stored: stored)
    verdict.isAllowed = access.isVisible
    guard access.isVisible else { return verdict }
    verdict.reason = nil
    verdict.message = ""
    let hidden = access.hiddenFields.map { schema.models[place].fields[$0].name }
    verdict.fields = hidden.map { .init($0, "hidden") }
    if case .object(let members)? = item.record {
      verdict.record = .object(
        members.map { hidden.contains($0.name) ? .init($0.name, .null) : $0 })
    }
    return verdict
  }

  private func facts(_ record: Value, _ model: Model) throws -> StoredRecord {
    if case .object(let members) = record {
      for member in members where member.name != "id" && model.field(member.name) == nil {
        throw CommandError(.usage, "\(model.name) has no field \(member.name)")
      }
    }
    return StoredRecord { place in
      model.fields.indices.contains(place) ? record[model.fields[place].name] ?? .null : .null
    }
  }

  private func changes(_ input: Value?, _ model: Model) throws -> [FieldChange] {
    guard case .object(let members)? = input else { return [] }
    var changes: [FieldChange] = []
    for member in members where member.name != "id" {
      guard let place = model.fieldIndex(member.name) else {
        throw CommandError(.usage, "\(model.name) has no field \(member.name)")
      }
      changes.append(FieldChange(field: place, operation: .set(member.value)))
    }
    return changes.sorted { $0.field < $1.field }
  }

  /// What a create or update would store.
  private func result(
    _ item: PolicyCase, _ operation: AccessOperation, _ allowance: Allowance, _ model: Model
  ) -> Value? {
    guard operation == .create || operation == .update else { return nil }
    var members: [Value.Member] = []
    func put(_ member: Value.Member) {
      if let index = members.firstIndex(where: { $0.name == member.name }) {
        members[index] = member
      } else {
        members.append(member)
      }
    }
    if operation == .update, case .object(let stored)? = item.record { stored.forEach(put) }
    if case .object(let given)? = item.input { given.forEach(put) }
    for owner in allowance.filledOwners {
      put(.init(model.fields[owner.field].name, owner.value))
    }
    return .object(members)
  }
}
