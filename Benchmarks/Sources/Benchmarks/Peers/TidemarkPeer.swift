import Tidemark

/// Our store, through its public API alone.
final class TidemarkPeer: Peer, @unchecked Sendable {
  // Unchecked: `load` comes before any other thread, and a store takes calls from any.
  private let store: Store
  private let fields: PostFields
  /// Immutable once loaded; a transaction's body holds it.
  private var prepared = PreparedPosts()

  init(directory: String, durability: Durability) throws {
    var options = StoreOptions()
    options.durability = durability == .full ? .full : .relaxed
    if Directory.files(in: directory).isEmpty {
      store = try Store.create(
        at: directory, schema: PostSchema.source, role: .device, options: options)
    } else {
      store = try Store.open(at: directory, options: options)
    }
    fields = try PostFields(store)
  }

  func load(_ workload: Workload) throws { prepared = PreparedPosts(workload) }

  func commit(_ operations: Range<Int>) throws {
    let (prepared, fields) = (prepared, fields)
    try store.write(as: PostSchema.author) { transaction in
      for index in operations { try prepared.write(index, fields, &transaction) }
    }
  }

  /// As an application has them: tasks, which suspend until their write is durable.
  func commitConcurrently(_ count: Int, writers: Int) throws {
    let (prepared, fields, store) = (prepared, fields, store)
    try Waiting.run {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<writers {
          group.addTask {
            for index in stride(from: writer, to: count, by: writers) {
              try await store.write(as: PostSchema.author) { transaction in
                try prepared.write(index, fields, &transaction)
              }
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  func close() throws { store.close() }

  /// In one snapshot, as the others' are in one transaction.
  func get(_ posts: [UInt32]) throws -> Int? {
    try store.withSnapshot { snapshot in
      var found = 0
      for post in posts {
        let read = try snapshot.get(fields.posts, id: prepared.ids[Int(post)]) {
          try Post(reading: $0, fields)
        }
        if let read, read.likes > 0 { found += 1 }
      }
      return found
    }
  }

  func scan() throws -> Int? {
    var count = 0
    try store.forEach(fields.posts) { record in
      count += try Post(reading: record, fields).likes > 0 ? 1 : 0
      return true
    }
    return count
  }

  func replay() throws -> Int? {
    let comparison = try store.replay(hashesView: false)
    guard comparison.agrees else { throw BenchmarkError("the view differs from the log") }
    return comparison.eventCount
  }

  func touch() throws {
    guard try store.nextLSN > 1 else { throw BenchmarkError("the log is empty") }
  }

  func logBytes() throws -> Int? {
    try store.stats().tables.first { $0.name == "log" }?.byteCount
  }
}

extension Post {
  /// A record as a struct.
  init(reading record: borrowing RecordReader, _ fields: PostFields) throws {
    self.init(
      id: record.id.string, title: try record.string(fields.title) ?? "",
      text: try record.string(fields.text) ?? "", owner: try record.string(fields.owner) ?? "",
      date: try record.string(fields.date) ?? "", likes: try record.integer(fields.likes) ?? 0)
  }
}
