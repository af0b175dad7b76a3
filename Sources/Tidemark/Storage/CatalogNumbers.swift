internal import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

/// Gives numbers to models and fields as schema versions come.
struct CatalogNumbers {
  /// By number: the name that it goes by.
  private(set) var modelNames: [String] = []
  private(set) var fieldNames: [[String]] = []
  /// Every name that was ever given, earlier ones among them.
  private var models: [String: Int] = [:]
  private var fields: [[String: FieldID]] = []

  struct Numbers {
    /// By the model's place in the schema, then the field's.
    var models: [Int] = []
    var fields: [[FieldID]] = []
    var taken: [(model: String, field: String?)] = []
  }

  func modelNumber(named name: String) -> Int? { models.number(of: name) }

  func fieldID(_ model: Int, named name: String) -> FieldID? { fields[model].number(of: name) }

  mutating func add(_ schema: Schema) -> Numbers {
    var given = Numbers()
    for model in schema.models {
      let (number, isTaken) = Self.number(
        model.name, model.earlierNames, not: given.models, in: &models, &modelNames)
      if isTaken { given.taken.append((model.name, nil)) }
      if number == fields.count {
        fields.append([:])
        fieldNames.append([])
      }
      given.models.append(number)
      var places: [FieldID] = []
      for field in model.fields {
        let (id, isTaken) = Self.number(
          field.name, field.earlierNames, not: places, in: &fields[number], &fieldNames[number])
        if isTaken { given.taken.append((model.name, field.name)) }
        places.append(id)
      }
      given.fields.append(places)
    }
    return given
  }

  /// What a schema calls its models and fields is what they go by.
  mutating func name(_ schema: Schema, _ models: [Int], _ fields: [[FieldID]]) {
    for (place, model) in schema.models.enumerated() {
      modelNames[models[place]] = model.name
      for (fieldPlace, field) in model.fields.enumerated() {
        fieldNames[models[place]][fields[place][fieldPlace]] = field.name
      }
    }
  }

  /// The number of a name, or of one that it goes on from; all of them have it from then on.
  /// - Returns: also whether the number belongs to another of the same schema, or the names to two:
  ///   then it is one of its own.
  private static func number(
    _ name: String, _ earlier: [String], not others: [Int], in numbers: inout [String: Int],
    _ names: inout [String]
  ) -> (Int, isTaken: Bool) {
    let known = ([name] + earlier).compactMap { numbers[$0] }
    var isTaken = known.contains { $0 != known[0] }
    if let number = known.first {
      if !others.contains(number) {
        for name in [name] + earlier where numbers[name] == nil { numbers[name] = number }
        return (number, isTaken)
      }
      isTaken = true
    }
    names.append(name)
    for name in [name] + earlier where numbers[name] == nil { numbers[name] = names.count - 1 }
    return (names.count - 1, isTaken)
  }
}

extension [String: Int] {
  /// Names kept are ASCII, and a string that is not may be equal to one that is.
  fileprivate func number(of name: String) -> Int? {
    name.utf8.allSatisfy { $0 < 0x80 } ? self[name] : nil
  }
}
