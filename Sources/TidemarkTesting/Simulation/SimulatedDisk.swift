internal import Tidemark
internal import TidemarkLMDB

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Where a simulated store lies: in memory, with every fault there is, or in a directory, with real
/// LMDB, where processes die and stores are copied.
enum SimulatedDisk {
  case memory(MemoryDisk)
  case directory(String)

  /// A state that can be brought back.
  enum Image {
    case memory(MemoryDisk.Image)
    case files([[UInt8]?])
  }

  private static let names = ["data.mdb", "journal-0", "journal-1"]

  var directory: String {
    switch self {
    case .memory: "memory"
    case .directory(let path): path
    }
  }

  var memory: MemoryDisk? {
    if case .memory(let disk) = self { return disk }
    return nil
  }

  var incarnation: Int { memory?.incarnation ?? 0 }

  /// The process that has it open dies.
  func crash() { memory?.crash() }

  func image() -> Image {
    switch self {
    case .memory(let disk): .memory(disk.image)
    case .directory(let path): .files(SimulatedDisk.names.map { read(path + "/" + $0) })
    }
  }

  /// - Parameter isSame: the data file stays the one that it was, so that the store cannot tell.
  func restore(_ image: Image, isSame: Bool) -> SimulatedDisk {
    switch (self, image) {
    case (.memory(let disk), .memory(let image)):
      let target = isSame ? disk : MemoryDisk()
      disk.crash()
      target.restore(image)
      return .memory(target)
    case (.directory(let path), .files(let files)):
      for (name, bytes) in zip(SimulatedDisk.names, files) {
        if !isSame { unsafe unlink(path + "/" + name) }
        if let bytes { write(bytes, path + "/" + name) } else { unsafe unlink(path + "/" + name) }
      }
      return self
    default: return self
    }
  }

  /// Another disk with the same bytes.
  func copy(to path: String, isSame: Bool) -> SimulatedDisk {
    switch self {
    case .memory(let disk):
      let copy = MemoryDisk(inode: isSame ? disk.inode : nil)
      copy.restore(disk.image)
      return .memory(copy)
    case .directory:
      unsafe mkdir(path, 0o700)
      return SimulatedDisk.directory(path).restore(image(), isSame: false)
    }
  }

  private func read(_ path: String) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(descriptor, $0.baseAddress, $0.count, 0)
    }
    return count == bytes.count ? bytes : nil
  }

  private func write(_ bytes: [UInt8], _ path: String) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }
}
