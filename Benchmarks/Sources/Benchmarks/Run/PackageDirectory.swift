import Foundation

/// Where this package lies: the executable is in `.build/CONFIGURATION/` or a directory beside
/// that.
enum PackageDirectory {
  static let path: String = {
    var url = URL(fileURLWithPath: executable).resolvingSymlinksInPath()
    while url.path != "/" {
      url.deleteLastPathComponent()
      let manifest = url.appendingPathComponent("Python/peers.py").path
      if FileManager.default.fileExists(atPath: manifest) { return url.path }
    }
    return FileManager.default.currentDirectoryPath
  }()

  static let executable = Bundle.main.executablePath ?? CommandLine.arguments[0]
}
