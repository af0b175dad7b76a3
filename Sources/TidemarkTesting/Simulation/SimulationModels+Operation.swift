internal import Tidemark
internal import TidemarkEvents
internal import TidemarkSchema

extension SimulationModels {
  /// Any operation that a store's schema takes, on one of a few records.
  func operation(
    _ choices: inout Choices, _ principal: Principal, _ scenario: SimulationScenario,
    version: Int
  ) -> Operation {
    let schema = all[version]
    let model = schema.models[choices.below(schema.models.count)]
    let id = scenario.ids[choices.below(scenario.ids.count)]
    let kind: EventKind = [.create, .update, .delete][choices.place(by: [4, 6, 2])]
    var changes: [Operation.Change] = []
    if kind != .delete {
      for field in model.fields {
        let isOwner = model.ownerFields.contains(field.name)
        let isGiven = choices.happens(perThousand: isOwner ? 120 : 500)
        guard isGiven || kind == .create && field.isGivenOnCreate else { continue }
        if let operation = change(of: field, &choices, scenario, isOwner: isOwner) {
          changes.append(Operation.Change(field.name, operation))
        }
      }
    }
    return Operation(kind, model.name, id, changes, by: principal)
  }

  private func change(
    of field: Field, _ choices: inout Choices, _ scenario: SimulationScenario, isOwner: Bool
  ) -> FieldOperation? {
    switch field.merge {
    case .register:
      if isOwner { return .set(owner(field, &choices, scenario)) }
      if !field.type.isRequired, choices.happens(perThousand: 80) { return .set(.null) }
      return value(of: field.type.unwrapped, &choices).map(FieldOperation.set)
    case .counter: return .add(Int64(choices.below(7)) - 3)
    case .set:
      guard let type = field.type.element?.unwrapped else { return nil }
      let added = value(of: type, &choices)
      let removed = value(of: type, &choices)
      guard let added, let removed else { return nil }
      switch choices.below(3) {
      case 0: return .edit(add: [added], remove: [])
      case 1: return .edit(add: [], remove: [removed])
      default: return .edit(add: [added], remove: added == removed ? [] : [removed])
      }
    case .text: return nil
    }
  }

  /// Users' names, so that records are handed on, and taken away.
  private func owner(
    _ field: Field, _ choices: inout Choices, _ scenario: SimulationScenario
  ) -> Value {
    let names = scenario.users.compactMap(\.subject).map(Value.string)
    guard let first = choices.pick(names) else { return .null }
    guard field.type.element != nil else { return first }
    guard choices.below(2) == 1, let second = choices.pick(names), second != first else {
      return .list([first])
    }
    return .list([first, second])
  }

  private func value(of type: FieldType, _ choices: inout Choices) -> Value? {
    switch type {
    case .scalar(.string), .scalar(.id): .string("v\(choices.below(6))")
    case .scalar(.int), .scalar(.timestamp): .int(Int64(choices.below(9)))
    case .scalar(.float): .double(Double(choices.below(9)) / 2)
    case .scalar(.boolean): .bool(choices.below(2) == 1)
    case .enumeration(let name):
      schema.enumeration(name).flatMap { choices.pick($0.cases) }.map(Value.string)
    case .list(let element):
      value(of: element.unwrapped, &choices).map { Value.list([$0]) }
    case .scalar, .embedded, .required: nil
    }
  }
}
