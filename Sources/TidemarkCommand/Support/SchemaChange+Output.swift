import Tidemark

extension SchemaChange {
  /// For people.
  var text: String {
    let place = field.map { "\(model).\($0)" } ?? model
    return "\(code.rawValue)  \(place): \(message)"
  }

  var json: Value {
    var members: [Value.Member] = [
      .init("change", .string(code.rawValue)), .init("model", .string(model)),
    ]
    if let field { members.append(.init("field", .string(field))) }
    members.append(.init("refused", .bool(isRefused)))
    members.append(.init("message", .string(message)))
    return .object(members)
  }
}
