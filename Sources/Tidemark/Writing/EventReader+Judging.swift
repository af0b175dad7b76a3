internal import TidemarkEvents
internal import TidemarkMerge
internal import TidemarkSchema

// What is seen of an event at a glance, in its transaction's bytes.

extension EventReader {
  /// The key of the record, where the models' places are their numbers.
  func appendKey(to key: inout ByteWriter) {
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

extension RecordState {
  /// Whether an owner field holds exactly this text.
  func isOwned(by identity: [UInt8], _ field: FieldID) -> Bool {
    guard case .string(let owner) = self.owner(field) else { return false }
    return owner.utf8.elementsEqual(identity)
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
  var isPlainID: Bool {
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
