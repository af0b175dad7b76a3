internal import TidemarkEvents
internal import TidemarkLMDB

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// What went wrong with a store: a stable code, and a message that says what to do.
public struct StoreError: Error, Sendable, CustomStringConvertible {
  /// Stable: programs may compare these.
  public enum Code: String, Sendable, CaseIterable {
    /// There is no store at the path.
    case notAStore
    /// A store is there already.
    case exists
    /// A later version of Tidemark wrote it.
    case newerFormat
    /// A later version of the app has brought it to a schema that this one does not have.
    case newerSchema
    /// Its bytes are not what was written.
    case corrupt
    /// Another process holds its lock, or too many read it.
    case busy
    case diskFull
    /// The map's cap is reached.
    case storeFull
    case permission
    case ioFailure
    /// Whether the last commit happened is not known; open the store again and look.
    case unknownOutcome
    /// The call is not one that this moment allows, as a write inside a write.
    case misuse
    /// What was given cannot be stored: a name, a value, an id.
    case invalid
    /// The schema has an error, or does not fit the store.
    case schema
    /// Another store used this one's dots, or this one's history was cut or mended.
    case fork
    /// An event came before one that it has seen.
    case early
    /// No such event, record, field or principal is known here.
    case notFound
    /// The caller's own closure threw; `cause` is what.
    case callback
  }

  public let code: Code
  public let message: String
  /// What the caller's own closure threw, where it did.
  public let cause: (any Error)?

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String { message }
}

extension StoreError {
  init(_ error: LMDBError) {
    let code: Code =
      switch error.code {
      case .mapFull: .storeFull
      case .diskFull: .diskFull
      case .readOnly, .permission: .permission
      case .busy, .readersFull: .busy
      case .corrupt, .truncated: .corrupt
      case .notAStore, .notFound: .notAStore
      case .alreadyExists: .exists
      case .newerFormat: .newerFormat
      case .alreadyOpen: .misuse
      case .unknownOutcome: .unknownOutcome
      default: .ioFailure
      }
    self.init(code, error.message)
  }

  init(_ error: CodecError) {
    if error.code == .newerFormat {
      self.init(
        .newerFormat, "the store was written by a later version (\(error)); use that version")
    } else {
      self.init(
        .corrupt,
        "the store is damaged (\(error)); run `tidemark verify` to see what is, and bring back a backup"
      )
    }
  }

  /// What the system said of a file.
  static func system(_ operation: String, _ code: Int32) -> StoreError {
    let kind: Code =
      switch code {
      case ENOSPC, EDQUOT: .diskFull
      case EACCES, EPERM, EROFS: .permission
      default: .ioFailure
      }
    return StoreError(kind, "\(operation): \(unsafe String(cString: strerror(code)))")
  }

  /// Any error as a store's: those of the layers below are told in the store's words.
  static func wrapping(_ error: any Error) -> StoreError {
    switch error {
    case let error as StoreError: error
    case let error as LMDBError: StoreError(error)
    case let error as CodecError: StoreError(error)
    default: StoreError(.callback, "\(error)", cause: error)
    }
  }
}
