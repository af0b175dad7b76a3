internal import TidemarkEvents
internal import TidemarkSchema

/// A model of a store's schema, looked up once: what `write` and `get` take.
///
///     let posts = try store.model("Post")
///     let title = try posts.field("title")
public struct ModelReference: Sendable {
  let shape: ModelShape

  public var name: String { shape.model.name }

  /// A field of the model.
  /// - Throws: `StoreError` `invalid` where there is none of that name.
  public func field(_ name: String) throws(StoreError) -> FieldReference {
    guard let place = shape.model.fieldIndex(name) else {
      throw StoreError(.invalid, "\(self.name) has no field \(name)")
    }
    return FieldReference(place: place, check: shape.checks[place], shape: shape)
  }
}

/// A field of a model, looked up once.
public struct FieldReference: Sendable {
  let place: Int
  let check: FieldCheck
  let shape: ModelShape

  public var name: String { shape.model.fields[place].name }

  /// Whether it shows a default where nothing was given.
  var hasDefault: Bool {
    @inline(__always) get {
      shape.isWide
        ? shape.model.fields[place].defaultValue != nil
        : shape.defaulted & (1 << UInt128(place)) != 0
    }
  }
}

/// What has to be looked at before a value is stored.
enum FieldCheck: Sendable {
  /// Text of any form, without NUL.
  case text
  /// Text of the form of a scalar, without NUL.
  case formatted(Scalar)
  /// Whole numbers, and nothing else.
  case integer
  case boolean
  case counter
  case set
  /// Whatever `Schema.check` finds.
  case other
}

/// What a writer needs to know of a model.
final class ModelShape: Sendable {
  let schema: Schema
  let version: SchemaVersion
  let model: Model
  /// In the schema, and in the store.
  let place: Int
  let number: Int
  let checks: [FieldCheck]
  /// By field: a bit for each, where there are at most 128.
  let required: UInt128
  let owners: UInt128
  /// The fields that the last write decides.
  let registers: UInt128
  /// The fields that show a default where nothing was given.
  let defaulted: UInt128
  /// What a create is given where it leaves it out: the defaults of fields without rules of their own,
  /// which whoever may create may give.
  let defaults: [(field: Int, value: Value)]
  /// The keys that name records of this model, but for those that a delete leaves alone.
  let heldKeys: [HeldKey]
  /// By place: the fields' ids in the store; and whether they are their places.
  let fieldIDs: [Int]
  let isPlain: Bool
  /// More fields than that.
  let isWide: Bool
  /// The versions before whose events are read in place too: their fields are the first of this one's,
  /// and hold the same.
  private let alike: [SchemaVersion]

  init(_ current: Catalog.Resolved, place: Int, alike: [SchemaVersion]) {
    self.alike = alike
    let model = current.schema.models[place]
    schema = current.schema
    version = current.version
    self.model = model
    self.place = place
    number = current.models[place]
    fieldIDs = current.fields[place]
    isPlain = fieldIDs == Array(fieldIDs.indices)
    checks = model.fields.map(FieldCheck.init)
    isWide = model.fields.count > 128
    var required: UInt128 = 0
    var owners: UInt128 = 0
    var registers: UInt128 = 0
    var defaulted: UInt128 = 0
    for (place, field) in model.fields.enumerated() where place < 128 {
      if field.isGivenOnCreate { required |= 1 << UInt128(place) }
      if model.ownerFields.contains(field.name) { owners |= 1 << UInt128(place) }
      if field.merge == .register { registers |= 1 << UInt128(place) }
      if field.defaultValue != nil { defaulted |= 1 << UInt128(place) }
    }
    self.required = required
    self.owners = owners
    self.registers = registers
    self.defaulted = defaulted
    defaults = model.filledDefaults
    heldKeys = HeldKey.naming(model, in: current.schema)
  }

  /// What a field shows where nothing was given.
  @inline(__always)
  func defaultValue(of field: Int) -> Value? {
    guard isWide || defaulted & (1 << UInt128(field)) != 0 else { return .none }
    return model.fields[field].defaultValue
  }

  /// Whether the fields of an event of that version stand where this one has them.
  @inline(__always)
  func hasPlaces(of version: SchemaVersion) -> Bool {
    version == self.version || (!alike.isEmpty && alike.contains(version))
  }

  func isSame(as other: ModelShape) -> Bool {
    place == other.place && version == other.version
  }
}

extension FieldCheck {
  var isText: Bool {
    switch self {
    case .text, .formatted: true
    default: false
    }
  }
  var isInteger: Bool { if case .integer = self { true } else { false } }
  var isSet: Bool { if case .set = self { true } else { false } }
  var isCounter: Bool { if case .counter = self { true } else { false } }

  init(_ field: Field) {
    switch field.merge {
    case .register: break
    case .counter:
      self = .counter
      return
    case .set:
      self = .set
      return
    case .text:
      self = .other
      return
    }
    self =
      switch field.type.unwrapped {
      case .scalar(.string), .scalar(.id): .text
      case .scalar(.int), .scalar(.timestamp): .integer
      case .scalar(.boolean): .boolean
      case .scalar(.float): .other
      case .scalar(let scalar): .formatted(scalar)
      default: .other
      }
  }
}
