import Foundation

/// One scenario of one peer, in a process of its own: no peer finds another's memory or threads.
struct Child {
  let scenario: Scenario
  let peer: PeerName
  let directory: String
  let scale: Scale

  /// Prints each measurement as a line of JSON.
  func run() throws {
    switch scenario {
    case .batchRelaxed: try runBatches(.batchRelaxed, .relaxed)
    case .batchFull: try runBatches(.batchFull, .full)
    case .singleRelaxed: try runSingles(.singleRelaxed, .relaxed, scale.singleRelaxed)
    case .singleFull: try runSingles(.singleFull, .full, scale.singleFull)
    case .writersFull: try runWriters()
    case .merge: try runMerge(.merge, localCount: 0)
    case .mergeConcurrent: try runMerge(.mergeConcurrent, localCount: scale.mergeEdits / 10)
    case .rejections: try runRejections()
    case .open: try fillForOpening()
    case .large: try runLarge()
    }
  }

  var storeDirectory: String { directory + "/store" }
  var device: DiskDevice? { DiskDevice(holding: directory) }

  func make(_ durability: Durability) throws -> any Peer {
    guard let type = peer.type else { throw BenchmarkError("\(peer.rawValue) is not in Swift") }
    return try type.init(directory: storeDirectory, durability: durability)
  }

  func emit(_ measurement: Measurement) throws {
    let line = try JSONEncoder().encode(measurement)
    FileHandle.standardOutput.write(line + Data("\n".utf8))
  }
}
