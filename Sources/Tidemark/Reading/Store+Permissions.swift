public import TidemarkAuthorization
public import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

/// What somebody may do to one record, or to a model's records, as this device knows it: for an app's
/// buttons and forms.
public struct Permissions: Sendable {
  public struct Field: Sendable {
    public let name: String
    /// Whether it may be shown. For a record that is not there, whether it may be given to a new one.
    public let read: Decision
    /// Whether it may be given another value: in an update, or for a new record in its create.
    public let write: Decision
    /// Whether it may be set to null.
    public let clear: Decision
  }

  public let model: String
  /// `nil` where no record was asked for.
  public let id: RecordID?
  public let create: Decision
  public let read: Decision
  /// Whether some field may be changed.
  public let update: Decision
  public let delete: Decision
  /// In the order of the schema.
  public let fields: [Field]

  public subscript(field: String) -> Field? {
    fields.first { $0.name.hasSameBytes(as: field) }
  }
}

extension Store {
  /// Whether somebody may do something to a record, by the view as this store has it now.
  ///
  /// ```swift
  /// deleteButton.isHidden = try !store.can(.delete, "Post", post.id, as: me).isAllowed
  /// ```
  ///
  /// An update is asked without fields, so for the record as such: see `permissions(for:)` for each
  /// field, and `decision(on:)` for an operation with its values.
  /// - Parameter id: the record; left out for a new one.
  /// - Throws: `StoreError` `notFound` for a model that is not known.
  /// - Complexity: O(log records + rules).
  public func can(
    _ operation: AccessOperation, _ model: String, _ id: RecordID? = nil, as principal: Principal
  ) throws(StoreError) -> Decision {
    try asking(model, id) { question in question.decide(operation, [], as: principal) }
  }

  /// What somebody may do to a record and to each of its fields.
  /// - Parameter id: the record; left out for a new one.
  /// - Throws: `StoreError` `notFound` for a model that is not known.
  /// - Complexity: O(log records + rules × fields).
  public func permissions(
    for model: String, _ id: RecordID? = nil, as principal: Principal
  ) throws(StoreError) -> Permissions {
    try asking(model, id) { question in
      let fields = question.model.fields.enumerated().map { place, field in
        let given = FieldChange(field: place, operation: field.placeholder)
        let null = FieldChange(field: place, operation: .set(.null))
        let operation: AccessOperation = question.exists ? .update : .create
        return Permissions.Field(
          name: field.name, read: question.read(place, as: principal),
          write: question.decide(operation, [given], as: principal),
          clear: question.decide(operation, [null], as: principal))
      }
      let whole = question.decide(.update, [], as: principal)
      let update =
        whole.isAllowed ? whole : fields.lazy.map(\.write).first { $0.isAllowed } ?? whole
      return Permissions(
        model: model, id: id, create: question.decide(.create, [], as: principal),
        read: question.decide(.get, [], as: principal),
        update: question.exists ? update : whole,
        delete: question.decide(.delete, [], as: principal), fields: fields)
    }
  }

  private func asking<R>(
    _ model: String, _ id: RecordID?, _ body: (RecordQuestion) throws -> R
  ) throws(StoreError) -> R {
    try read { tx, snapshot in
      let catalog = snapshot.catalog
      guard let place = catalog.current.schema.modelIndex(model) else {
        throw StoreError(.notFound, "the schema has no model \(model)")
      }
      let number = catalog.current.models[place]
      var state = RecordState()
      if let id, id.isValid {
        let key = RecordKey(model: number, id: id)
        state = try snapshot.tables.row(key, catalog, tx)?.state ?? state
      }
      return try body(
        RecordQuestion(
          policy: catalog.policy, place: place, model: catalog.current.schema.models[place], id: id,
          exists: state.exists, facts: catalog.facts(state, number, place)))
    }
  }
}

/// A record that is asked about, with what is known of it.
private struct RecordQuestion {
  let policy: Policy
  let place: Int
  let model: Model
  let id: RecordID?
  let exists: Bool
  let facts: StoredRecord

  func decide(
    _ operation: AccessOperation, _ changes: [FieldChange], as principal: Principal
  ) -> Decision {
    if operation == .create {
      if exists, let id { return .denied(.alreadyExists(model.name, id)) }
    } else if !exists {
      return .denied(
        Denial(code: .noSuchRecord, message: "there is no such record of \(model.name) here"))
    }
    return policy.decide(
      AccessRequest(
        model: place, operation: operation, credentials: principal.credentials, changes: changes,
        stored: operation == .create ? nil : facts))
  }

  func read(_ field: Int, as principal: Principal) -> Decision {
    guard exists else {
      return decide(
        .create, [FieldChange(field: field, operation: model.fields[field].placeholder)],
        as: principal)
    }
    return policy.decideReading(
      model: place, field: field, credentials: principal.credentials, stored: facts)
  }
}

extension Field {
  /// An operation that gives it something: the rules ask what is given, and not which value. An owner
  /// field of a new record is left to be filled in.
  fileprivate var placeholder: FieldOperation {
    switch merge {
    case .register, .text: .set(type.element == nil ? .string("?") : .list([]))
    case .counter: .add(1)
    case .set: .edit(add: [], remove: [])
    }
  }
}
