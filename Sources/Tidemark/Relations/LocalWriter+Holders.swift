internal import TidemarkEvents
internal import TidemarkMerge

extension LocalWriter {
  /// The records whose key names one of some records, as the transaction sees them with all that it has
  /// written so far, each with the one that it names, sorted by id. All that asks who names a record
  /// while something is written asks here.
  /// - Complexity: O(records of the model × their events that are not folded).
  func holders(
    of named: Set<RecordID>, _ key: HeldKey
  ) throws -> [(holder: RecordID, named: RecordID)] {
    guard operation == nil else {
      throw StoreError(.misuse, "a delete inside an operation; end that one before")
    }
    let shape = catalog.shapes[key.model]
    let rows = RowSnapshot(
      tail: tail, tables: tables, catalog: catalog,
      view: Tail.View(growing: segment, sealed: draining, visibleLSN: .max))
    var found: [(holder: RecordID, named: RecordID)] = []
    try withSnapshot { snapshot in
      try rows.forEachRow(of: shape.number, snapshot) { record, row in
        if let text = try self.text(of: key.field, row, shape) {
          let id = RecordID(text)
          if named.contains(id) { found.append((record.id, id)) }
        }
        return true
      }
    }
    return found
  }

  /// What a register of text holds; `nil` where it holds none, or the record does not exist.
  private func text(of field: Int, _ row: StoredRow, _ shape: ModelShape) throws -> String? {
    guard case .linear(let line) = row else {
      guard case .state(let row) = row, row.state.exists else { return nil }
      return row.state.value(shape.fieldIDs[field])?.stringValue
    }
    guard line.exists else { return nil }
    for index in (0..<line.count).reversed() {
      let position = line.position(index)
      var isPlain = true
      var found: Value?
      try withOwnEntry(position.entryLSN) { entry in
        let event = try TransactionEntry.event(in: entry, at: position)
        isPlain = shape.hasPlaces(of: event.schema)
        if isPlain { found = try event.setValue(of: field) }
      }
      guard isPlain else {
        return try line.state(catalog, withOwnEntry).value(shape.fieldIDs[field])?.stringValue
      }
      if let found { return found.stringValue }
    }
    return nil
  }
}

extension EventReader {
  /// What the event sets a register to; `nil` where it does not.
  fileprivate func setValue(of field: Int) throws(CodecError) -> Value? {
    var copy = self
    while let place = try copy.nextField() {
      if place == field {
        if case .set(let value) = try copy.operation() { return value }
        return .none
      }
      if place > field { return .none }
      _ = try copy.operationBytes()
    }
    return .none
  }
}
