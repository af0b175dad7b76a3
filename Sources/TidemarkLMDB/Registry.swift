/// The environments that are open in this process, by the identity of their data file.
///
/// A second environment on one store would, when closed, drop the locks of the first, and other
/// processes would overwrite its commits. So a store is open at most once, whatever paths lead to
/// it, and is opened again only when it is wholly closed.
final class Registry: @unchecked Sendable {  // `entries` is touched under `monitor` only.
  static let shared = Registry()

  private struct Entry {
    /// Nil while it is being opened or closed.
    weak var environment: Environment?
    let fork: Int
  }

  private let monitor = Monitor()
  private var entries: [FileIdentity: Entry] = [:]

  /// The environment on a file: the open one, or the one that the closure opens.
  /// - Throws: `busy` after the wait, and what the closure throws.
  func environment(
    _ identity: FileIdentity, waitSeconds: Double,
    open: () throws(LMDBError) -> Environment
  ) throws(LMDBError) -> Environment {
    let deadline = Deadline.after(seconds: waitSeconds)
    monitor.lock()
    // Entries from before a fork are the parent's; the child starts without any.
    while let entry = entries[identity], entry.fork == Fork.generation {
      if let environment = entry.environment {
        monitor.unlock()
        return environment
      }
      guard monitor.wait(until: deadline) else {
        monitor.unlock()
        throw LMDBError(
          .busy, operation: "open store", detail: "another thread is opening or closing it")
      }
    }
    entries[identity] = Entry(environment: nil, fork: Fork.generation)
    monitor.unlock()
    do {
      let environment = try open()
      monitor.locked {
        entries[identity]?.environment = environment
        monitor.broadcast()
      }
      return environment
    } catch {
      remove(identity)
      throw error
    }
  }

  /// Forgets an environment that is wholly closed.
  func remove(_ identity: FileIdentity) {
    monitor.locked {
      entries[identity] = nil
      monitor.broadcast()
    }
  }
}
