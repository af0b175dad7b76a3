import ArgumentParser
import Tidemark

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The command's exit status, a contract with scripts.
enum ExitStatus: Int32 {
  case done = 0
  /// A check failed, or an event was rejected.
  case no = 1
  /// Bad usage or bad input.
  case usage = 2
  /// The store cannot be read or written.
  case store = 3

  /// Ends the process as an error asks: `ExitCode` as it is, help and usage by the parser's words,
  /// everything else with one line on standard error.
  static func end(with error: any Error, of command: any ParsableCommand.Type) -> Never {
    // What was answered before counts: an acknowledged line is durable.
    do {
      if !(error is OutputClosed) { try Output.flush() }
    } catch {
      end(with: error, of: command)
    }
    switch error {
    case let code as ExitCode: exit(code.rawValue)
    case let error as CommandError: end(error.status, error.message)
    case let error as StoreError:
      if let cause = error.cause { end(with: cause, of: command) }
      end(ExitStatus(error), error.message)
    case let closed as OutputClosed where closed.isReaderGone: exit(ExitStatus.no.rawValue)
    case let closed as OutputClosed: end(.store, closed.message)
    default:
      let text = command.fullMessage(for: error)
      if command.exitCode(for: error) == .success {
        Output.text(text)
        do { try Output.flush() } catch { end(with: error, of: command) }
        exit(0)
      }
      StandardError.write(text + "\n")
      exit(ExitStatus.usage.rawValue)
    }
  }

  private static func end(_ status: ExitStatus, _ message: String) -> Never {
    // Messages quote input and stored text: neither may move the cursor, or begin a line.
    StandardError.write("tidemark: \(Text.visible(message))\n")
    exit(status.rawValue)
  }

  init(_ error: StoreError) {
    switch error.code {
    case .invalid, .schema, .exists, .misuse, .notFound: self = .usage
    case .fork, .early: self = .no
    default: self = .store
    }
  }
}

/// A failure with its exit status and a message that says what to do.
struct CommandError: Error {
  let status: ExitStatus
  let message: String

  init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}
