// `@renamed(from: "title")`: the names that a field or a model had in earlier versions.

extension SchemaBuilder {
  /// The names that a directive gives.
  /// - Parameter name: of what it stands on.
  func earlierNames(
    _ directive: ParsedDirective, of name: String
  ) throws(SchemaError) -> [String] {
    let remedy = "@renamed(from: \"oldName\"), or a list of all the names that \(name) has had"
    let value = try only("from", of: directive, remedy)
    var names: [String] = []
    for element in value.elements {
      guard case .string(let earlier) = element.content, !earlier.isEmpty else {
        throw SchemaError(.wrongArgument, element.position, "write \(remedy)")
      }
      guard earlier != name, !names.contains(earlier) else {
        throw SchemaError(
          .duplicateName, element.position, "\(earlier) is given twice; leave it out here")
      }
      names.append(earlier)
    }
    guard !names.isEmpty else {
      throw SchemaError(.wrongArgument, value.position, "write \(remedy)")
    }
    return names
  }

  /// An earlier name belongs to one only, and to none that goes by it now.
  func checkEarlierNames(
    _ directives: [(name: String, directives: [ParsedDirective])], _ kind: String
  ) throws(SchemaError) {
    let current = Set(directives.map(\.name))
    var seen: Set<String> = []
    for (name, given) in directives {
      guard let directive = given.first(where: { $0.name.text == "renamed" }) else { continue }
      for earlier in try earlierNames(directive, of: name) {
        guard !current.contains(earlier) else {
          throw SchemaError(
            .duplicateName, directive.position,
            "\(earlier) is \(kind) of its own here; call that otherwise, or leave @renamed out")
        }
        guard seen.insert(earlier).inserted else {
          throw SchemaError(
            .duplicateName, directive.position,
            "\(earlier) is the earlier name of another already; only one can go on from it")
        }
      }
    }
  }
}
