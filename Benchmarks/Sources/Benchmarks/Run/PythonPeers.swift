import Foundation

/// The peers whose libraries come from PyPI, in a virtual environment under the package's `.build`.
struct PythonPeers {
  private let interpreter: String
  private let script: String
  /// Those whose library can be imported.
  let available: [PeerName]

  /// Installs what is missing, once; what cannot be had is left out.
  init(_ wanted: [PeerName]) {
    let package = PackageDirectory.path
    interpreter = package + "/.build/python/bin/python"
    script = package + "/Python/peers.py"
    guard !wanted.isEmpty else {
      available = []
      return
    }
    if !FileManager.default.isExecutableFile(atPath: interpreter) {
      Progress.say("installing the Python peers, once")
      _ = PythonPeers.output("/bin/sh", [package + "/Python/install", package + "/.build/python"])
    }
    let answer = PythonPeers.output(interpreter, [script, "--available"]) ?? ""
    let names = answer.split(whereSeparator: \.isWhitespace).map(String.init)
    available = wanted.filter { names.contains($0.rawValue) }
  }

  func run(
    _ scenario: Scenario, _ peer: PeerName, directory: String, workloads: String, scale: Scale
  ) -> (measurements: [Measurement], failure: String?) {
    ChildProcess.run(
      interpreter,
      [
        script, "--peer", peer.rawValue, "--scenario", scenario.rawValue,
        "--directory", directory, "--workloads", workloads,
      ])
  }

  private static func output(_ executable: String, _ arguments: [String]) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { return nil }
    let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The workloads as files.
enum PythonWorkloads {
  static func write(to directory: String, _ scale: Scale) throws {
    for (scenario, count) in [
      (Scenario.batchRelaxed, scale.batched), (.batchFull, scale.batched),
      (.singleRelaxed, scale.singleRelaxed), (.singleFull, scale.singleFull),
    ] {
      try Workload(operationCount: count).write(to: "\(directory)/\(scenario.rawValue)")
    }
    for (scenario, localCount) in [
      (Scenario.merge, 0), (.mergeConcurrent, scale.mergeEdits / 10),
    ] {
      try EditWorkload(
        baseCount: scale.mergeBase, foreignCount: scale.mergeEdits, localCount: localCount
      ).write(to: "\(directory)/\(scenario.rawValue)")
    }
  }
}
