internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge

// A device for which an authority answers by what its principals may read holds portions of some
// transactions. Their places in the log stay; what is held in a place changes with what may be read.

extension LogWriter {
  /// Takes what of a transaction this store may read: in a place of its own, or in place of what the log
  /// held of it before.
  /// - Throws: `StoreError` `corrupt` at an authority, which takes nothing but whole transactions, and for
  ///   what no store makes; `early`, `fork` or `schema` as for a whole transaction.
  func take(
    _ portion: Portion, _ decision: DecisionRecord, _ tx: inout WriteTransaction
  ) throws -> ItemOutcome {
    let incoming = portion.header
    guard header.role == .device else {
      throw StoreError(
        .corrupt,
        "another store sent a portion of \(incoming.firstDot); an authority takes whole transactions, from the store that wrote them"
      )
    }
    do {
      try portion.check()
    } catch {
      throw StoreError(.corrupt, "a portion that came from another store cannot be read (\(error))")
    }
    guard incoming.firstSeq > state(incoming.replica).seq else {
      try checkSame(incoming.firstDot, incoming.lastSeq, portion.hash, &tx)
      let outcome = try redecide(incoming, decision, &tx)
      guard let change = try replace(by: portion, &tx) else { return outcome }
      if case .decided = outcome { return outcome }
      return change
    }
    try checkNext(incoming.firstDot, change: incoming.contextChange, isChained: true, &tx)
    let resolved = try resolved(incoming)
    try closeAcceptance(&tx)
    try append(portion, decision, resolved, &tx)
    return .taken(eventCount: portion.entries.count)
  }

  private func resolved(_ incoming: TransactionHeader) throws -> Catalog.Resolved {
    guard let resolved = catalog.resolved(incoming.schema) else {
      throw StoreError(
        .schema,
        "transaction \(incoming.firstDot) was written under schema version \(incoming.schema), which is not known here"
      )
    }
    return resolved
  }

  private func append(
    _ portion: Portion, _ decision: DecisionRecord, _ resolved: Catalog.Resolved,
    _ tx: inout WriteTransaction
  ) throws {
    let incoming = portion.header
    var context = try foreignContext(of: incoming.replica, &tx)
    context.formUnion(incoming.contextChange)
    let effective = Dictionary(
      decision.clamps.map { ($0.seq, $0.effective) }, uniquingKeysWith: { first, _ in first })
    let lsn = takeLSNs(incoming.eventCount)
    var links = [UInt64](repeating: 0, count: incoming.eventCount)
    var rows: [RecordKey: RecordRow] = [:]
    var folded: [RecordKey: [FoldEvent]] = [:]
    for entry in portion.entries {
      let dot = incoming.dot(entry.index)
      let key = try catalog.key(entry.event, resolved)
      var row = try rows[key] ?? self.row(key, &tx)
      var whole = context
      whole.set(dot.replica, to: dot.seq - 1)
      let stamp = effective[dot.seq] ?? entry.event.stamp
      let event = FoldEvent(
        rank: Rank(stamp, dot), kind: entry.event.kind, context: whole,
        changes: try catalog.changes(entry.event, resolved))
      let rules = catalog.mergeRules(key.model)
      if row.state.apply(event, rules) == .needsFold {
        row.state = RecordState.fold(
          try foldEvents(key, &tx) + folded[key, default: []] + [event], rules)
      }
      folded[key, default: []].append(event)
      let place = lsn + UInt64(entry.index)
      links[entry.index] = row.head == 0 ? 0 : place - row.head
      row.head = place
      rows[key] = row
    }
    // An authority's clock was past all of its events when it decided.
    header.clock.observe(effective[incoming.lastSeq] ?? portion.lastStamp)
    header.clock.observe(decision.stamp)
    try put(
      PortionEntry(portion: portion, decision: decision, links: links, original: nil), lsn, &tx)
    try noteClamps(decision, incoming.replica, &tx)
    try noteRun(incoming.firstDot, incoming.eventCount, lsn, &tx)
    try noteContext(incoming.firstDot, change: incoming.contextChange, &tx)
    change(incoming.replica) {
      $0.seq = incoming.lastSeq
      $0.head = portion.hash
      $0.lastStamp = portion.lastStamp
      $0.decidedThrough = incoming.lastSeq
    }
    header.eventCount += UInt64(incoming.eventCount)
    header.portionCount += 1
    for (key, row) in rows { set(key, row) }
  }

  private func put(_ entry: PortionEntry, _ lsn: UInt64, _ tx: inout WriteTransaction) throws {
    var writer = ByteWriter(capacity: 512)
    entry.encode(lsn: lsn, into: &writer)
    try tx.put(tables.log, lsn, writer.bytes)
  }

  // MARK: In place of what is held

  /// What the log holds of a transaction.
  private struct Held {
    let lsn: UInt64
    let decision: DecisionRecord?
    var links: [UInt64]
    /// `nil` where it is held whole.
    let portion: Portion?
    /// The transaction's bytes, where they are held.
    let bytes: [UInt8]?
    let entries: [Portion.Entry]
  }

  /// - Returns: `nil` where the log holds no more than tombstones of it.
  private func held(_ first: Dot, _ tx: inout WriteTransaction) throws -> Held? {
    try flushRuns(&tx)
    guard let lsn = try tables.position(first, tx) else { return nil }
    return try tables.withEntry(holding: lsn, tx) { entry, _ in
      switch entry {
      case .transaction(let entry):
        let events = try entry.transaction.events()
        return Held(
          lsn: lsn, decision: entry.decision, links: try entry.distances(), portion: nil,
          bytes: entry.transaction.bytes.toArray(),
          entries: events.indices.map { Portion.Entry(index: $0, event: events[$0]) })
      case .portion(let entry):
        return Held(
          lsn: lsn, decision: entry.decision, links: entry.links, portion: entry.portion,
          bytes: entry.original, entries: entry.portion.entries)
      case .rejection, .acceptance, .withdrawal, .adoption: return nil
      }
    }
  }

  /// Puts a portion in place of what the log holds of its transaction.
  /// - Returns: whether more or less may be read than before; `nil` where nothing changed.
  private func replace(
    by portion: Portion, _ tx: inout WriteTransaction
  ) throws -> ItemOutcome? {
    let first = portion.header.firstDot
    guard var held = try held(first, &tx), held.portion != portion else { return nil }
    let isOwn = state(first.replica).isOwn
    let (isMore, isLess) = try compare(held, portion)
    // Of this store's own it knows who wrote them.
    if isOwn, held.portion == nil, !isLess { return nil }
    let rows = try place(portion.entries, portion.header, &held, &tx)
    try put(
      PortionEntry(
        portion: portion, decision: held.decision, links: held.links,
        original: isOwn ? held.bytes : nil), held.lsn, &tx)
    if held.portion == nil { header.portionCount += 1 }
    header.replacementCount += 1
    try refold(rows, &tx)
    return isMore
      ? .disclosed(eventCount: portion.header.eventCount)
      : isLess ? .withheld(eventCount: portion.header.eventCount) : nil
  }

  /// Puts a whole transaction in place of the portion that the log holds of it, whose hash it must have.
  /// - Returns: `nil` where the log holds it whole.
  func fill(
    _ transaction: borrowing TransactionReader, _ tx: inout WriteTransaction
  ) throws -> ItemOutcome? {
    let incoming = transaction.header
    guard var held = try held(incoming.firstDot, &tx), let portion = held.portion else {
      return nil
    }
    let (before, _) = try tables.head(Dot(incoming.replica, incoming.firstSeq - 1), tx)
    guard transaction.hash == portion.hash, transaction.verify(after: before),
      incoming.contextChange == portion.header.contextChange
    else { throw StoreError.fork(incoming.firstDot) }
    _ = try resolved(incoming)
    let events = try transaction.events()
    let entries = events.indices.map { Portion.Entry(index: $0, event: events[$0]) }
    let rows = try place(entries, incoming, &held, &tx)
    var writer = ByteWriter(capacity: transaction.bytes.byteCount + 128)
    TransactionEntry.encode(
      transaction.bytes, decision: held.decision, distances: held.links, lsn: held.lsn,
      into: &writer)
    try tx.put(tables.log, held.lsn, writer.bytes)
    header.portionCount -= 1
    header.replacementCount += 1
    try refold(rows, &tx)
    return .disclosed(eventCount: incoming.eventCount)
  }

  /// Whether a portion has more or less than what is held.
  /// - Throws: `StoreError` `fork` where it says otherwise of an event than what is held.
  private func compare(_ held: Held, _ portion: Portion) throws -> (isMore: Bool, isLess: Bool) {
    let fork = StoreError.fork(portion.header.firstDot)
    if let known = held.portion {
      guard known.lastStamp == portion.lastStamp,
        known.header.firstStamp == portion.header.firstStamp,
        known.header.contextChange == portion.header.contextChange,
        known.header.schema == portion.header.schema
      else { throw fork }
    }
    var isMore = false
    var isLess = false
    for old in held.entries {
      guard let new = portion.event(at: old.index) else {
        isLess = true
        continue
      }
      let isSame =
        new.stamp == old.event.stamp && new.kind == old.event.kind
        && new.model == old.event.model && new.id == old.event.id
      guard isSame else { throw fork }
      for change in old.event.changes {
        if let other = new.changes.first(where: { $0.field == change.field }) {
          guard other == change else { throw fork }
        } else {
          isLess = true
        }
      }
      for change in new.changes
      where !old.event.changes.contains(where: { $0.field == change.field }) {
        guard held.portion != nil else { throw fork }
        isMore = true
      }
    }
    let known = Set(held.entries.map(\.index))
    if portion.entries.contains(where: { !known.contains($0.index) }) { isMore = true }
    return (isMore, isLess)
  }

  /// Gives events that come into a transaction's place their links in the chains of their records.
  /// - Returns: of every record of the transaction that is or was known, where its chain begins. Their
  ///   rows are to be folded once the entry is there, for they may point into what it replaces.
  private func place(
    _ entries: [Portion.Entry], _ incoming: TransactionHeader, _ held: inout Held,
    _ tx: inout WriteTransaction
  ) throws -> [RecordKey: UInt64] {
    let resolved = try resolved(incoming)
    var heads: [RecordKey: UInt64] = [:]
    for entry in held.entries + entries {
      let key = try catalog.key(entry.event, resolved)
      if heads[key] == nil { heads[key] = try row(key, &tx).head }
    }
    let last = held.lsn + UInt64(incoming.eventCount) - 1
    for entry in entries {
      let key = try catalog.key(entry.event, resolved)
      let place = held.lsn + UInt64(entry.index)
      var after: UInt64?
      var lsn = heads[key] ?? 0
      while lsn > place {
        after = lsn
        if (held.lsn...last).contains(lsn) {
          let distance = held.links[Int(lsn - held.lsn)]
          lsn = distance == 0 ? 0 : lsn - distance
        } else {
          lsn = try tables.link(lsn, tx).previous
        }
      }
      // It kept its link when it was withheld.
      if lsn == place { continue }
      held.links[entry.index] = lsn == 0 ? 0 : place - lsn
      guard let after else {
        heads[key] = place
        continue
      }
      if (held.lsn...last).contains(after) {
        held.links[Int(after - held.lsn)] = after - place
      } else {
        try relink(after, to: place, &tx)
      }
    }
    return heads
  }

  /// Lets the chain of an event's record go on at another place.
  private func relink(
    _ lsn: UInt64, to previous: UInt64, _ tx: inout WriteTransaction
  ) throws {
    let (first, bytes) = try tables.withEntry(holding: lsn, tx) { entry, first in
      var writer = ByteWriter(capacity: 512)
      switch entry {
      case .transaction(let entry):
        var distances = try entry.distances()
        distances[Int(lsn - first)] = lsn - previous
        TransactionEntry.encode(
          entry.transaction.bytes, decision: entry.decision, distances: distances, lsn: first,
          into: &writer)
      case .portion(var entry):
        entry.links[Int(lsn - first)] = lsn - previous
        entry.encode(lsn: first, into: &writer)
      case .rejection, .acceptance, .withdrawal, .adoption:
        throw CodecError(.malformed, "log entry \(lsn) is no event")
      }
      return (first, writer.toArray())
    }
    try tx.put(tables.log, first, bytes.rawBytes)
  }

  /// Folds records again whose chains begin at these lsns or before.
  private func refold(_ heads: [RecordKey: UInt64], _ tx: inout WriteTransaction) throws {
    for (key, head) in heads {
      var row = RecordRow()
      row.head = try tables.chain(head, header, tx).last?.lsn ?? 0
      row.state = RecordState.fold(
        try tables.foldEvents(row.head, header, catalog, tx), catalog.mergeRules(key.model))
      set(key, row)
    }
  }
}
