/// What went wrong with a store's files, with a stable code and a message that says what to do.
public struct LMDBError: Error, Hashable, Sendable {
  /// The stable name of a kind of failure. Raw values are part of the interface.
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// The store has reached the greatest size that its options allow. Nothing was written.
    case mapFull
    /// The disk, or the quota on it, is full. Nothing was written; reads go on.
    case diskFull
    /// A write was asked of a store that is open for reading, or on a read-only file system.
    case readOnly
    /// Somebody else holds what is needed, and the bounded wait for it is over. Nothing was done.
    case busy
    /// The files contradict themselves.
    case corrupt
    /// The data file is shorter than its newest state needs.
    case truncated
    /// The data file is something else.
    case notAStore
    /// The files have a format that this program does not know.
    case newerFormat
    /// The store is open in this process with options that exclude the ones asked for.
    case alreadyOpen
    /// A write was begun on a thread that is in the middle of one.
    case reentrant
    /// Every reader slot is taken.
    case readersFull
    /// A key is empty or longer than 511 bytes.
    case keySize
    /// A key is there already, or is not past the last one where keys are appended.
    case keyExists
    /// The system denies access.
    case permission
    /// The directory, file or table does not exist.
    case notFound
    /// What was to be created exists.
    case alreadyExists
    /// The disk reported an error. Nothing was written.
    case ioFailure
    /// The disk failed at the last step of a commit: it may or may not have taken effect.
    case unknownOutcome
    /// The data file was removed or replaced while the store was open.
    case removed
    /// The files lie on a file system of another machine, where locks do not hold.
    case remoteFileSystem
    /// More tables than the options allow.
    case tablesFull
    /// One transaction changes more than LMDB can hold in it.
    case transactionFull
    /// The system has no memory or address space left.
    case outOfMemory
    /// The environment, or the writer thread, does not work any more in this process.
    case closed
    /// The call itself is wrong: a programming error.
    case invalid
    /// Anything else; `rc` says what.
    case other
  }

  /// The kind of failure, stable between versions.
  public let code: Code
  /// The number that LMDB or the system returned; 0 where neither was asked.
  public let rc: Int32
  /// What was being done, in a word or two.
  public let operation: String
  /// What is known beyond the code, such as a path or a process id; may be empty.
  public let detail: String

  public init(_ code: Code, rc: Int32 = 0, operation: String, detail: String = "") {
    self.code = code
    self.rc = rc
    self.operation = operation
    self.detail = detail
  }

  /// One or two sentences for people: what happened, and what to do.
  public var message: String {
    let subject = detail.isEmpty ? operation : "\(operation) (\(detail))"
    let cause = rc == 0 ? "" : " [\(systemMessage(rc))]"
    return "\(subject): \(code.remedy)\(cause)"
  }
}

extension LMDBError: CustomStringConvertible {
  public var description: String { "\(code.rawValue): \(message)" }
}

extension LMDBError.Code {
  /// What happened and what to do, without the particulars.
  var remedy: String {
    switch self {
    case .mapFull:
      "the store has reached its greatest size; delete or compact, or open it with a greater one"
    case .diskFull: "the disk is full and nothing was written; free space and try again"
    case .readOnly: "the store cannot be written here; open it for writing, on a writable disk"
    case .busy: "somebody else is using the store; wait or stop the other process, and try again"
    case .corrupt: "the store is damaged; verify it, then restore a backup or sync anew"
    case .truncated: "the data file was cut short; restore a backup or sync anew"
    case .notAStore: "the file is not a store; check the path"
    case .newerFormat: "the store has another format version; use a program that knows it"
    case .alreadyOpen: "the store is open in this process in another way; use or close that one"
    case .reentrant: "a write cannot begin inside a write; use the transaction that you have"
    case .readersFull: "too many readers; end some, or open the store with more reader slots"
    case .keySize: "keys have 1 to 511 bytes; shorten the key"
    case .keyExists: "the key exists, or is not past the last one; use another key"
    case .permission: "access denied; check the owner and mode of the directory and its files"
    case .notFound: "there is nothing there; check the name, or create it first"
    case .alreadyExists: "there is something there already; choose another place"
    case .ioFailure: "the disk failed and nothing was written; check the disk and try again"
    case .unknownOutcome:
      "the disk failed at the end of a commit that may have taken effect; read before you repeat it"
    case .removed: "the data file was removed or replaced; close the store and open it anew"
    case .remoteFileSystem:
      "the files are on another machine, where locks do not hold; use a local disk"
    case .tablesFull: "too many tables; open the store with room for more"
    case .transactionFull: "the transaction is too large; split it"
    case .outOfMemory: "out of memory or address space; free some, or lower the map's size"
    case .closed: "no longer usable in this process; open the store anew"
    case .invalid: "the call is wrong; see the documentation"
    case .other: "it failed"
    }
  }
}
