import Tidemark
import TidemarkSync

/// The rows in which two stores meet. Only ours and the CRDT libraries can.
extension Child {
  /// Posts that all have; a device edits titles apart; the authority, at which a tenth as many may
  /// have been edited meanwhile, judges and takes all of it, durably.
  func runMerge(_ row: Row, localCount: Int) throws {
    let workload = EditWorkload(
      baseCount: scale.mergeBase, foreignCount: scale.mergeEdits, localCount: localCount)
    let cloud = try makeStore("cloud", .authority, .full)
    let phone = try makeStore("phone", .device, .relaxed)
    let tablet = try makeStore("tablet", .device, .relaxed)
    try createPosts(of: workload, in: phone)
    _ = try Replication.sync(phone, cloud)
    _ = try Replication.sync(tablet, cloud)
    try edit(workload.foreign, of: workload, in: phone)
    try edit(workload.local, of: workload, in: tablet)
    _ = try Replication.sync(tablet, cloud)

    let watch = Stopwatch(device)
    let summary = try Replication.merge(from: phone, into: cloud)
    let measurement = Measurement(peer, row, summary.takenCount, watch.read())
    guard summary.takenCount == workload.foreign.count, summary.rejectedCount == 0 else {
      throw BenchmarkError("merged \(summary.takenCount), refused \(summary.rejectedCount)")
    }
    try emit(measurement)
  }

  /// A device that checks nothing writes what its user may not; the authority refuses each, and the
  /// device hears of it.
  func runRejections() throws {
    let workload = EditWorkload(
      baseCount: scale.mergeBase, foreignCount: scale.rejections, localCount: 0)
    let cloud = try makeStore("cloud", .authority, .full)
    let phone = try makeStore("phone", .device, .full, .optimistic)
    try createPosts(of: workload, in: phone)
    _ = try Replication.sync(phone, cloud)
    try edit(workload.foreign, of: workload, in: phone, as: .user("mallory"), batchCount: 1)

    let watch = Stopwatch(device)
    let summaries = try Replication.sync(phone, cloud)
    let measurement = Measurement(peer, .rejections, scale.rejections, watch.read())
    guard summaries.toRight.rejectedCount == scale.rejections else {
      throw BenchmarkError("refused \(summaries.toRight.rejectedCount)")
    }
    try emit(measurement)
  }

  private func makeStore(
    _ name: String, _ role: StoreRole, _ durability: Durability,
    _ acceptance: AcceptanceMode = .enforce
  ) throws -> Store {
    var options = StoreOptions()
    options.durability = durability == .full ? .full : .relaxed
    try Directory.make(directory)
    return try Store.create(
      at: "\(directory)/\(name)", schema: PostSchema.source, role: role, acceptance: acceptance,
      options: options)
  }

  private func createPosts(of workload: EditWorkload, in store: Store) throws {
    let fields = try PostFields(store)
    let posts = workload.base.stringPosts()
    for start in stride(from: 0, to: posts.count, by: Scale.batchCount) {
      try store.write(as: PostSchema.author) { transaction in
        for post in posts[start..<min(start + Scale.batchCount, posts.count)] {
          try transaction.create(fields.posts, id: RecordID(post.id)) { record in
            try record.set(fields.title, post.title)
            try record.set(fields.text, post.text)
            try record.set(fields.owner, post.owner)
            try record.set(fields.date, post.date)
            try record.add(fields.likes, 1)
          }
        }
      }
    }
  }

  private func edit(
    _ edits: [EditWorkload.Edit], of workload: EditWorkload, in store: Store,
    as author: Principal = PostSchema.author, batchCount: Int = Scale.batchCount
  ) throws {
    let fields = try PostFields(store)
    let ids = workload.base.stringPosts().map { RecordID($0.id) }
    for start in stride(from: 0, to: edits.count, by: batchCount) {
      try store.write(as: author) { transaction in
        for edit in edits[start..<min(start + batchCount, edits.count)] {
          try transaction.update(fields.posts, id: ids[edit.post]) {
            try $0.set(fields.title, edit.title)
          }
        }
      }
    }
  }
}
