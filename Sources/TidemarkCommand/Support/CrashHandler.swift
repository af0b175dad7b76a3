#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// LMDB maps its file and trusts it: a damaged one ends the process by a signal. This says so, in one
/// line and with the status for an unreadable store, in place of a stack trace.
enum CrashHandler {
  static func install() {
    signal(SIGPIPE, SIG_IGN)
    for number in [SIGBUS, SIGSEGV, SIGABRT] {
      signal(number) { _ in
        // Only what a signal handler may call.
        let message: StaticString =
          "tidemark: the store's file is damaged and cannot be read further; keep it, and bring back a backup\n"
        _ = unsafe write(STDERR_FILENO, message.utf8Start, message.utf8CodeUnitCount)
        _exit(3)
      }
    }
    for number in [SIGILL, SIGTRAP] {
      signal(number) { _ in
        let message: StaticString =
          "tidemark: this is a fault in tidemark, not in the store, which is as its last commit left it; please report it with the command that you ran\n"
        _ = unsafe write(STDERR_FILENO, message.utf8Start, message.utf8CodeUnitCount)
        _exit(3)
      }
    }
  }
}
