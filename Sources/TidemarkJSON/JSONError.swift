/// Why a text is not JSON that this reader takes.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Stable: programs may compare them.
  public enum Code: String, Sendable, CaseIterable {
    case emptyInput
    case byteOrderMark
    case unexpectedByte
    case unexpectedEnd
    case trailingBytes
    case invalidUTF8
    case nulInString
    case controlInString
    case invalidEscape
    case loneSurrogate
    case invalidNumber
    case numberOutOfRange
    case duplicateKey
    case tooDeep
  }

  public let code: Code
  /// Where, counted in bytes from 0: the first byte at fault, the start of a number, the opening
  /// quote of a duplicate key; the byte count where the input ends too early.
  public let byteOffset: Int
  /// What is wrong and what to write instead.
  public let message: String

  public init(code: Code, byteOffset: Int, message: String) {
    self.code = code
    self.byteOffset = byteOffset
    self.message = message
  }

  public var description: String { "byte \(byteOffset): \(message) (\(code.rawValue))" }
}
