import Foundation
import Testing
import TidemarkEvents
import TidemarkTesting

/// What fuzzers begin with, and what they found.
@Suite struct CorpusTests {
  static let directory = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Fuzzing/Corpus")

  @Test(arguments: FuzzTarget.allCases)
  func `no input of the corpus does harm`(target: FuzzTarget) throws {
    let inputs = try FileManager.default.contentsOfDirectory(
      at: Self.directory.appending(path: target.rawValue), includingPropertiesForKeys: nil)
    #expect(!inputs.isEmpty)
    for input in inputs { target.run([UInt8](try Data(contentsOf: input))) }
  }

  @Test(arguments: FuzzTarget.allCases, [UInt64](1...3))
  func `bytes of an input changed at random do no harm`(target: FuzzTarget, seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let inputs = try FileManager.default.contentsOfDirectory(
      at: Self.directory.appending(path: target.rawValue), includingPropertiesForKeys: nil)
    for input in inputs.sorted(by: { $0.path < $1.path }) {
      let bytes = [UInt8](try Data(contentsOf: input))
      for _ in 0..<60 where !bytes.isEmpty {
        var changed = bytes
        for _ in 0...Int.random(in: 0..<4, using: &generator) {
          let place = Int.random(in: 0..<changed.count, using: &generator)
          switch Int.random(in: 0..<3, using: &generator) {
          case 0: changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
          case 1: changed[place] = UInt8.random(in: 0...255, using: &generator)
          default: changed.removeSubrange(place...)
          }
          if changed.isEmpty { break }
        }
        target.run(changed)
      }
    }
  }
}
