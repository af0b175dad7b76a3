public import TidemarkEvents

/// Writes JSON piece by piece, without building values: for a command that prints millions of lines.
///
///     var json = JSONBuilder()
///     json.beginObject()
///     json.append("lsn", 1)
///     json.append("kind", "create")
///     json.endObject()
///     json.endLine()
///
/// Commas are put where they belong. That what begins also ends, in order, is the caller's care, and
/// so is that a name stands once.
public struct JSONBuilder: Sendable {
  /// What has been written so far.
  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// Room for so many bytes, so that the buffer need not grow.
  public mutating func reserve(byteCount: Int) {
    bytes.reserveCapacity(byteCount)
  }

  /// Forgets what was written and keeps the room for more.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
  }

  public mutating func beginObject() { begin(UInt8(ascii: "{")) }
  public mutating func beginObject(_ name: String) { begin(UInt8(ascii: "{"), name) }
  public mutating func endObject() { bytes.append(UInt8(ascii: "}")) }

  public mutating func beginList() { begin(UInt8(ascii: "[")) }
  public mutating func beginList(_ name: String) { begin(UInt8(ascii: "["), name) }
  public mutating func endList() { bytes.append(UInt8(ascii: "]")) }

  /// Ends a line; the next value stands for itself again.
  public mutating func endLine() { bytes.append(0x0A) }

  // A member of an object.

  public mutating func append(_ name: String, _ value: String) {
    key(name)
    JSONWriter.append(value, to: &bytes)
  }

  public mutating func append(_ name: String, _ value: Int) {
    key(name)
    JSONWriter.append(Int64(value), to: &bytes)
  }

  public mutating func append(_ name: String, _ value: Int64) {
    key(name)
    JSONWriter.append(value, to: &bytes)
  }

  public mutating func append(_ name: String, _ value: UInt64) {
    key(name)
    JSONWriter.append(value, to: &bytes)
  }

  public mutating func append(_ name: String, _ value: Double) {
    key(name)
    JSONWriter.append(value, to: &bytes)
  }

  public mutating func append(_ name: String, _ value: Bool) {
    key(name)
    JSONWriter.append(value, to: &bytes)
  }

  public mutating func append(_ name: String, _ value: Value) {
    key(name)
    JSONWriter.append(value, to: &bytes)
  }

  /// A member that is left out where there is no value.
  public mutating func append(_ name: String, ifGiven value: String?) {
    if let value { append(name, value) }
  }

  /// A member whose value is JSON already; the bytes are taken as they are.
  public mutating func append(_ name: String, json: [UInt8]) {
    key(name)
    bytes.append(contentsOf: json)
  }

  // An element of a list.

  public mutating func append(_ value: String) {
    separate()
    JSONWriter.append(value, to: &bytes)
  }

  public mutating func append(_ value: Int) {
    separate()
    JSONWriter.append(Int64(value), to: &bytes)
  }

  public mutating func append(_ value: Value) {
    separate()
    JSONWriter.append(value, to: &bytes)
  }

  /// Writes a member's name; its value follows through `append(_:)`, `beginObject()`, `beginList()`.
  public mutating func key(_ name: String) {
    separate()
    JSONWriter.append(name, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
  }

  private mutating func begin(_ bracket: UInt8, _ name: String) {
    key(name)
    bytes.append(bracket)
  }

  /// Puts a comma, unless the last byte opens something: these bytes end no value, for a string's
  /// last byte is its quote.
  private mutating func separate() {
    switch bytes.last {
    case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), 0x0A: return
    default: bytes.append(UInt8(ascii: ","))
    }
  }
}
