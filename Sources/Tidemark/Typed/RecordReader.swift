public import TidemarkEvents
internal import TidemarkMerge

/// A record as it is read: its fields, decoded when they are asked for and not before.
///
/// Good only inside the closure that it was given to.
@safe public struct RecordReader: ~Copyable {
  /// The changes of one event, in place.
  @safe struct Changes {
    let bytes: UnsafeRawBufferPointer
    let count: Int
  }

  enum Source {
    /// The events of a line, newest first, none of which needs its fields' places mapped.
    case line([Changes])
    case state(RecordState, fields: [FieldID])
  }

  public let id: RecordID
  private let source: Source

  init(id: RecordID, _ source: Source) {
    self.id = id
    self.source = source
  }

  /// A field's text; `nil` where it has none.
  /// - Throws: `StoreError` `corrupt` for bytes that no store wrote.
  /// - Complexity: O(fields before it + bytes of the text).
  public borrowing func string(_ field: FieldReference) throws(StoreError) -> String? {
    // What is added or edited has bytes that could be taken for text.
    if field.check.isCounter || field.check.isSet { return nil }
    if field.hasDefault { return try value(field)?.stringValue }
    return try value(field) { reader throws(CodecError) in
      try reader.byte() == 5 ? try reader.string() : nil
    } orElse: {
      $0.stringValue
    }
  }

  /// Calls `body` with the bytes of a field's text, in place where they are.
  /// - Returns: `nil` where it has none.
  borrowing func withText<R>(
    _ field: FieldReference, _ body: (RawSpan) -> R
  ) throws(StoreError) -> R? {
    if field.check.isCounter || field.check.isSet { return nil }
    if field.hasDefault { return try value(field)?.stringValue.map { $0.withBytes(body) } }
    return try value(field) { reader throws(CodecError) in
      guard try reader.byte() == 5 else { return nil }
      let byteCount = try reader.count("string", max: reader.remaining)
      return body(try reader.take(byteCount))
    } orElse: {
      $0.stringValue.map { $0.withBytes(body) }
    }
  }

  /// A field's whole number, or a counter's; `nil` where it has none.
  public borrowing func integer(_ field: FieldReference) throws(StoreError) -> Int64? {
    if field.check.isCounter { return try counter(field) }
    if field.hasDefault {
      guard case .int(let number) = try value(field) else { return nil }
      return number
    }
    return try value(field) { reader throws(CodecError) in
      try reader.byte() == 3 ? try reader.zigzag() : nil
    } orElse: {
      if case .int(let number) = $0 { number } else { nil }
    }
  }

  /// A field's value of any kind; `nil` where no live write gave one and it has no default.
  public borrowing func value(_ field: FieldReference) throws(StoreError) -> Value? {
    if field.check.isCounter { return try counter(field).map(Value.int) }
    if field.check.isSet { return try set(field) }
    let given: Value? = try value(field) { reader throws(CodecError) in
      try Value(from: &reader)
    } orElse: {
      $0
    }
    return given ?? field.shape.defaultValue(of: field.place)
  }

  private borrowing func value<R>(
    _ field: FieldReference, _ decode: (inout ByteReader) throws(CodecError) -> R?,
    orElse convert: (Value) -> R?
  ) throws(StoreError) -> R? {
    switch source {
    case .state(let state, let fields):
      return state.value(fields[field.place]).flatMap(convert)
    case .line(let events):
      do throws(CodecError) {
        for event in events {
          var reader = unsafe ByteReader(RawSpan(_unsafeBytes: event.bytes))
          if try reader.seek(field.place, among: event.count) {
            // Behind the tag of the only operation that a register takes.
            try reader.skip(1)
            return try decode(&reader)
          }
        }
        return nil
      } catch {
        throw StoreError(error)
      }
    }
  }

  /// What all edits left in a set, sorted; `nil` where there were none.
  private borrowing func set(_ field: FieldReference) throws(StoreError) -> Value? {
    guard case .line(let events) = source else {
      return try value(field, { _ in nil }, orElse: { $0 })
    }
    var elements: [Value]?
    do throws(CodecError) {
      for event in events.reversed() {
        var reader = unsafe ByteReader(RawSpan(_unsafeBytes: event.bytes))
        guard try reader.seek(field.place, among: event.count),
          case .edit(let added, let removed) = try FieldOperation(from: &reader)
        else { continue }
        var kept = (elements ?? []).filter { !removed.contains($0) }
        for value in added where !kept.contains(value) { kept.append(value) }
        elements = kept
      }
    } catch {
      throw StoreError(error)
    }
    return elements.map { .list($0.sorted()) }
  }

  /// The sum of all that was added; `nil` where nothing was.
  private borrowing func counter(_ field: FieldReference) throws(StoreError) -> Int64? {
    switch source {
    case .state(let state, let fields):
      guard case .int(let sum) = state.value(fields[field.place]) else { return nil }
      return sum
    case .line(let events):
      var sum: Int128?
      do throws(CodecError) {
        for event in events {
          var reader = unsafe ByteReader(RawSpan(_unsafeBytes: event.bytes))
          if try reader.seek(field.place, among: event.count) {
            try reader.skip(1)
            sum = (sum ?? 0) + Int128(try reader.zigzag())
          }
        }
      } catch {
        throw StoreError(error)
      }
      return sum.map { Int64(clamping: $0) }
    }
  }
}

extension ByteReader {
  /// Goes to the operation of a field; false where the changes hold none.
  fileprivate mutating func seek(_ field: Int, among count: Int) throws(CodecError) -> Bool {
    for _ in 0..<count {
      let found = try varint()
      if found >= UInt64(field) { return found == UInt64(field) }
      try FieldOperation.skip(&self)
    }
    return false
  }
}
