/// A growing buffer of bytes for encoding; little-endian unless a name says otherwise.
///
/// Invariants: `count ≤ capacity`; bytes below `count` are initialised.
@safe public struct ByteWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var capacity: Int
  @usableFromInline var length: Int

  /// How many bytes have been written.
  @inlinable public var count: Int { length }

  @inlinable public init(capacity: Int = 512) {
    self.capacity = max(capacity, 64)
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 8)
    length = 0
  }

  deinit { unsafe base.deallocate() }

  /// What has been written.
  public var bytes: RawSpan {
    @inlinable @_lifetime(borrow self)
    borrowing get {
      let span = unsafe RawSpan(_unsafeStart: base, byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// A copy of what has been written.
  public func toArray() -> [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count))
  }

  /// Gives away the memory, `count` bytes of which hold what has been written; the receiver
  /// deallocates it.
  package consuming func release() -> (base: UnsafeMutableRawPointer, count: Int) {
    let result = unsafe (base, length)
    discard self
    return unsafe result
  }

  /// Forgets everything past `count` bytes; keeps the memory.
  @inlinable public mutating func truncate(to count: Int = 0) {
    precondition(count >= 0 && count <= self.count)
    length = count
  }

  /// Overwrites bytes that have been written.
  @inlinable public mutating func patch<T: FixedWidthInteger & BitwiseCopyable>(
    littleEndian value: T, at offset: Int
  ) {
    precondition(offset >= 0 && offset + MemoryLayout<T>.size <= length)
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }

  /// Makes room in the middle: what stood at `offset` moves back by `byteCount` bytes, which keep
  /// what they held.
  public mutating func insert(byteCount: Int, at offset: Int) {
    precondition(offset >= 0 && offset <= length && byteCount >= 0)
    ensure(byteCount)
    unsafe (base + offset + byteCount).copyMemory(
      from: base + offset, byteCount: length - offset)
    length += byteCount
  }

  @usableFromInline @inline(never) mutating func grow(_ byteCount: Int) {
    capacity = max(capacity * 2, count + byteCount)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
    unsafe larger.copyMemory(from: base, byteCount: count)
    unsafe base.deallocate()
    unsafe base = larger
  }

  @inlinable @inline(__always) mutating func ensure(_ byteCount: Int) {
    if count + byteCount > capacity { grow(byteCount) }
  }

  @inlinable public mutating func append(_ byte: UInt8) {
    ensure(1)
    unsafe base.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
    length += 1
  }

  @inlinable public mutating func append<T: FixedWidthInteger & BitwiseCopyable>(
    littleEndian value: T
  ) {
    ensure(MemoryLayout<T>.size)
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: length, as: T.self)
    length += MemoryLayout<T>.size
  }

  /// Big-endian, for keys, so that their order by bytes is that of the numbers.
  @inlinable public mutating func append<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T)
  {
    ensure(MemoryLayout<T>.size)
    unsafe base.storeBytes(of: value.bigEndian, toByteOffset: length, as: T.self)
    length += MemoryLayout<T>.size
  }

  /// LEB128: seven bits a byte, the lowest first; 1 to 10 bytes.
  @inlinable public mutating func append(varint value: UInt64) {
    ensure(10)
    if value < 0x80 {
      unsafe base.storeBytes(
        of: UInt8(truncatingIfNeeded: value), toByteOffset: length, as: UInt8.self)
      length &+= 1
      return
    }
    var rest = value
    while rest >= 0x80 {
      unsafe base.storeBytes(
        of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: length, as: UInt8.self)
      length += 1
      rest >>= 7
    }
    unsafe base.storeBytes(
      of: UInt8(truncatingIfNeeded: rest), toByteOffset: length, as: UInt8.self)
    length += 1
  }

  @inlinable public mutating func append(varint value: Int) {
    precondition(value >= 0)
    append(varint: UInt64(value))
  }

  /// A signed number as a varint, small ones of either sign in few bytes.
  @inlinable public mutating func append(zigzag value: Int64) {
    append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  @inlinable public mutating func append(_ span: RawSpan) {
    unsafe span.withUnsafeBytes { unsafe append(raw: $0) }
  }

  @inlinable public mutating func append(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe append(raw: $0) }
  }

  /// The string's UTF-8 bytes, without a length.
  @inlinable public mutating func append(utf8 string: String) {
    var string = string
    string.withUTF8 { unsafe append(raw: UnsafeRawBufferPointer($0)) }
  }

  /// A varint of the byte count, then the UTF-8 bytes.
  @inlinable public mutating func append(counted string: String) {
    var string = string
    string.withUTF8 {
      append(varint: $0.count)
      unsafe append(raw: UnsafeRawBufferPointer($0))
    }
  }

  /// The same; false where the string holds NUL, and what has been written is then not to be used.
  @inlinable mutating func append(countedWithoutNUL string: String) -> Bool {
    var string = string
    return string.withUTF8 {
      append(varint: $0.count)
      unsafe append(raw: UnsafeRawBufferPointer($0))
      return unsafe !$0.holdsZero
    }
  }

  @inlinable mutating func append(raw: UnsafeRawBufferPointer) {
    guard let source = raw.baseAddress else { return }
    ensure(raw.count)
    unsafe (base + length).copyMemory(from: source, byteCount: raw.count)
    length += raw.count
  }
}
