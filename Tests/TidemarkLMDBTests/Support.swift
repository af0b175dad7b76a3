import Foundation
import Synchronization
import Testing
import TidemarkLMDB

/// A directory of its own for one test, removed at the end.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "tidemark-lmdb-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { path + "/" + name }
}

/// A small, fast generator (SplitMix64), the same for a seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }
}

/// Seeds of the random tests: a few fixed ones and a new one each run, which a failure prints.
let seeds: [UInt64] = [1, 2, 3, UInt64.random(in: 0...UInt64.max)]

extension Array where Element == UInt8 {
  init?(_ span: RawSpan?) {
    guard let span else { return nil }
    self.init(span)
  }

  init(_ span: RawSpan) {
    self = unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
  }

  init(_ text: String) { self = Array(text.utf8) }
}

extension Reading where Self: ~Copyable, Self: ~Escapable {
  /// A copy of a value.
  borrowing func copy(_ table: Table, _ key: [UInt8]) throws -> [UInt8]? {
    if let value = try get(table, unsafe key.span.bytes) { return [UInt8](value) }
    return nil
  }

  borrowing func copy(_ table: Table, _ key: UInt64) throws -> [UInt8]? {
    if let value = try get(table, key) { return [UInt8](value) }
    return nil
  }
}

extension WriteTransaction {
  @_lifetime(self: copy self)
  mutating func put(_ table: Table, _ key: [UInt8], _ value: [UInt8]) throws(LMDBError) {
    try put(table, unsafe key.span.bytes, unsafe value.span.bytes)
  }

  @_lifetime(self: copy self)
  mutating func put(_ table: Table, _ key: UInt64, _ value: [UInt8]) throws(LMDBError) {
    try put(table, key, unsafe value.span.bytes)
  }

  @_lifetime(self: copy self)
  mutating func append(_ table: Table, _ key: UInt64, _ value: [UInt8]) throws(LMDBError) {
    try append(table, key, unsafe value.span.bytes)
  }

  @_lifetime(self: copy self)
  mutating func delete(_ table: Table, _ key: [UInt8]) throws(LMDBError) -> Bool {
    try delete(table, unsafe key.span.bytes)
  }
}

/// The code that a closure's error has; nil when it throws none.
func code(_ body: () throws -> Void) -> LMDBError.Code? {
  do {
    try body()
    return nil
  } catch {
    return (error as? LMDBError)?.code ?? .other
  }
}

func asyncCode(_ body: () async throws -> Void) async -> LMDBError.Code? {
  do {
    try await body()
    return nil
  } catch {
    return (error as? LMDBError)?.code ?? .other
  }
}

/// The descriptors of this process for a file, with whether it was opened for writing only.
func openDescriptors(_ path: String) -> [(descriptor: Int32, isWriteOnly: Bool)] {
  var wanted = stat()
  guard unsafe stat(path, &wanted) == 0 else { return [] }
  return (Int32(0)..<1024).compactMap { descriptor in
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_ino == wanted.st_ino,
      status.st_dev == wanted.st_dev
    else { return nil }
    return (descriptor, fcntl(descriptor, F_GETFL) & O_ACCMODE == O_WRONLY)
  }
}

/// Options with a small map, so that growth happens in tests.
func smallMap(_ byteCount: Int = 65_536) -> Environment.Options {
  var options = Environment.Options()
  options.mapByteCountInitial = byteCount
  return options
}

/// Something that has happened or has not.
final class Flag: Sendable {
  private let state = Mutex(false)

  var isSet: Bool { state.withLock { $0 } }

  func set() { state.withLock { $0 = true } }
}
