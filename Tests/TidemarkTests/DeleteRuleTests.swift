import Testing
import Tidemark
import TidemarkEvents
import TidemarkTesting

/// What a delete does to those that name the record, by operations.
@Suite struct DeleteRuleTests {
  static let schema = """
    input AMPLIFY { globalAuthRule: AuthRule = { allow: private } }
    type Folder @model {
      inside: Folder @belongsTo(onDelete: CASCADE)
      files: [File] @hasMany(references: ["folder"], onDelete: CASCADE)
    }
    type File @model {
      folder: ID!
      label: Label @belongsTo(onDelete: NULLIFY)
      second: Label @belongsTo(onDelete: NULLIFY)
    }
    type Label @model { name: String }
    type Lock @model { file: File! @belongsTo(onDelete: DENY) }
    type Note @model { about: File @belongsTo }
    """

  let store: Store

  init() throws { store = try Store.inMemory(schema: Self.schema) }

  private func create(_ model: String, _ id: RecordID, _ keys: [String: String] = [:]) throws {
    _ = try store.submit([Self.creation(model, id, keys)])
  }

  private static func creation(
    _ model: String, _ id: RecordID, _ keys: [String: String] = [:]
  ) -> Operation {
    Operation(
      .create, model, id, keys.map { .init($0.key, .set(.string($0.value))) }, by: .user("ann"))
  }

  private static func deletion(_ model: String, _ id: RecordID) -> Operation {
    Operation(.delete, model, id, by: .user("ann"))
  }

  private func ids(_ model: String) throws -> [String] {
    var ids: [String] = []
    try store.forEachRecord(of: model) {
      ids.append($0.id.string)
      return true
    }
    return ids
  }

  @Test func `an operation's own dot is answered, and those that it implies beside it`() throws {
    try create("Folder", "a")
    try create("Folder", "b", ["folderInsideId": "a"])
    try create("File", "f", ["folder": "b"])
    try create("File", "g", ["folder": "a"])
    try create("Note", "n", ["noteAboutId": "f"])
    let receipt = try store.submit([
      Self.creation("Label", "l"), Self.deletion("Folder", "a"), Self.creation("Label", "m"),
    ])
    let first = receipt.dots[0].seq
    #expect(receipt.dots.map { $0.seq - first } == [0, 4, 5])
    #expect(receipt.impliedDots.map { $0.map { $0.seq - first } } == [[], [1, 2, 3], []])
    // Who names another goes before it.
    let lines = try ["File f", "Folder b", "Folder a"].map { name in
      let parts = name.split(separator: " ").map(String.init)
      return try #require(try store.history(parts[0], RecordID(parts[1])).last?.line.dot.seq)
    }
    #expect(lines == lines.sorted())
    #expect(try ids("Folder") == [] && ids("File") == [] && ids("Note") == ["n"])
    #expect(
      try store.danglingReferences().map(\.description) == [
        "Note n: noteAboutId names File f, which is not there"
      ])
    // Brought back, it is named again.
    try create("Folder", "a")
    try create("File", "f", ["folder": "a"])
    #expect(try store.danglingReferences() == [])
  }

  @Test func `two keys of one record are emptied by one event`() throws {
    try create("Label", "l")
    try create("Folder", "a")
    try create("File", "f", ["folder": "a", "fileLabelId": "l", "fileSecondId": "l"])
    let receipt = try store.submit([Self.deletion("Label", "l")])
    #expect(receipt.impliedDots.map(\.count) == [1])
    let view = try #require(try store.record("File", "f"))
    #expect(view["fileLabelId"] == .some(.null) && view["fileSecondId"] == .some(.null))
    #expect(view["folder"] == "a")
  }

  @Test func `records that name each other go together`() throws {
    try create("Folder", "a", ["folderInsideId": "c"])
    try create("Folder", "b", ["folderInsideId": "a"])
    try create("Folder", "c", ["folderInsideId": "b"])
    try create("Folder", "d", ["folderInsideId": "d"])
    _ = try store.submit([Self.deletion("Folder", "b")])
    #expect(try ids("Folder") == ["d"])
    _ = try store.submit([Self.deletion("Folder", "d")])
    #expect(try ids("Folder") == [])
  }

  @Test func `what denies a step of a cascade denies the whole, and other transactions go on`()
    throws
  {
    try create("Folder", "a")
    try create("File", "f", ["folder": "a"])
    try create("Lock", "k", ["lockFileId": "f"])
    let vector = try store.vector
    let error = #expect(throws: AuthorizationError.self) {
      try store.submit([Self.deletion("Folder", "a")])
    }
    #expect(error?.reason?.code == DeleteDenied.reasonCode)
    #expect(error?.reason?.message.contains("File f") == true)
    #expect(try store.vector == vector)
    let receipts = try store.submit(transactions: [
      [Self.creation("Label", "l"), Self.deletion("Folder", "a")], [Self.creation("Label", "m")],
    ])
    #expect(receipts.map(\.decision) == [.rejected, .pending])
    #expect(receipts[0].reasons.map(\.code) == ["transactionRejected", "stillNamed"])
    #expect(try ids("Label") == ["m"])
  }

  @Test func `a transaction sees what it has written itself`() throws {
    let folders = try store.model("Folder")
    let files = try store.model("File")
    let locks = try store.model("Lock")
    let folder = try files.field("folder")
    let file = try locks.field("lockFileId")
    try store.write(as: .user("ann")) { transaction in
      try transaction.create(folders, id: "a") { _ in }
      try transaction.create(files, id: "f") { try $0.set(folder, "a") }
      try transaction.create(files, id: "g") { try $0.set(folder, "a") }
      try transaction.create(locks, id: "k") { try $0.set(file, "f") }
      #expect(throws: DeleteDenied.self) { try transaction.delete(folders, id: "a") }
      try transaction.create(folders, id: "b") { _ in }
      try transaction.update(files, id: "f") { try $0.set(folder, "b") }
      try transaction.delete(folders, id: "a")
    }
    #expect(try ids("Folder") == ["b"] && ids("File") == ["f"] && ids("Lock") == ["k"])
    #expect(try store.verify().problems == [])
  }

  @Test func `what is not there is said to be missing, whoever names it`() throws {
    try create("File", "f", ["folder": "a"])
    let error = #expect(throws: AuthorizationError.self) {
      try store.submit([Self.deletion("Folder", "a")])
    }
    #expect(error?.reason?.code == "noSuchRecord")
    #expect(try ids("File") == ["f"])
  }
}
