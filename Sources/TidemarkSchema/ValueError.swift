/// Why a value, or an event's change, does not fit a schema.
public struct ValueError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Stable: programs may compare these.
  public enum Code: String, Sendable, CaseIterable {
    case wrongType, outOfRange, badFormat, missingField, unknownField, unknownCase, unknownModel
    case wrongOperation
  }

  public let code: Code
  /// The field, with members and places inside it: `address.lines[2]`.
  public let path: String
  /// What is wrong and what to give instead.
  public let message: String

  public init(_ code: Code, _ path: String, _ message: String) {
    self.code = code
    self.path = path
    self.message = message
  }

  public var description: String { message }
}
