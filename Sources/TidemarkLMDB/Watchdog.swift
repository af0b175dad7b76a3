import Synchronization

/// Ends waits that have lasted too long: one task for all of them, which looks a few times in the
/// shortest wait and ends when there is none. A timer for each would cost more than most writes.
final class Watchdog: Sendable {
  private struct Entry {
    let deadline: Deadline
    let seconds: Double
    /// Called when the deadline has passed; true to wait once more for as long.
    let expire: @Sendable () -> Bool
  }

  private struct State {
    var entries: [UInt64: Entry] = [:]
    var nextNumber: UInt64 = 0
    var isWatching = false
  }

  private let state = Mutex(State())

  /// - Returns: a number for `remove`.
  func add(seconds: Double, _ expire: @escaping @Sendable () -> Bool) -> UInt64 {
    let entry = Entry(deadline: .after(seconds: seconds), seconds: seconds, expire: expire)
    let (number, isFirst) = state.withLock { state in
      let number = state.nextNumber
      state.nextNumber += 1
      state.entries[number] = entry
      defer { state.isWatching = true }
      return (number, !state.isWatching)
    }
    if isFirst { Task { await watch(everySeconds: min(max(seconds / 8, 0.005), 0.5)) } }
    return number
  }

  func remove(_ number: UInt64) {
    state.withLock { state in _ = state.entries.removeValue(forKey: number) }
  }

  private func watch(everySeconds period: Double) async {
    while true {
      try? await Task.sleep(for: .seconds(period))
      let now = Deadline.now
      let expired: [(UInt64, Entry)]? = state.withLock { state in
        guard !state.entries.isEmpty else {
          state.isWatching = false
          return nil
        }
        return state.entries.filter { $0.value.deadline.nanoseconds <= now.nanoseconds }
          .map { ($0.key, $0.value) }
      }
      guard let expired else { return }
      for (number, entry) in expired {
        let again =
          entry.expire()
          ? Entry(
            deadline: .after(seconds: entry.seconds), seconds: entry.seconds, expire: entry.expire)
          : nil
        state.withLock { state in
          if state.entries[number] != nil { state.entries[number] = again }
        }
      }
    }
  }
}
