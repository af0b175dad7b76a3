#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension Environment {
  /// Opens the store in a directory, or gives the environment that has it open in this process.
  ///
  /// The data file is looked at before LMDB maps it, so a damaged one is an error and not a signal.
  /// With `create`, a directory (not its parents) and an empty store are made where there are none,
  /// and an empty store whose creation a power cut interrupted is made anew. New files are for
  /// their owner only.
  /// - Throws: `notFound`, `permission`, `readOnly`, `notAStore`, `truncated`, `corrupt`,
  ///   `newerFormat`, `alreadyOpen` (for writing, when reading only was asked, or the other way
  ///   round), `busy`, `diskFull`, `remoteFileSystem`, `invalid` (options or path), `outOfMemory`.
  public static func open(
    directory: String, create: Bool, options: Options = Options()
  ) throws(LMDBError) -> Environment {
    try options.check()
    guard !directory.isEmpty, !directory.utf8.contains(0) else {
      throw LMDBError(.invalid, operation: "open store", detail: "path is empty or has a NUL")
    }
    let isCreated = create && !options.readOnly
    try prepare(directory, create: isCreated)
    let file = try StoreFile(directory: directory, create: isCreated, options: options)
    let environment = try Registry.shared.environment(
      file.identity, waitSeconds: options.exclusiveWaitSeconds
    ) { () throws(LMDBError) in
      try open(directory, file, create: isCreated, options)
    }
    guard environment.options.readOnly == options.readOnly else {
      throw LMDBError(
        .alreadyOpen, operation: "open store",
        detail: options.readOnly ? "it is open for writing" : "it is open for reading only")
    }
    return environment
  }

  private static func open(
    _ directory: String, _ file: borrowing StoreFile, create: Bool, _ options: Options
  ) throws(LMDBError) -> Environment {
    let handle = try openHandle(directory, file, create: create, options, mapByteCount: 0)
    if handle.isNew {
      // Before any transaction: a power cut leaves a store, or a file that is known to be none.
      try file.synchronize()
      try synchronizeDirectory(directory)
    }
    return Environment(
      directory: directory, options: options, identity: file.identity, handle: handle)
  }

  /// Checks a file and opens LMDB on it, with a map of at least so many bytes.
  static func openHandle(
    _ directory: String, _ file: borrowing StoreFile, create: Bool, _ options: Options,
    mapByteCount: Int
  ) throws(LMDBError) -> OpenHandle {
    try file.lock(waitSeconds: options.exclusiveWaitSeconds)
    var mapByteCount = max(mapByteCount, options.mapByteCountInitial)
    var isNew = false
    switch try file.content() {
    case .unborn:
      guard create else {
        throw LMDBError(.truncated, operation: "open store", detail: "\(file.path) is empty")
      }
      try file.clear()
      isNew = true
    case .store(let state):
      // Another process may have given the map more room; what the pages need comes before all.
      let known = min(Int(clamping: state.mapByteCount), options.mapByteCountMax)
      let needed = (Int(clamping: state.lastPage) + 1) * state.pageByteCount
      mapByteCount = max(mapByteCount, known, needed)
    }
    return try OpenHandle(
      directory: directory, mapByteCount: roundedToPages(mapByteCount), isNew: isNew,
      options: options, identity: file.identity)
  }

  private static func prepare(_ directory: String, create: Bool) throws(LMDBError) {
    if create {
      if unsafe mkdir(directory, 0o700) == 0 {
        try synchronizeDirectory(parentDirectory(of: directory))
        return
      }
      // An existing directory may be one that could not be made: what counts is that it is there.
      if errno == EEXIST || errno == EROFS || errno == EACCES {
        try checkIsDirectory(directory)
        return
      }
      throw .system("create directory", detail: directory)
    }
    try checkIsDirectory(directory)
  }

  private static func checkIsDirectory(_ directory: String) throws(LMDBError) {
    var status = stat()
    guard unsafe stat(directory, &status) == 0 else {
      throw .system("open store", detail: directory)
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw LMDBError(.notAStore, operation: "open store", detail: "\(directory) is no directory")
    }
  }

  static func roundedToPages(_ byteCount: Int) -> Int {
    let unit = 65_536  // No system has larger pages.
    let (sum, overflow) = byteCount.addingReportingOverflow(unit - 1)
    return overflow ? byteCount & ~(unit - 1) : sum & ~(unit - 1)
  }
}

extension Environment.Options {
  fileprivate func check() throws(LMDBError) {
    let problem: String? =
      switch true {
      case mapByteCountInitial < 65_536: "mapByteCountInitial is below 64 KiB"
      case mapByteCountMax < mapByteCountInitial: "mapByteCountMax is below mapByteCountInitial"
      case !(1...65_000).contains(tablesMax): "tablesMax is not in 1...65000"
      case !(1...65_000).contains(readersMax): "readersMax is not in 1...65000"
      default: nil
      }
    if let problem { throw LMDBError(.invalid, operation: "open store", detail: problem) }
  }
}
