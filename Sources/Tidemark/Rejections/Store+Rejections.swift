public import TidemarkEvents
internal import TidemarkLMDB

/// What the author is told of an event that an authority refused, or, at the authority, what it refused.
public struct Rejection: Sendable {
  /// The event, its transaction and principal, and the reason with its rule and policy version. At an
  /// authority the payload may have left the quarantine.
  public let line: LogLine
  /// The event's fields as the view had them before the tombstone, and after; empty at an authority.
  public let before: [Value.Member]
  public let after: [Value.Member]
  /// Live events of the record that had seen the rejected one.
  public let dependents: [Dot]
  public let isAcknowledged: Bool
  /// The first dot of the transaction that was submitted in its place.
  public internal(set) var resubmitted: Dot?
}

extension Store {
  /// The rejections that this store knows: on a device those of its own events, oldest dot first; at
  /// an authority all that it refused, in the order of its log.
  /// - Parameter principal: only what this principal wrote, with the values that it may read.
  /// - Complexity: O(rejections) on a device, O(log) at an authority.
  public func rejections(as principal: Principal? = nil) throws(StoreError) -> [Rejection] {
    let all = try allRejections()
    guard let principal else { return all }
    return try read { tx, snapshot in
      var readership = Readership(snapshot, principal, .get)
      return try all.compactMap { rejection in
        guard let event = rejection.line.event, principal.isSamePerson(as: event.principal),
          let model = rejection.line.model,
          let number = try snapshot.catalog.modelNumbers(model.name).first
        else { return nil }
        let access = try readership.access(RecordKey(model: number, id: event.id), tx)
        guard access.isVisible else {
          return Rejection(
            line: rejection.line, before: [], after: [], dependents: [],
            isAcknowledged: rejection.isAcknowledged, resubmitted: rejection.resubmitted)
        }
        return Rejection(
          line: rejection.line, before: readership.members(rejection.before, access),
          after: readership.members(rejection.after, access), dependents: rejection.dependents,
          isAcknowledged: rejection.isAcknowledged, resubmitted: rejection.resubmitted)
      }
    }
  }

  private func allRejections() throws(StoreError) -> [Rejection] {
    try read { tx, snapshot in
      let lines = try LogLines(snapshot, tx)
      var rejections: [Rejection] = []
      if snapshot.header.role == .authority {
        try tx.forEach(snapshot.tables.log, from: 0) { lsn, value in
          let entry = try LogEntry(value, lsn: lsn)
          guard case .rejection = entry else { return true }
          for line in try lines.lines(entry, lsn, tx) {
            rejections.append(
              Rejection(line: line, before: [], after: [], dependents: [], isAcknowledged: false))
          }
          return true
        }
        return rejections
      }
      try tx.forEach(snapshot.tables.rejections) { key, value in
        let dot = try Dot(key: key)
        let notice = try RejectionNotice(value)
        guard let lsn = try snapshot.tables.position(dot, tx) else { return true }
        rejections.append(
          Rejection(
            line: try lines.line(lsn, tx), before: notice.before, after: notice.after,
            dependents: notice.dependents, isAcknowledged: notice.isAcknowledged,
            resubmitted: notice.resubmitted))
        return true
      }
      return rejections
    }
  }

  /// Whether the app has dealt with a rejection; at an authority never.
  func isAcknowledged(_ dot: Dot) throws(StoreError) -> Bool {
    try read { tx, snapshot in
      guard let bytes = try tx.get(snapshot.tables.rejections, dot.key.rawBytes) else {
        return false
      }
      return try RejectionNotice(bytes).isAcknowledged
    }
  }

  /// Notes that the app has dealt with a rejection. Doing so twice changes nothing.
  /// - Throws: `StoreError` `notFound` where this store has no rejection of that dot.
  public func acknowledge(_ dot: Dot) throws(StoreError) {
    try write { writer, tx in
      let bytes = try tx.get(writer.tables.rejections, dot.key.rawBytes)?.toArray()
      guard let bytes else {
        throw StoreError.noRejection(dot)
      }
      var notice = try RejectionNotice(bytes.rawBytes)
      notice.isAcknowledged = true
      var encoded = ByteWriter()
      notice.encode(into: &encoded)
      try tx.put(writer.tables.rejections, dot.key.rawBytes, encoded.bytes)
    }
  }
}
