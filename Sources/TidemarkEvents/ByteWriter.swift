/// A growing buffer of bytes for encoding; little-endian unless a name says otherwise.
///
/// Invariants: `count ≤ capacity`; bytes below `count` are initialised.
@safe public struct ByteWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var capacity: Int
  public private(set) var count: Int

  public init(capacity: Int = 512) {
    self.capacity = max(capacity, 64)
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 8)
    count = 0
  }

  deinit { unsafe base.deallocate() }

  /// What has been written.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      let span = unsafe RawSpan(_unsafeStart: base, byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// A copy of what has been written.
  public func toArray() -> [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count))
  }

  /// Forgets everything past `count` bytes; keeps the memory.
  public mutating func truncate(to count: Int = 0) {
    precondition(count >= 0 && count <= self.count)
    self.count = count
  }

  private mutating func grow(_ byteCount: Int) {
    capacity = max(capacity * 2, count + byteCount)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
    unsafe larger.copyMemory(from: base, byteCount: count)
    unsafe base.deallocate()
    unsafe base = larger
  }

  private mutating func ensure(_ byteCount: Int) {
    if count + byteCount > capacity { grow(byteCount) }
  }

  public mutating func append(_ byte: UInt8) {
    ensure(1)
    unsafe base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  public mutating func append<T: FixedWidthInteger & BitwiseCopyable>(littleEndian value: T) {
    ensure(MemoryLayout<T>.size)
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
    count += MemoryLayout<T>.size
  }

  /// Big-endian, for keys, so that their order by bytes is that of the numbers.
  public mutating func append<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) {
    ensure(MemoryLayout<T>.size)
    unsafe base.storeBytes(of: value.bigEndian, toByteOffset: count, as: T.self)
    count += MemoryLayout<T>.size
  }

  /// LEB128: seven bits a byte, the lowest first; 1 to 10 bytes.
  public mutating func append(varint value: UInt64) {
    ensure(10)
    var rest = value
    while rest >= 0x80 {
      unsafe base.storeBytes(
        of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
      count += 1
      rest >>= 7
    }
    unsafe base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
    count += 1
  }

  public mutating func append(varint value: Int) {
    precondition(value >= 0)
    append(varint: UInt64(value))
  }

  /// A signed number as a varint, small ones of either sign in few bytes.
  public mutating func append(zigzag value: Int64) {
    append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  public mutating func append(_ span: RawSpan) {
    unsafe span.withUnsafeBytes { unsafe append(raw: $0) }
  }

  public mutating func append(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe append(raw: $0) }
  }

  /// The string's UTF-8 bytes, without a length.
  public mutating func append(utf8 string: String) {
    var string = string
    string.withUTF8 { unsafe append(raw: UnsafeRawBufferPointer($0)) }
  }

  /// A varint of the byte count, then the UTF-8 bytes.
  public mutating func append(counted string: String) {
    var string = string
    string.withUTF8 {
      append(varint: $0.count)
      unsafe append(raw: UnsafeRawBufferPointer($0))
    }
  }

  private mutating func append(raw: UnsafeRawBufferPointer) {
    guard let source = raw.baseAddress else { return }
    ensure(raw.count)
    unsafe (base + count).copyMemory(from: source, byteCount: raw.count)
    count += raw.count
  }
}
