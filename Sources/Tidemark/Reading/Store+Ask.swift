internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

extension Store {
  /// What the rules say to an operation, against the view as this store has it now; nothing is written.
  /// For an app's buttons: allowed, denied with the reason, or unknown with what is missing.
  ///
  /// A device that has not heard of everything may be told otherwise by the authority.
  /// - Throws: `StoreError` `invalid` for what could not be stored at all.
  /// - Complexity: O(log records + rules).
  public func decision(on operation: Operation) throws(StoreError) -> Decision {
    try read { tx, snapshot in
      let catalog = snapshot.catalog
      let (place, changes) = try catalog.current.schema.places(operation)
      do throws(ValueError) {
        try catalog.current.schema.check(
          kind: operation.kind, modelIndex: place, changes: changes)
      } catch {
        throw StoreError(.invalid, error.message)
      }
      let key = RecordKey(model: catalog.current.models[place], id: operation.id)
      let state = try snapshot.tables.row(key, catalog, tx)?.state ?? RecordState()
      let access: AccessOperation
      switch operation.kind {
      case .create where state.exists:
        return .denied(
          Denial(code: .alreadyExists, message: "\(operation.model) \(operation.id) exists already")
        )
      case .update where !state.exists, .delete where !state.exists:
        return .denied(
          Denial(code: .noSuchRecord, message: "\(operation.model) \(operation.id) does not exist"))
      case .create: access = .create
      case .update: access = .update
      case .delete: access = .delete
      case .unknown:
        return .denied(Denial(code: .unknownKind, message: "there is no such kind of event"))
      }
      return catalog.policy.decide(
        AccessRequest(
          model: place, operation: access, credentials: operation.principal.credentials,
          changes: changes,
          stored: access == .create ? nil : catalog.facts(state, key.model, place)))
    }
  }
}
