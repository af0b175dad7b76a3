import CPeers
import Foundation

/// What the figures were measured on.
struct Machine: Codable, Sendable {
  let processor: String
  let coreCount: Int
  let memoryBytes: Int
  let kernel: String
  /// Of the last minute, before the run: what else was going on.
  let loadAverage: Double
  let fileSystem: FileSystem
  let sync: SyncProbe
  let libraries: [String]

  static func look(at directory: String) throws -> Machine {
    Machine(
      processor: processorName(), coreCount: ProcessInfo.processInfo.activeProcessorCount,
      memoryBytes: Int(ProcessInfo.processInfo.physicalMemory), kernel: kernelName(),
      loadAverage: load(),
      fileSystem: FileSystem.holding(directory),
      sync: try SyncProbe.measure(in: directory, count: 400),
      libraries: [
        String(cString: lmdb_peer_version()),
        "SQLite \(String(cString: sqlite_peer_version()))",
      ])
  }

  private static func processorName() -> String {
    #if canImport(Darwin)
      var size = 0
      sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
      var name = [UInt8](repeating: 0, count: size)
      sysctlbyname("machdep.cpu.brand_string", &name, &size, nil, 0)
      return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
    #else
      let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
      let name = line?.split(separator: ":").dropFirst().first
      return name.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    #endif
  }

  private static func load() -> Double {
    var averages = [0.0, 0.0, 0.0]
    return getloadavg(&averages, 3) > 0 ? averages[0] : 0
  }

  private static func kernelName() -> String {
    var name = utsname()
    guard uname(&name) == 0 else { return "unknown" }
    func text<T>(_ tuple: T) -> String {
      withUnsafeBytes(of: tuple) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
  }
}
