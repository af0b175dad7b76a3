internal import TidemarkEvents
internal import TidemarkSchema

/// Works out one aggregate, record by record.
struct AggregateCollector {
  private let aggregate: Aggregate
  private let subject: Condition.Subject
  private var count = 0
  /// The sum of whole numbers, and that of the others.
  private var whole: Int128 = 0
  private var fraction = 0.0
  private var isWhole = true
  private var extreme: Value?

  init(_ aggregate: Aggregate, _ model: ModelReference) throws(StoreError) {
    self.aggregate = aggregate
    switch aggregate {
    case .sum(let name), .average(let name):
      subject = try Condition.Subject(name, model, nil)
      guard case .field(let field) = subject, field.isNumber else {
        throw StoreError(.invalid, "\(model.name).\(name) holds no numbers to add up")
      }
    case .minimum(let name), .maximum(let name): subject = try Condition.Subject(name, model, nil)
    }
  }

  mutating func add(_ record: borrowing some FieldValues & ~Copyable) throws(StoreError) {
    let value = try subject.value(in: record)
    if value.isNull { return }
    count += 1
    switch (aggregate, value) {
    case (.sum, .int(let number)), (.average, .int(let number)): whole += Int128(number)
    case (.sum, .double(let number)), (.average, .double(let number)):
      fraction += number
      isWhole = false
    case (.minimum, _): if extreme.map({ value < $0 }) ?? true { extreme = value }
    case (.maximum, _): if extreme.map({ $0 < value }) ?? true { extreme = value }
    default: break
    }
  }

  var value: Value {
    switch aggregate {
    case .sum:
      if isWhole, let sum = Int64(exactly: whole) { return .int(sum) }
      return .double(Double(whole) + fraction)
    case .average: return count == 0 ? .null : .double((Double(whole) + fraction) / Double(count))
    case .minimum, .maximum: return extreme ?? .null
    }
  }
}

extension FieldReference {
  /// Whether its values are numbers.
  fileprivate var isNumber: Bool {
    switch shape.model.fields[place].type.unwrapped {
    case .scalar(.int), .scalar(.float), .scalar(.timestamp): true
    default: false
    }
  }
}
