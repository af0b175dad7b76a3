import Foundation
import Synchronization

/// A child process that prints measurements as lines of JSON.
enum ChildProcess {
  /// No scenario of a machine that is fit for this takes so long.
  static let timeoutSeconds = 900.0

  /// - Returns: the measurements, and what went wrong: the last line of what it said.
  static func run(
    _ executable: String, _ arguments: [String]
  ) -> (measurements: [Measurement], failure: String?) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    do { try process.run() } catch { return ([], "\(executable) does not start: \(error)") }
    let watchdog = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + timeoutSeconds, execute: watchdog)
    // Both pipes are read at once: a child that fills one waits for its reader.
    let said = Mutex(Data())
    let reader = Thread {
      let bytes = errors.fileHandleForReading.readDataToEndOfFile()
      said.withLock { $0 = bytes }
    }
    reader.start()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    watchdog.cancel()
    let decoder = JSONDecoder()
    let measurements = bytes.split(separator: 0x0a).compactMap {
      try? decoder.decode(Measurement.self, from: $0)
    }
    guard process.terminationStatus != 0 else { return (measurements, nil) }
    let text = String(decoding: said.withLock { $0 }, as: UTF8.self)
    let last = text.split(separator: "\n").last.map(String.init)
    return (measurements, last ?? "ended with status \(process.terminationStatus)")
  }
}
