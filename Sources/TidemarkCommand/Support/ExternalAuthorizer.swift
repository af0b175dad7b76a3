import ArgumentParser
import Synchronization
import Tidemark
import TidemarkJSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The program that answers for rules with `allow: custom`.
struct CustomOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A program that answers for rules with allow: custom: a JSON object a line in, one out.",
      valueName: "program"))
  var custom: String?

  func authorizer() throws -> (any CustomAuthorizer)? {
    try custom.map { try ExternalAuthorizer($0) }
  }
}

/// Asks a program: a question is a line of JSON on its standard input, the answer a line on its
/// standard output.
///
///     {"rule":"Post.auth[0] allow: custom","model":"Post","operation":"update",
///      "principal":{…},"input":{…},"record":{…}}
///     {"allowed":true,"deniedFields":["secret"]}
///
/// `"allowed"` is true, false, or null for what the program cannot know. The program runs once and is
/// asked as often as rules need it. Where it fails or takes too long, nothing is known, which denies.
final class ExternalAuthorizer: CustomAuthorizer {
  /// How long an answer may take.
  static let answerMillisecondsMax: Int32 = 5000
  static let answerByteCountMax = 1 << 20

  private struct State {
    let input: Int32
    let output: Int32
    var buffer: [UInt8] = []
    /// A decision may put one question several times.
    var lastQuestion: [UInt8] = []
    var lastAnswer = CustomAnswer.unknown
    var hasFailed = false
  }

  private let path: String
  private let state: Mutex<State>

  /// Starts the program.
  /// - Throws: `CommandError` `usage` where it cannot be run.
  init(_ path: String) throws {
    self.path = path
    let (childInput, input) = try ExternalAuthorizer.pipe()
    let (output, childOutput) = try ExternalAuthorizer.pipe()
    defer {
      close(childInput)
      close(childOutput)
    }
    #if os(Linux)
      var actions = unsafe posix_spawn_file_actions_t()
    #else
      var actions: posix_spawn_file_actions_t?
    #endif
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, childInput, STDIN_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, childOutput, STDOUT_FILENO)
    var process = pid_t()
    let code = unsafe path.withCString { name in
      var arguments: [UnsafeMutablePointer<CChar>?] = unsafe [strdup(name), nil]
      defer { unsafe free(arguments[0]) }
      return unsafe posix_spawnp(&process, name, &actions, nil, &arguments, environ)
    }
    guard code == 0 else {
      close(input)
      close(output)
      throw CommandError(
        .usage, "--custom \(path): the program cannot be run; give the path of one that can")
    }
    state = Mutex(State(input: input, output: output))
  }

  deinit {
    state.withLock {
      close($0.input)
      close($0.output)
    }
  }

  func answer(_ question: CustomQuestion) -> CustomAnswer {
    let line = ExternalAuthorizer.line(question)
    return state.withLock { state in
      if state.hasFailed { return .unknown }
      if line == state.lastQuestion { return state.lastAnswer }
      do {
        try Output.write(line, to: state.input)
        let answer = try ExternalAuthorizer.read(&state)
        state.lastQuestion = line
        state.lastAnswer = answer
        return answer
      } catch {
        state.hasFailed = true
        let message = (error as? CommandError)?.message ?? "it has ended"
        StandardError.write(
          "tidemark: \(path): \(Text.visible(message)); what depends on it is denied\n")
        return .unknown
      }
    }
  }

  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard systemPipe(&ends) == 0 else {
      throw CommandError(.store, "no pipe can be made: \(LineReader.systemMessage)")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static func line(_ question: CustomQuestion) -> [UInt8] {
    let model = question.model
    var builder = JSONLine()
    builder.beginObject()
    builder.append("rule", question.rule.name)
    builder.append("model", model.name)
    builder.append("operation", question.operation.rawValue)
    question.principal.appendJSON("principal", to: &builder)
    Operation.appendFields(question.changes, of: model, key: "input", to: &builder)
    if let stored = question.stored {
      let members = model.fields.indices.compactMap { place in
        stored.storedValue(of: place).map { Value.Member(model.fields[place].name, $0) }
      }
      builder.append("record", .object(members))
    } else {
      builder.append("record", Value.null)
    }
    builder.endObject()
    builder.endLine()
    return builder.bytes
  }

  private static func read(_ state: inout State) throws -> CustomAnswer {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      if let end = state.buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(state.buffer[..<end])
        state.buffer.removeSubrange(...end)
        return try answer(line)
      }
      guard state.buffer.count <= answerByteCountMax else {
        throw CommandError(.no, "its answer is longer than \(answerByteCountMax) bytes")
      }
      var waiting = pollfd(fd: state.output, events: Int16(POLLIN), revents: 0)
      let ready = unsafe poll(&waiting, 1, answerMillisecondsMax)
      if ready < 0 && errno == EINTR { continue }
      guard ready > 0 else {
        throw CommandError(.no, "it has not answered for \(answerMillisecondsMax) ms")
      }
      let output = state.output
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe systemRead(output, $0) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw CommandError(.no, "it has ended") }
      state.buffer += chunk[..<count]
    }
  }

  private static func answer(_ line: [UInt8]) throws -> CustomAnswer {
    guard let value = try? JSONReader.read(line), let allowed = value["allowed"] else {
      throw CommandError(.no, "an answer is a JSON object, as {\"allowed\":true}")
    }
    switch allowed {
    case .null: return .unknown
    case .bool(false): return .denied
    case .bool(true): break
    default: throw CommandError(.no, "\"allowed\" is true, false or null")
    }
    switch value["deniedFields"] {
    case nil, .null: return .allowed()
    case .list(let names):
      let fields = names.compactMap(\.stringValue)
      guard fields.count == names.count else {
        throw CommandError(.no, "\"deniedFields\" is a list of fields' names")
      }
      return .allowed(deniedFields: Set(fields))
    default: throw CommandError(.no, "\"deniedFields\" is a list of fields' names")
    }
  }
}

private func systemPipe(_ ends: inout [Int32]) -> Int32 {
  unsafe ends.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return -1 }
    return unsafe pipe(base)
  }
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawBufferPointer) -> Int {
  unsafe read(descriptor, bytes.baseAddress, bytes.count)
}
