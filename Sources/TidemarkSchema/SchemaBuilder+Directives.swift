internal import TidemarkEvents

// `@deletes`, `@merge` and `@default`.

extension SchemaBuilder {
  func deletePolicy(
    _ directive: ParsedDirective
  ) throws(SchemaError) -> Model.DeletePolicy {
    let remedy = "@deletes(wins: delete) or @deletes(wins: update)"
    let value = try only("wins", of: directive, remedy)
    guard let name = value.word, let policy = Model.DeletePolicy(rawValue: name) else {
      throw SchemaError(.wrongArgument, value.position, "write \(remedy)")
    }
    return policy
  }

  func mergeType(
    _ directive: ParsedDirective, _ type: FieldType
  ) throws(SchemaError) -> Field.MergeType {
    let remedy = "@merge(as: register), counter or set"
    let value = try only("as", of: directive, remedy)
    guard let name = value.word, let merge = Field.MergeType(rawValue: name) else {
      throw SchemaError(.wrongArgument, value.position, "write \(remedy)")
    }
    switch merge {
    case .register: break
    case .text:
      throw SchemaError(
        .notSupported, value.position, "text merge is not supported yet; use register")
    case .counter:
      guard type.unwrapped == .scalar(.int) else {
        throw SchemaError(
          .wrongMergeType, value.position, "a counter is an Int, and this is \(type); write `Int`")
      }
    case .set:
      switch type.element?.unwrapped {
      case .scalar, .enumeration: break
      case .embedded, .list, .required, nil:
        throw SchemaError(
          .wrongMergeType, value.position,
          "a set is a list of scalars or enums, and this is \(type); write `[String]`")
      }
    }
    return merge
  }

  /// What `@default(value: "…")` says, as a value of the field's type.
  func defaultValue(
    _ directive: ParsedDirective, _ type: FieldType, _ merge: Field.MergeType
  ) throws(SchemaError) -> Value {
    let remedy = "@default(value: \"…\")"
    let given = try only("value", of: directive, remedy)
    guard merge == .register else {
      throw SchemaError(
        .wrongDefault, directive.position,
        "a \(merge.rawValue) begins with nothing; leave @default out")
    }
    let value: Value?
    switch (type.unwrapped, given.literal) {
    case (.scalar(let scalar), let text?):
      let converted = scalar.convert(.string(text))
      // A bare `nil` would be the value null.
      value = converted.isNull ? .none : converted
    case (.enumeration(let name), let text?):
      let isCase = enums[name]?.cases.contains { $0.text == text } ?? false
      value = isCase ? .string(text) : .none
    case (.embedded, _), (.list, _), (.required, _):
      throw SchemaError(
        .wrongDefault, directive.position,
        "@default is for scalars and enums, and this is \(type); leave it out")
    case (_, nil): value = .none
    }
    guard let value else {
      throw SchemaError(
        .wrongDefault, given.position,
        "that is no value of \(type.unwrapped); write one that is, in quotes: \(remedy)")
    }
    return value
  }

  /// What rules and relations go by is what is stored, and nothing that is shown in place of it.
  func checkDefaults(_ model: Model, _ parsed: ParsedType) throws(SchemaError) {
    let keys = relations.references.filter { $0.model == model.name }.map(\.key)
    let read = model.ownerFields + model.groupsFields
    for field in parsed.fields {
      guard let directive = field.directives.first(where: { $0.name.text == "default" }),
        keys.contains(field.name.text) || read.contains(field.name.text)
      else { continue }
      throw SchemaError(
        .wrongDefault, directive.position,
        "rules or relations read \(field.name.text), which they must find in the record itself; leave @default out"
      )
    }
  }
}

extension ParsedValue {
  /// The text of a name, a string or a number.
  fileprivate var literal: String? {
    switch content {
    case .name(let text), .string(let text), .number(let text): text
    case .list, .object: nil
    }
  }
}
