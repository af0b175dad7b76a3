/// Why a schema file is refused, and where.
public struct SchemaError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Stable: programs may compare them.
  public enum Code: String, Sendable, CaseIterable {
    // The file and its text.
    case fileTooLarge, invalidUTF8, unexpectedCharacter, unexpectedToken, unterminatedString
    case invalidEscape, nameTooLong, tooDeep
    // Types and fields.
    case notSupported, noModels, tooManyTypes, tooManyFields, emptyType, reservedName, duplicateName
    case unknownType, idType, recursiveType
    // Directives.
    case unknownDirective, duplicateDirective, misplacedDirective, unknownArgument
    case missingArgument, wrongArgument, wrongMergeType, wrongDefault
    // Relations.
    case missingRelation, relationTarget, relationType, relationKey, ambiguousRelation
    case relationsDisagree, requiredCycle, tooManyRelations
    // Rules.
    case authWithoutModel, emptyRules, tooManyRules, providerNotTaken, providerNotConfigured
    case groupsAndGroupsField, emptyGroups, groupsWithoutGroups, groupClaimWithoutGroups
    case identityClaimWithoutOwner, ownerFieldWithoutOwner, readAndPartOfRead, partOfReadOnField
    case ownerFieldType, groupsFieldType
  }

  public let code: Code
  /// Counted from 1.
  public let line: Int
  /// Counted from 1, in Unicode scalars.
  public let column: Int
  /// What is wrong and what to write instead.
  public let message: String

  public init(code: Code, line: Int, column: Int, message: String) {
    self.code = code
    self.line = line
    self.column = column
    self.message = message
  }

  init(_ code: Code, _ position: SourcePosition, _ message: String) {
    self.init(code: code, line: position.line, column: position.column, message: message)
  }

  public var description: String { "\(line):\(column): \(message) (\(code.rawValue))" }
}

/// A place in a schema file; both count from 1, the column in Unicode scalars.
struct SourcePosition: Hashable, Sendable {
  var line = 1
  var column = 1
}
