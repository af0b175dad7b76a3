import Foundation
import Testing
import TidemarkLMDB

@Suite struct `Disk faults` {
  let scratch: Scratch
  let path: String
  let environment: Environment
  let table: Table

  init() throws {
    scratch = try Scratch()
    path = scratch("store")
    environment = try Environment.open(directory: path, create: true)
    table = try environment.table(named: "t", .integerKeys)
    let table = table
    try environment.write { try $0.put(table, 1, [1]) }
  }

  /// Puts `/dev/full` in the place of the data file's descriptors while a closure runs: every write
  /// to it fails.
  private func withFullDescriptor(meta: Bool, _ body: () throws -> Void) throws {
    let descriptor = try #require(
      openDescriptors(path + "/data.mdb").first { $0.isWriteOnly == meta }?.descriptor)
    let saved = dup(descriptor)
    let full = unsafe open("/dev/full", O_WRONLY)
    dup2(full, descriptor)
    close(full)
    defer {
      // LMDB has closed it where the store was reopened.
      if fcntl(descriptor, F_GETFD) >= 0, !meta { dup2(saved, descriptor) }
      close(saved)
    }
    try body()
  }

  @Test func `a disk without space fails the commit, and the next one works`() throws {
    try withFullDescriptor(meta: false) {
      #expect(code { try environment.write { try $0.put(table, 2, [2]) } } == .diskFull)
      let value = try environment.read { try $0.copy(table, 1) }
      #expect(value == [1])
    }
    try environment.write { try $0.put(table, 3, [3]) }
    #expect(try environment.read { try $0.copy(table, 2) } == nil)
    #expect(try environment.read { try $0.copy(table, 3) } == [3])
  }

  @Test func `a failed meta page is an unknown outcome, and the store goes on`() throws {
    let other = try environment.table(named: "other", .bytesKeys)
    try withFullDescriptor(meta: true) {
      #expect(code { try environment.write { try $0.put(table, 2, [2]) } } == .unknownOutcome)
    }
    #expect(try environment.read { try $0.copy(table, 1) } == [1])
    try environment.write { transaction in
      try transaction.put(table, 2, [2])
      try transaction.put(other, [9], [9])
    }
    #expect(try environment.read { try $0.copy(table, 2) } == [2])
    #expect(try environment.read { try $0.copy(other, [9]) } == [9])
    #expect(openDescriptors(path + "/lock.mdb").count == 1)
  }

  @Test func `a store that must reopen waits for its readers and does it later`() throws {
    var options = Environment.Options()
    options.exclusiveWaitSeconds = 0.1
    let path = scratch("patient")
    let environment = try Environment.open(directory: path, create: true, options: options)
    let table = try environment.table(named: "t", .integerKeys)
    let descriptor = try #require(
      openDescriptors(path + "/data.mdb").first { $0.isWriteOnly }?.descriptor)
    try environment.write { try $0.put(table, 1, [1]) }
    try environment.read { transaction in
      let full = unsafe open("/dev/full", O_WRONLY)
      dup2(full, descriptor)
      close(full)
      #expect(code { try environment.write { try $0.put(table, 2, [2]) } } == .unknownOutcome)
      #expect(code { try environment.write { try $0.put(table, 2, [2]) } } == .busy)
      let value = try transaction.copy(table, 1)
      #expect(value == [1])
    }
    try environment.write { try $0.put(table, 2, [2]) }
    #expect(try environment.read { try $0.count(table) } == 2)
  }

  @Test func `a data file that is gone takes no more writes`() throws {
    try FileManager.default.removeItem(atPath: path + "/data.mdb")
    #expect(code { try environment.write { try $0.put(table, 2, [2]) } } == .removed)
    #expect(try environment.read { try $0.copy(table, 1) } == [1])
  }

  @Test func `a lock file that is gone takes no more writes`() throws {
    try FileManager.default.removeItem(atPath: path + "/lock.mdb")
    #expect(code { try environment.write { try $0.put(table, 2, [2]) } } == .removed)
  }

  @Test func `a small disk fills up, reads go on, and space that is freed is used`() throws {
    let mount = scratch("mount")
    try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
    let command = Process()
    command.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    command.arguments = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount]
    command.standardError = FileHandle.nullDevice
    try? command.run()
    command.waitUntilExit()
    guard command.terminationStatus == 0 else {
      print("skipped: mount is not permitted here")
      return
    }
    defer { unsafe umount2(mount, 2) }
    let ballast = mount + "/ballast"
    try Data(count: 300_000).write(to: URL(fileURLWithPath: ballast))
    do {
      let environment = try Environment.open(directory: mount + "/store", create: true)
      let table = try environment.table(named: "t", .integerKeys)
      var key: UInt64 = 0
      let error = code {
        while key < 10_000 {
          try environment.write { try $0.append(table, key, [UInt8](repeating: 1, count: 3000)) }
          key += 1
        }
      }
      #expect(error == .diskFull)
      #expect(key > 10)
      #expect(try environment.read { try $0.count(table) } == Int(key))
      try FileManager.default.removeItem(atPath: ballast)
      try environment.write { try $0.append(table, key, [1]) }
      #expect(try environment.read { try $0.copy(table, key) } == [1])
    }
  }
}
