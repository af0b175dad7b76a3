import Foundation
import Testing
import TidemarkTesting

/// Runs that failed with a fault planted, each made as short as it could be, and what they must still
/// come past: a tape whose choices have come to mean something else would prove nothing.
@Suite struct FixtureTests {
  private static func tape(_ name: String) throws -> ChoiceTape {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/\(name).tape")
    return try #require(ChoiceTape(String(decoding: try Data(contentsOf: file), as: UTF8.self)))
  }

  @Test(arguments: [
    ("issued-again-without-context", Sight.issuedAgainSeeing)
  ])
  func `a failure that was made short holds on the code as it is`(
    name: String, sight: Sight
  ) throws {
    let tape = try Self.tape(name)
    let report = try Simulation(.feed).run(tape)
    #expect(report.failure == nil, "\(name)")
    #expect(report.stepCount == tape.stepCount)
    #expect(report.count(of: sight) > 0, "\(name) does not come to what it was kept for any more")
  }
}
