internal import TidemarkEvents

/// What the author's store keeps of a rejected event until the app has acknowledged it: the value of
/// the `rejections` table.
///
///   u8 flags: 1 acknowledged, 2 submitted again · u64 policy · u64 decided · counted code, rule, message
///   values before, values after: varint count, then counted name and value for each
///   dependents: varint count, then each dot
///   the first dot of what was submitted again, where flagged
struct RejectionNotice: Sendable {
  let reason: Reason
  let policy: SchemaVersion
  let decided: Stamp
  var isAcknowledged: Bool
  /// The event's fields as the view had them before the tombstone, and after.
  let before: [Value.Member]
  let after: [Value.Member]
  /// Live events of the record that had seen the rejected one.
  let dependents: [Dot]
  /// The first dot of the transaction that took its place.
  var resubmitted: Dot?

  func encode(into writer: inout ByteWriter) {
    writer.append((isAcknowledged ? 1 : 0) | (resubmitted == nil ? 0 : 2) as UInt8)
    writer.append(littleEndian: policy.rawValue)
    writer.append(littleEndian: decided.rawValue)
    writer.append(counted: reason.code)
    writer.append(counted: reason.rule ?? "")
    writer.append(counted: reason.message)
    for members in [before, after] { Value.object(members).encode(into: &writer) }
    writer.append(varint: dependents.count)
    for dot in dependents { dot.encode(into: &writer) }
    resubmitted?.encode(into: &writer)
  }

  init(
    reason: Reason, policy: SchemaVersion, decided: Stamp, isAcknowledged: Bool,
    before: [Value.Member], after: [Value.Member], dependents: [Dot]
  ) {
    self.reason = reason
    self.policy = policy
    self.decided = decided
    self.isAcknowledged = isAcknowledged
    self.before = before
    self.after = after
    self.dependents = dependents
  }

  init(_ bytes: RawSpan) throws(CodecError) {
    var reader = ByteReader(bytes)
    let flags = try reader.byte()
    isAcknowledged = flags & 1 != 0
    policy = SchemaVersion(try reader.littleEndian(UInt64.self))
    decided = Stamp(rawValue: try reader.littleEndian(UInt64.self))
    let code = try reader.string()
    let rule = try reader.string()
    let message = try reader.string()
    reason = Reason(code: code, rule: rule.isEmpty ? nil : rule, message: message)
    before = try RejectionNotice.members(&reader)
    after = try RejectionNotice.members(&reader)
    var dependents: [Dot] = []
    for _ in 0..<(try reader.count("dependents", max: reader.remaining)) {
      dependents.append(try Dot(from: &reader))
    }
    self.dependents = dependents
    resubmitted = flags & 2 == 0 ? nil : try Dot(from: &reader)
  }

  private static func members(_ reader: inout ByteReader) throws(CodecError) -> [Value.Member] {
    guard case .object(let members) = try Value(from: &reader) else {
      throw CodecError(.malformed, "rejection")
    }
    return members
  }
}
