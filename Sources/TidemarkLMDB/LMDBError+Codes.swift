import CLMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension LMDBError {
  /// The error for a number from LMDB (negative) or from the system (positive).
  @usableFromInline
  init(rc: Int32, operation: String, detail: String = "") {
    self.init(Code(rc: rc), rc: rc, operation: operation, detail: detail)
  }

  /// The error for the number that the last system call of this thread left.
  static func system(_ operation: String, detail: String = "") -> LMDBError {
    LMDBError(rc: errno, operation: operation, detail: detail)
  }

  /// True where the disk refused, so that free space decides between full and failed.
  var concernsDisk: Bool { code == .diskFull || code == .ioFailure }
}

extension LMDBError.Code {
  init(rc: Int32) {
    self = rc < 0 ? Self(lmdb: rc) : Self(system: rc)
  }

  private init(lmdb rc: Int32) {
    switch rc {
    case MDB_KEYEXIST: self = .keyExists
    case MDB_NOTFOUND: self = .notFound
    case MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_CURSOR_FULL, MDB_PAGE_FULL: self = .corrupt
    case MDB_PANIC: self = .ioFailure
    case MDB_VERSION_MISMATCH: self = .newerFormat
    case MDB_INVALID: self = .notAStore
    case MDB_MAP_FULL: self = .mapFull
    case MDB_DBS_FULL: self = .tablesFull
    case MDB_READERS_FULL, MDB_TLS_FULL: self = .readersFull
    case MDB_TXN_FULL: self = .transactionFull
    case MDB_MAP_RESIZED: self = .busy
    case MDB_BAD_VALSIZE: self = .keySize
    case MDB_INCOMPATIBLE, MDB_BAD_RSLOT, MDB_BAD_TXN, MDB_BAD_DBI: self = .invalid
    default: self = .other
    }
  }

  private init(system rc: Int32) {
    switch rc {
    case ENOSPC, EDQUOT, EFBIG: self = .diskFull
    case EIO: self = .ioFailure
    case EROFS: self = .readOnly
    case EACCES, EPERM: self = .permission
    case ENOENT: self = .notFound
    case EEXIST: self = .alreadyExists
    case ENOMEM: self = .outOfMemory
    case EAGAIN, EBUSY, EDEADLK: self = .busy
    case EINVAL, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP: self = .invalid
    default: self = .other
    }
  }
}

/// What LMDB calls a number, or the system where it is one of its own.
func systemMessage(_ rc: Int32) -> String {
  guard let text = unsafe mdb_strerror(rc) else { return "error \(rc)" }
  return unsafe String(cString: text)
}
