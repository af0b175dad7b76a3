public import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
public import TidemarkSchema

/// What taking another schema changed.
public struct SchemaAdoption: Sendable {
  public let previous: SchemaVersion
  /// The same where the store had the schema already.
  public let current: SchemaVersion
  public let changes: [SchemaChange]
  /// Records that were folded again, because their merge types, owners or delete policy changed.
  public let refoldedCount: Int
}

/// A schema version that a store knows.
public struct KnownSchema: Sendable {
  public let version: SchemaVersion
  public let source: String
  /// Whether the store ever judged by it; the others came with another store's events.
  public let isAdopted: Bool
  public let isCurrent: Bool
  /// Where in the log it became the current one; `nil` for the first, and for what was never adopted.
  public let lsn: UInt64?
  /// When, by the store's clock.
  public let stamp: Stamp?
}

extension Store {
  /// Takes another schema, with its rules, in place of the current one.
  ///
  /// Nothing in the log changes. Events that are pending stay so: an authority judges them as what they
  /// were written, by the rules that it has then. From here on this store writes and judges by the new
  /// version, and its decisions name it.
  /// - Throws: `StoreError` `schema` where it does not parse, or changes a field so that what is stored
  ///   would not fit; then nothing has changed.
  /// - Complexity: O(schema); O(events) of the models whose merge types, owner fields or delete policy
  ///   change.
  @discardableResult
  public func adopt(schema source: String) throws(StoreError) -> SchemaAdoption {
    let adoption = try write { writer, tx in try writer.adopt(source, &tx) }
    // Takes note of it here.
    try read { _, _ in }
    return adoption
  }

  /// Takes a schema version that came with another store's events, as a device does with the one that
  /// its authority judges by.
  /// - Throws: as `adopt(schema:)`; `notFound` where the version is not known here.
  @discardableResult
  public func adopt(version: SchemaVersion) throws(StoreError) -> SchemaAdoption {
    let known = try knownSchemas()
    guard let found = known.last(where: { $0.version == version }) else {
      throw StoreError(
        .notFound,
        "schema version \(version) is not known here; known are \(known.map(\.version.description).joined(separator: ", "))"
      )
    }
    return try adopt(schema: found.source)
  }

  /// Every schema version that the store knows, in the order in which they came.
  /// - Complexity: O(log entries).
  public func knownSchemas() throws(StoreError) -> [KnownSchema] {
    try read { tx, snapshot in
      var adoptions: [AdoptionEntry] = []
      var places: [UInt64] = []
      try tx.forEach(snapshot.tables.log, from: 0) { lsn, value in
        if case .adoption(let adoption) = try LogEntry(value, lsn: lsn) {
          adoptions.append(adoption)
          places.append(lsn)
        }
        return true
      }
      var known: [KnownSchema] = []
      try tx.forEach(snapshot.tables.schemas, from: 0) { _, value in
        var reader = ByteReader(value)
        let isAdopted = try reader.byte() == 1
        let source = try reader.string(byteCount: reader.remaining)
        let version = SchemaVersion(source: source)
        let entry = adoptions.lastIndex { $0.schema == version }
        // Who adopts what came before has it twice.
        known.removeAll { $0.version == version && !$0.isAdopted }
        known.append(
          KnownSchema(
            version: version, source: source, isAdopted: isAdopted,
            isCurrent: isAdopted && version == snapshot.catalog.current.version,
            lsn: entry.map { places[$0] }, stamp: entry.map { adoptions[$0].stamp }))
        return true
      }
      return known
    }
  }
}

extension LogWriter {
  func adopt(_ source: String, _ tx: inout WriteTransaction) throws -> SchemaAdoption {
    do {
      _ = try Schema.parse(source)
    } catch {
      throw StoreError(.schema, "\(error.line):\(error.column): \(error.message)")
    }
    let before = catalog
    let previous = before.current.version
    let changes = before.changes(to: try tables.catalog(tx, adopting: source))
    if let refused = changes.first(where: \.isRefused) {
      let field = refused.field.map { ".\($0)" } ?? ""
      throw StoreError(
        .schema, "\(refused.model)\(field): \(refused.message); the store keeps its schema")
    }
    guard SchemaVersion(source: source) != previous else {
      return SchemaAdoption(previous: previous, current: previous, changes: [], refoldedCount: 0)
    }
    try closeAcceptance(&tx)
    try tables.append(schema: source, isAdopted: true, &tx)
    catalog = try tables.catalog(tx)
    guard let stamp = header.clock.tick(wallMilliseconds: wallMilliseconds()) else {
      throw StoreError(.storeFull, "the store's clock has reached its end")
    }
    let lsn = takeLSNs(1)
    var entry = ByteWriter(capacity: 64)
    AdoptionEntry(schema: catalog.current.version, stamp: stamp).encode(lsn: lsn, into: &entry)
    try tx.append(tables.log, lsn, entry.bytes)
    var refoldedCount = 0
    for model in before.modelNames.indices where !before.foldsAlike(model, catalog) {
      refoldedCount += try refoldAll(model, &tx)
    }
    return SchemaAdoption(
      previous: previous, current: catalog.current.version, changes: changes,
      refoldedCount: refoldedCount)
  }

  /// Folds every record of a model again.
  private func refoldAll(_ model: Int, _ tx: inout WriteTransaction) throws -> Int {
    var keys: [RecordKey] = []
    let rows = RowSnapshot(tail: Tail(), tables: tables, catalog: catalog, view: .empty)
    try rows.forEachRow(of: model, tx) { key, _ in
      keys.append(key)
      return true
    }
    for key in keys { try refold(key, &tx) }
    return keys.count
  }
}

extension Catalog {
  /// Whether another catalog, which begins as this one does, folds a model's events to the same.
  fileprivate func foldsAlike(_ model: Int, _ other: Catalog) -> Bool {
    let (mine, theirs) = (mergeRules(model), other.mergeRules(model))
    return convertsAlike(model, other) && mine.deletePolicy == theirs.deletePolicy
      && mine.ownerFields == theirs.ownerFields
      && fieldNames[model].indices.allSatisfy { mine.mergeType($0) == theirs.mergeType($0) }
  }
}
