public import TidemarkEvents

/// Reads strict JSON (RFC 8259, with the limits of I-JSON) into a `Value`.
///
/// Refused, beyond what is no JSON at all: a byte order mark, a name that an object has twice
/// (compared by bytes), invalid UTF-8, NUL and lone surrogates in strings, more than `depthMax`
/// levels, bytes after the value, and numbers that `Value` cannot hold: an integer must fit 64 bits,
/// a number with a fraction or an exponent must be finite as a double.
public enum JSONReader {
  /// Lists and objects may be nested so deep.
  public static let depthMax = 128
  /// A number with a fraction or an exponent may be so long: enough for any double written in full.
  public static let numberByteCountMax = 1_200

  /// Reads the one value that the bytes hold.
  /// - Throws: `JSONError` with the code and the byte offset of the first fault.
  /// - Complexity: O(n) in the number of bytes, whatever they are.
  public static func read(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> Value {
    var parser = unsafe JSONParser(bytes)
    return try parser.readDocument()
  }

  /// Reads the one value that the bytes hold.
  /// - Throws: `JSONError` with the code and the byte offset of the first fault.
  /// - Complexity: O(n) in the number of bytes, whatever they are.
  public static func read(_ bytes: Span<UInt8>) throws(JSONError) -> Value {
    try unsafe bytes.withUnsafeBytes { (buffer) throws(JSONError) -> Value in
      try unsafe read(buffer)
    }
  }

  /// Reads the one value that the bytes hold.
  /// - Throws: `JSONError` with the code and the byte offset of the first fault.
  /// - Complexity: O(n) in the number of bytes, whatever they are.
  public static func read(_ bytes: [UInt8]) throws(JSONError) -> Value {
    try read(bytes.span)
  }

  /// Reads the one value that the text holds.
  /// - Throws: `JSONError` with the code and the byte offset of the first fault.
  /// - Complexity: O(n) in the number of bytes, whatever they are.
  public static func read(_ text: String) throws(JSONError) -> Value {
    try read(Array(text.utf8))
  }

  /// Checks a text as `read` does, except that a number may be of any size.
  /// - Throws: `JSONError` with the code and the byte offset of the first fault.
  /// - Complexity: O(n) in the number of bytes, whatever they are.
  package static func check(_ text: String) throws(JSONError) {
    let bytes = Array(text.utf8)
    try unsafe bytes.span.withUnsafeBytes { (buffer) throws(JSONError) in
      var parser = unsafe JSONParser(buffer, takesAnyNumber: true)
      _ = try parser.readDocument()
    }
  }
}
