internal import TidemarkAuthorization
internal import TidemarkEvents
internal import TidemarkLMDB
internal import TidemarkMerge
internal import TidemarkSchema

// Most of what comes from elsewhere begins a record or goes on in its line, and its author plainly
// may. Such events are taken as they lie in their transaction's bytes; the others, one by one, as
// `judge` takes them.

/// A transaction from elsewhere that is being judged in place.
struct LineJudgement {
  var proposal: Proposal?
  var distances: [UInt64] = []
  /// Rows of the overlay that it has changed.
  var touched: [Int] = []
  /// Records whose events were judged one by one; their rows are the proposal's.
  var aloneKeys: Set<RecordKey> = []
  /// Hashes of keys that the transaction names more than once, where that is known: their events are
  /// judged one by one from the first, so that each finds those before it.
  var repeatedKeys: Set<UInt64> = []
  var lastStamp = Stamp.zero
  let resolved: Catalog.Resolved
  let context: VersionVector
  let judging: Judging
  let entryLSN: UInt64
  /// Where the transaction begins in its entry.
  let transactionOffset: Int

  init(
    resolved: Catalog.Resolved, context: VersionVector, judging: Judging, entryLSN: UInt64,
    transactionOffset: Int
  ) {
    self.resolved = resolved
    self.context = context
    self.judging = judging
    self.entryLSN = entryLSN
    self.transactionOffset = transactionOffset
  }
}

extension LogWriter {
  /// Judges and folds a transaction in place.
  /// - Returns: false where it has to be judged as a whole; then nothing has changed.
  func judgeInLine(
    _ transaction: borrowing TransactionReader, _ line: inout LineJudgement,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    if try judgeOnce(transaction, &line, &tx) { return true }
    let repeated = try repeatedKeys(transaction, line.resolved)
    guard !repeated.isEmpty, !line.touched.isEmpty else { return false }
    line = LineJudgement(
      resolved: line.resolved, context: line.context, judging: line.judging,
      entryLSN: line.entryLSN, transactionOffset: line.transactionOffset)
    line.repeatedKeys = repeated
    return try judgeOnce(transaction, &line, &tx)
  }

  private func repeatedKeys(
    _ transaction: borrowing TransactionReader, _ resolved: Catalog.Resolved
  ) throws -> Set<UInt64> {
    guard resolved.isIdentity else { return [] }
    var seen: Set<UInt64> = []
    var repeated: Set<UInt64> = []
    var offset = transaction.eventsOffset
    var key = ByteWriter(capacity: 512)
    for index in 0..<transaction.header.eventCount {
      let event = try EventReader(transaction.bytes, index: index, offset: offset)
      key.truncate()
      event.appendKey(to: &key)
      let hash = keyHash(key.bytes, seed: hashSeed)
      if !seen.insert(hash).inserted { repeated.insert(hash) }
      offset = event.endOffset
    }
    return repeated
  }

  private func judgeOnce(
    _ transaction: borrowing TransactionReader, _ line: inout LineJudgement,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    let header = transaction.header
    guard line.resolved.isIdentity, line.resolved.version == catalog.current.version,
      header.eventCount <= 1 << 20
    else { return false }
    if header.principals != clearedPrincipals
      || clearances.first?.count != catalog.current.models.count
    {
      clearedPrincipals = header.principals
      clearances = header.principals.map { _ in
        [Clearance?](repeating: nil, count: catalog.current.models.count)
      }
    }
    let limit = Stamp(
      milliseconds: wallMilliseconds() + limits.driftMilliseconds, counter: .max)
    var offset = transaction.eventsOffset
    var stamp = Stamp.zero
    for index in 0..<header.eventCount {
      try transaction.check(offset: offset, of: index)
      let event = try EventReader(transaction.bytes, index: index, offset: offset)
      guard index == 0 ? event.stamp == header.firstStamp : event.stamp > stamp else {
        throw CodecError(.malformed, "order of stamps")
      }
      stamp = event.stamp
      line.lastStamp = stamp
      if stamp > limit, line.judging == .authority {
        undo(line)
        return false
      }
      guard try take(event, index, offset, transaction, &line, &tx) else {
        undo(line)
        return false
      }
      if line.proposal?.denials.isEmpty == false { return true }
      offset = event.endOffset
    }
    guard offset == transaction.eventsEnd else { throw CodecError(.malformed, "transaction's end") }
    return true
  }

  /// Takes back what a judgement did to the overlay.
  func undo(_ line: LineJudgement) {
    for place in line.touched.reversed() { overlay.rollBack(place, to: line.entryLSN) }
  }

  private func take(
    _ event: borrowing EventReader, _ index: Int, _ offset: Int,
    _ transaction: borrowing TransactionReader, _ line: inout LineJudgement,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    guard line.resolved.models.indices.contains(event.model),
      event.principal < clearances.count
    else { throw CodecError(.outOfBounds, "event \(event.dot)") }
    var key = ByteWriter(capacity: 64)
    event.appendKey(to: &key)
    let (found, hash, row) = try find(key.bytes, &tx)
    let shape = catalog.shapes[event.model]
    let going: Going =
      if try (line.aloneKeys.isEmpty || !line.aloneKeys.contains(RecordKey(key.bytes)))
        && (event.isPacked || event.id.isPlainID) && !line.repeatedKeys.contains(hash)
      {
        try going(event, transaction, row, shape, line, &tx)
      } else {
        .alone
      }
    if going == .alone {
      return try takeAlone(index, key.bytes, found, transaction, &line, &tx)
    }
    let position = Position(
      entryLSN: line.entryLSN, index: UInt32(truncatingIfNeeded: index),
      offset: UInt32(truncatingIfNeeded: line.transactionOffset + offset))
    let head = row?.head ?? 0
    line.distances.append(head == 0 ? 0 : position.lsn - head)
    let place = found ?? overlay.add(key.bytes, hash, row)
    if going == .superseding {
      overlay.replaceLast(place, position)
    } else {
      overlay.append(place, position, isDelete: event.kind == .delete)
    }
    line.touched.append(place)
    return true
  }

  /// Judges one event as `judge` does.
  /// - Returns: false where events of the same transaction have gone on in the record's line.
  private func takeAlone(
    _ index: Int, _ key: RawSpan, _ found: Int?, _ transaction: borrowing TransactionReader,
    _ line: inout LineJudgement, _ tx: inout WriteTransaction
  ) throws -> Bool {
    let recordKey = try RecordKey(key)
    if let found, line.touched.contains(found) { return false }
    var proposal =
      try line.proposal
      ?? {
        let events = try transaction.events()
        return Proposal(
          events: events, resolved: line.resolved, replica: transaction.header.replica,
          firstSeq: transaction.header.firstSeq, foreignContext: line.context,
          effective: events.map(\.stamp))
      }()
    line.proposal = nil
    defer { line.proposal = proposal }
    proposal.distances.removeAll(keepingCapacity: true)
    try judgeEvent(&proposal, index, line.judging, firstLSN: line.entryLSN, &tx)
    line.distances.append(proposal.distances.last ?? 0)
    line.aloneKeys.insert(recordKey)
    return true
  }

  /// How an event goes on in its record's line.
  private enum Going {
    case appending
    /// In the place of the last event, of which it leaves nothing.
    case superseding
    /// Not in the line, or not as far as can be seen at a glance.
    case alone
  }

  /// Whether an event begins a record or goes on in its line, fits the schema, and is allowed.
  private func going(
    _ event: borrowing EventReader, _ transaction: borrowing TransactionReader,
    _ row: StoredRow?, _ shape: ModelShape, _ line: LineJudgement, _ tx: inout WriteTransaction
  ) throws -> Going {
    let given = try shape.givenPlainly(event)
    guard let given else { return .alone }
    var going = Going.appending
    switch (event.kind, row) {
    case (.create, nil):
      guard shape.required & ~given == 0 else { return .alone }
    case (.update, .linear(let known)), (.delete, .linear(let known)):
      guard known.exists, event.kind == .delete || given & shape.owners == 0,
        try hasSeen(known, event, line, &tx)
      else { return .alone }
      if known.count == LinearRow.countMax {
        guard event.kind == .update,
          try supersedes(known, event, transaction, given, shape, line, &tx)
        else {
          return .alone
        }
        going = .superseding
      }
    default: return .alone
    }
    guard line.judging == .authority else { return going }
    return try isCleared(event, row, shape, &tx) ? going : .alone
  }

  private func supersedes(
    _ known: LinearRow, _ event: borrowing EventReader,
    _ transaction: borrowing TransactionReader, _ given: UInt128, _ shape: ModelShape,
    _ line: LineJudgement, _ tx: inout WriteTransaction
  ) throws -> Bool {
    let last = known.position(known.count - 1)
    if last.entryLSN == line.entryLSN {
      // Its entry is not in the log yet.
      let earlier = try EventReader(
        transaction.bytes, index: Int(last.index),
        offset: Int(last.offset) - line.transactionOffset)
      return try shape.isSuperseded(earlier, by: event.dot.replica, giving: given)
    }
    guard let entry = try tx.get(tables.log, last.entryLSN) else { return false }
    return try shape.isSuperseded(
      TransactionEntry.event(in: entry, at: last), by: event.dot.replica, giving: given)
  }

  /// Whether the author had seen the line's newest event, and so all of them.
  private func hasSeen(
    _ known: LinearRow, _ event: borrowing EventReader, _ line: LineJudgement,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    let last = known.position(known.count - 1)
    if last.entryLSN == line.entryLSN { return true }
    guard let entry = try tx.get(tables.log, last.entryLSN) else {
      throw CodecError(.malformed, "log entry \(last.entryLSN)")
    }
    let dot = try TransactionEntry.dot(in: entry, at: last)
    return dot.replica == event.dot.replica
      ? dot.seq < event.dot.seq : line.context[dot.replica] >= dot.seq
  }

  private func isCleared(
    _ event: borrowing EventReader, _ row: StoredRow?, _ shape: ModelShape,
    _ tx: inout WriteTransaction
  ) throws -> Bool {
    let clearance: Clearance
    if let known = clearances[event.principal][event.model] {
      clearance = known
    } else {
      clearance = catalog.policy.clearance(
        model: event.model, principal: clearedPrincipals[event.principal])
      clearances[event.principal][event.model] = clearance
    }
    switch event.kind {
    case .create:
      // A create from elsewhere names its owners.
      guard case .ifOwner(let field, let identity) = clearance.create,
        clearance.filledOwners.count == 1
      else { return clearance.create == .allowed && clearance.filledOwners.isEmpty }
      return try event.sets(field, to: identity)
    case .update: return try isCleared(clearance.update, row, &tx)
    case .delete: return try isCleared(clearance.delete, row, &tx)
    case .unknown: return false
    }
  }

  private func isCleared(
    _ answer: Clearance.Answer, _ row: StoredRow?, _ tx: inout WriteTransaction
  ) throws -> Bool {
    switch answer {
    case .allowed: return true
    case .ask: return false
    case .ifOwner(let field, let identity):
      guard case .linear(let line) = row else { return false }
      let first = line.position(0)
      guard let entry = try tx.get(tables.log, first.entryLSN) else { return false }
      let event = try TransactionEntry.event(in: entry, at: first)
      guard event.schema == catalog.current.version else { return false }
      return try event.sets(field, to: identity)
    }
  }
}

extension EventReader {
  /// The key of the record, where the models' places are their numbers.
  fileprivate func appendKey(to key: inout ByteWriter) {
    key.append(bigEndian: UInt16(truncatingIfNeeded: model))
    key.append((isPacked ? 0 : 1) as UInt8)
    key.append(id)
  }

  /// Whether the event sets a field to exactly this text.
  func sets(_ field: Int, to text: [UInt8]) throws(CodecError) -> Bool {
    var copy = self
    while let found = try copy.nextField() {
      let bytes = try copy.operationBytes()
      if found == field { return bytes.isSetText(text) }
    }
    return false
  }
}

extension ModelShape {
  /// The fields that an event gives, a bit for each, where every one is plainly what the schema wants;
  /// `nil` where that is to be looked at closely.
  func givenPlainly(_ event: borrowing EventReader) throws(CodecError) -> UInt128? {
    guard !isWide else { return nil }
    if event.kind == .delete { return event.changeCount == 0 && event.isAtEnd ? 0 : nil }
    var given: UInt128 = 0
    var last = -1
    var copy = copy event
    while let field = try copy.nextField() {
      guard field > last else { throw CodecError(.malformed, "order of changes") }
      guard field < checks.count, try copy.isPlain(checks[field]) else { return nil }
      given |= 1 << UInt128(field)
      last = field
    }
    return copy.isAtEnd ? given : nil
  }
}

extension EventReader {
  /// Whether the operation of the field that `nextField` gave is one that a field takes whatever its
  /// value, or holds a value that it plainly takes.
  fileprivate mutating func isPlain(_ check: FieldCheck) throws(CodecError) -> Bool {
    var operation = ByteReader(try operationBytes())
    let tag = try operation.byte()
    switch check {
    case .counter: return tag == 2
    case .text:
      guard tag == 1, try operation.byte() == 5 else { return false }
      let text = try operation.take(try operation.count("string", max: operation.remaining))
      return text.isTextWithoutNUL
    case .formatted(let scalar):
      guard tag == 1, try operation.byte() == 5 else { return false }
      return scalar.isWellFormed(try operation.string())
    case .integer:
      guard tag == 1 else { return false }
      return try operation.byte() == 3
    case .boolean:
      guard tag == 1 else { return false }
      let flag = try operation.byte()
      return flag == 1 || flag == 2
    case .set, .other: return false
    }
  }
}

extension RawSpan {
  /// True for the bytes of an id that is plainly one, and no UUID.
  fileprivate var isPlainID: Bool {
    byteCount > 0 && byteCount != 36 && byteCount <= RecordID.byteCountMax && isTextWithoutNUL
  }

  /// True for UTF-8 without a zero byte.
  fileprivate var isTextWithoutNUL: Bool {
    var isASCII = true
    var offset = 0
    while offset + 8 <= byteCount {
      let word = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return false }
      if word & 0x8080_8080_8080_8080 != 0 { isASCII = false }
      offset += 8
    }
    while offset < byteCount {
      let byte = unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      if byte == 0 { return false }
      if byte >= 0x80 { isASCII = false }
      offset += 1
    }
    return isASCII || validatedString() != nil
  }
}
