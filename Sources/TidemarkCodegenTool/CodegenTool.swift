import TidemarkCodegen
import TidemarkSchema

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the build plugin runs: `tidemark-codegen SCHEMA OUTPUT`. It is not the `tidemark` command, so
/// that an app which uses the plugin builds no argument parser.
@main
struct CodegenTool {
  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else { end("usage: tidemark-codegen SCHEMA OUTPUT", 2) }
    guard let bytes = read(arguments[1]) else { end("\(arguments[1]) cannot be read", 2) }
    do {
      let schema = try Schema.parse(bytes: bytes)
      let source = try SwiftGenerator.source(for: schema)
      guard write(Array(source.utf8), to: arguments[2]) else {
        end("\(arguments[2]) cannot be written", 3)
      }
    } catch {
      // As compilers say it, so that build systems and editors show the place.
      end("\(arguments[1]):\(error.line):\(error.column): error: \(error.message)", 2)
    }
  }

  /// A whole file; of one that is too long as much as it takes to see that.
  private static func read(_ path: String) -> [UInt8]? {
    guard let file = unsafe fopen(path, "rb") else { return nil }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: Schema.byteCountMax + 1)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe fread($0.baseAddress, 1, $0.count, file)
    }
    guard unsafe ferror(file) == 0 else { return nil }
    return Array(bytes.prefix(count))
  }

  private static func write(_ bytes: [UInt8], to path: String) -> Bool {
    guard let file = unsafe fopen(path, "wb") else { return false }
    let count = unsafe bytes.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
    // A full disk may show only here.
    return unsafe fclose(file) == 0 && count == bytes.count
  }

  private static func end(_ message: String, _ status: Int32) -> Never {
    let line = Array((message + "\n").utf8)
    _ = unsafe line.withUnsafeBytes { unsafe send($0) }
    exit(status)
  }
}

/// To standard error.
private func send(_ bytes: UnsafeRawBufferPointer) -> Int {
  unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count)
}
