internal import TidemarkEvents

extension ModelShape {
  /// Whether an update leaves nothing of the event before it in its record's line: that too is an
  /// update of the same replica, and sets only registers that this one sets.
  ///
  /// The record's state is the same without it, the vector of its writes included: the later seq of
  /// the same replica covers the earlier one.
  /// - Parameter given: the fields that the update gives, a bit for each.
  func isSuperseded(
    _ earlier: borrowing EventReader, by replica: ReplicaID, giving given: UInt128
  ) throws(CodecError) -> Bool {
    guard !isWide, earlier.kind == .update, earlier.dot.replica == replica,
      hasPlaces(of: earlier.schema)
    else { return false }
    var changes = copy earlier
    while let field = try changes.nextField() {
      guard field < 128, given & registers & (1 << UInt128(field)) != 0 else { return false }
      _ = try changes.operationBytes()
    }
    return true
  }
}
