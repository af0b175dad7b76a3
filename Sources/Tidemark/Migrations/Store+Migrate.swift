internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

extension Store {
  /// Opens a store with the app's schema, or makes it where there is none.
  ///
  /// A store that has another schema takes this one. See `open(at:migrations:)` for versions with writes
  /// of their own.
  /// - Throws: as that.
  public static func open(
    at directory: String, schema: String, role: StoreRole = .device,
    acceptance: AcceptanceMode = .enforce, options: StoreOptions = StoreOptions()
  ) throws(StoreError) -> Store {
    try open(
      at: directory, migrations: [Migration(schema: schema)], role: role, acceptance: acceptance,
      options: options)
  }

  /// Opens a store and brings it to the last of an app's schema versions, or makes it with that one
  /// where there is none.
  ///
  /// Each version that the store lacks is taken in one transaction, with what its closure writes. Where
  /// two processes open at once, one migrates and the other finds it done.
  /// - Parameters:
  ///   - migrations: every version that the app has had, oldest first.
  ///   - role: of a new store; as `acceptance`, one that is there keeps its own.
  /// - Throws: `StoreError` `newerSchema` where the store has moved on from the last version, as a newer
  ///   version of the app leaves it; `schema` where a version does not parse or does not fit, or the
  ///   store's is none of several; `callback` with what a closure threw; `invalid` for what a closure
  ///   wrote that cannot be stored or is not allowed; `busy` where others do not stop writing. Then the
  ///   store is as it was before that version.
  /// - Complexity: O(replicas + schema) where there is nothing to do.
  public static func open(
    at directory: String, migrations: [Migration], role: StoreRole = .device,
    acceptance: AcceptanceMode = .enforce, options: StoreOptions = StoreOptions()
  ) throws(StoreError) -> Store {
    guard let last = migrations.last else {
      throw StoreError(.misuse, "there is no schema: give at least one migration")
    }
    let store: Store
    do {
      store = try open(at: directory, options: options)
    } catch {
      guard error.code == .notAStore, !options.readOnly else { throw error }
      do {
        return try create(
          at: directory, schema: last.schema, role: role, acceptance: acceptance,
          options: options)
      } catch {
        // Another process made it in between.
        guard error.code == .exists else { throw error }
        store = try open(at: directory, options: options)
      }
    }
    try store.migrate(migrations, to: last)
    return store
  }

  private func migrate(_ migrations: [Migration], to last: Migration) throws(StoreError) {
    let wanted = SchemaVersion(source: last.schema)
    let current = try read { _, snapshot in snapshot.catalog.current.version }
    if wanted == current { return }
    guard !options.readOnly else {
      throw StoreError(
        .permission,
        "the store has schema \(current) and the app \(wanted): open it for writing to migrate it")
    }
    for migration in migrations[try firstMigration(of: migrations, from: current)...] {
      // Who writes meanwhile makes it begin again; at the opening of a store that is rare.
      var isDone = false
      for _ in 0..<Store.migrationTryCountMax where !isDone {
        let plan = try plan(migration)
        isDone = try write { writer, tx in try writer.migrate(plan, &tx) }
      }
      guard isDone else {
        throw StoreError(
          .busy, "others write to the store all the time; migrate while they do not")
      }
    }
    // Takes note of it here.
    try read { _, _ in }
  }

  private static let migrationTryCountMax = 100

  /// The first that the store has not gone through.
  private func firstMigration(
    of migrations: [Migration], from current: SchemaVersion
  ) throws(StoreError) -> Int {
    let versions = migrations.map { SchemaVersion(source: $0.schema) }
    if let place = versions.lastIndex(of: current) { return place + 1 }
    let last = versions[versions.count - 1]
    guard try read({ tx, snapshot in try !snapshot.tables.hasAdopted(last, tx) }) else {
      throw StoreError(
        .newerSchema,
        "the store has gone on from this app's schema to \(current), as a newer version of the app leaves it; use that version"
      )
    }
    guard versions.count == 1 else {
      throw StoreError(
        .schema,
        "the store's schema \(current) is none of the app's (\(versions.map(\.description).joined(separator: ", "))); add it where it belongs among the migrations"
      )
    }
    return 0
  }

  /// Runs a migration's closure over the records as they are, outside any write: a long one keeps
  /// nobody waiting.
  private func plan(_ migration: Migration) throws(StoreError) -> MigrationPlan {
    let (from, nextLSN) = try read { _, snapshot in
      (snapshot.catalog.current.version, snapshot.header.nextLSN)
    }
    var transaction = MigrationTransaction(self, by: migration.principal)
    do { try migration.body?(&transaction) } catch { throw StoreError.wrapping(error) }
    return MigrationPlan(
      schema: migration.schema, operations: transaction.operations, from: from, nextLSN: nextLSN)
  }
}

/// What a migration does to a store that is as it found it.
private struct MigrationPlan: Sendable {
  let schema: String
  let operations: [Operation]
  let from: SchemaVersion
  let nextLSN: UInt64
}

extension LogWriter {
  /// So many operations are one transaction, accepted or refused together.
  private static let migrationOperationCountMax = 1_000

  /// - Returns: whether the store has the schema now; false where it has changed under the plan.
  fileprivate func migrate(_ plan: MigrationPlan, _ tx: inout WriteTransaction) throws -> Bool {
    if catalog.current.version == SchemaVersion(source: plan.schema) { return true }
    guard catalog.current.version == plan.from,
      plan.operations.isEmpty || header.nextLSN == plan.nextLSN
    else { return false }
    _ = try adopt(plan.schema, &tx)
    var rest = plan.operations[...]
    while !rest.isEmpty {
      let chunk = Array(rest.prefix(Self.migrationOperationCountMax))
      rest = rest.dropFirst(chunk.count)
      let receipt = try write(chunk, &tx)
      guard receipt.decision != .rejected else {
        throw StoreError(
          .invalid,
          "the migration may not write that: \(receipt.reasons.first?.message ?? ""); give it a principal that may"
        )
      }
    }
    return true
  }
}

extension Tables {
  /// Whether the store ever judged by a schema version.
  fileprivate func hasAdopted(
    _ version: SchemaVersion, _ tx: borrowing some Reading & ~Copyable & ~Escapable
  ) throws -> Bool {
    var isAdopted = false
    try tx.forEach(schemas, from: 0) { _, value in
      var reader = ByteReader(value)
      guard try reader.byte() == 1 else { return true }
      let source = try reader.string(byteCount: reader.remaining)
      isAdopted = SchemaVersion(source: source) == version
      return !isAdopted
    }
    return isAdopted
  }
}
