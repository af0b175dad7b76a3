import Foundation

/// What the command line asks for.
struct Options: Sendable {
  var isQuick = false
  var isLarge = false
  var rounds = 3
  var rows: String?
  var peers = PeerName.allCases
  var directory: String?
  var json: String?
  /// `nil` in the process that a person starts.
  var child: ChildRequest?

  static let usage = """
    usage: tidemark-benchmarks [--quick] [--large] [--rounds N] [--rows REGEX] [--peers A,B]
                               [--directory DIR] [--json FILE]

      --quick          a tenth of the operations: about a minute
      --large          also the rate at ten million events beside the rate at the beginning
      --rounds N       rounds, each with every peer once; medians are told (3)
      --rows REGEX     only rows whose name matches:
                       \(Row.allCases.map(\.rawValue).joined(separator: " "))
      --peers A,B      only these:
                       \(PeerName.allCases.map(\.rawValue).joined(separator: ","))
      --directory DIR  where the stores are made; on a disk, not in memory (.build/stores)
      --json FILE      also writes all measurements as JSON

    """

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      func value() throws -> String {
        guard let value = rest.popFirst() else { throw BenchmarkError("\(name) needs a value") }
        return value
      }
      switch name {
      case "--quick": isQuick = true
      case "--large": isLarge = true
      case "--rounds": rounds = try Options.count(value(), name)
      case "--rows": rows = try Options.pattern(value())
      case "--peers": peers = try Options.peers(value())
      case "--directory": directory = try value()
      case "--json": json = try value()
      case "--child": child = try ChildRequest(value(), &rest)
      default: throw BenchmarkError("unknown option \(name)\n\n\(Options.usage)")
      }
    }
  }

  var scale: Scale { Scale(divisor: isQuick ? 10 : 1) }

  func selects(_ row: Row) -> Bool {
    if !isLarge, row == .largeStart || row == .largeEnd { return false }
    guard let rows else { return true }
    return row.rawValue.range(of: rows, options: .regularExpression) != nil
  }

  private static func count(_ text: String, _ name: String) throws -> Int {
    guard let count = Int(text), (1...99).contains(count) else {
      throw BenchmarkError("\(name) takes a number from 1 to 99")
    }
    return count
  }

  private static func pattern(_ text: String) throws -> String {
    guard (try? NSRegularExpression(pattern: text)) != nil else {
      throw BenchmarkError("\(text) is no regular expression")
    }
    return text
  }

  private static func peers(_ text: String) throws -> [PeerName] {
    let names = text.split(separator: ",").map(String.init)
    let chosen = try names.map { name in
      guard let peer = PeerName(rawValue: name) else { throw BenchmarkError("no peer \(name)") }
      return peer
    }
    return PeerName.allCases.filter(chosen.contains)
  }
}

/// What a parent asks of a child.
struct ChildRequest: Sendable {
  enum Work: Sendable {
    case scenario(Scenario)
    /// Opens what the scenario `open` made.
    case opening
    /// Writes the workloads where the script in Python reads them.
    case workloads
  }

  let work: Work
  let peer: PeerName
  let directory: String
  let scale: Scale

  /// Takes the peer, the directory and the scale after the name of the work.
  init(_ work: String, _ rest: inout ArraySlice<String>) throws {
    guard let name = rest.popFirst(), let directory = rest.popFirst(),
      let divisor = rest.popFirst().flatMap({ Int($0) }), let peer = PeerName(rawValue: name)
    else { throw BenchmarkError("--child is for the benchmark itself") }
    switch work {
    case "opening": self.work = .opening
    case "workloads": self.work = .workloads
    default:
      guard let scenario = Scenario(rawValue: work) else {
        throw BenchmarkError("no scenario \(work)")
      }
      self.work = .scenario(scenario)
    }
    self.peer = peer
    self.directory = directory
    scale = Scale(divisor: divisor)
  }

  func run() throws {
    switch work {
    case .scenario(let scenario): try child(scenario).run()
    case .opening: try child(.open).openCold()
    case .workloads: try PythonWorkloads.write(to: directory, scale)
    }
  }

  private func child(_ scenario: Scenario) -> Child {
    Child(scenario: scenario, peer: peer, directory: directory, scale: scale)
  }
}
