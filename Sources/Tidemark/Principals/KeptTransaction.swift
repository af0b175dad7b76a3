internal import TidemarkEvents

/// A pending transaction that is kept out of the log for a user who has signed out: the value of the
/// `kept` table.
///
///   what its author had seen: a vector, of what the log holds · the transaction's bytes
///
/// The bytes are those of a transaction that comes after nothing, so that its hash stands alone.
struct KeptTransaction {
  let header: TransactionHeader
  let events: [Event]
  let context: VersionVector

  /// - Parameter kept: of each replica that lost events, the last that is left.
  init(_ item: LogWriter.Withdrawn, _ kept: [ReplicaID: UInt64]) {
    header = item.header
    events = item.events
    context = item.context(kept)
  }

  init(_ bytes: RawSpan) throws(CodecError) {
    var reader = ByteReader(bytes)
    context = try VersionVector(from: &reader)
    let transaction = try TransactionReader(bytes.extracting(reader.offset..<bytes.byteCount))
    header = transaction.header
    events = try transaction.events()
  }

  func encode(into writer: inout ByteWriter) throws(CodecError) {
    context.encode(into: &writer)
    var bytes = ByteWriter(capacity: 1024)
    try encodeTransaction(header, events, after: .zero, into: &bytes)
    writer.append(bytes.bytes)
  }

  /// As it was when it was taken out of the log.
  var withdrawn: LogWriter.Withdrawn {
    LogWriter.Withdrawn(header: header, events: events, whole: context)
  }
}
