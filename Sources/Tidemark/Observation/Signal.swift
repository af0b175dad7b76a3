internal import Synchronization

/// Wakes those who wait for something that happens again and again.
final class Signal: Sendable {
  private enum Waiter {
    /// On its way to wait.
    case coming
    case waiting(CheckedContinuation<Void, Never>)
    /// Woken before it waited.
    case woken
  }

  private struct State {
    var generation: UInt64 = 0
    var nextWaiter: UInt64 = 0
    /// Those whose `wait` has not returned.
    var waiters: [UInt64: Waiter] = [:]
  }

  private let state = Mutex(State())

  var generation: UInt64 { state.withLock { $0.generation } }

  /// It has happened.
  func raise() {
    let waiters = state.withLock { state -> [UInt64] in
      state.generation += 1
      // Nobody waits, most of the time.
      return state.waiters.isEmpty ? [] : Array(state.waiters.keys)
    }
    for waiter in waiters { wake(waiter) }
  }

  /// Returns when it has happened since a generation, after some time, or when cancelled.
  /// - Parameter seconds: `nil` for as long as it takes.
  func wait(after generation: UInt64, seconds: Double? = nil) async {
    let waiter = state.withLock { state in
      state.nextWaiter += 1
      state.waiters[state.nextWaiter] = state.generation == generation ? .coming : .woken
      return state.nextWaiter
    }
    let timer = seconds.map { seconds in
      Task {
        try? await Task.sleep(for: .seconds(seconds))
        self.wake(waiter)
      }
    }
    defer { timer?.cancel() }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isWoken = state.withLock { state in
          if case .coming = state.waiters[waiter] {
            state.waiters[waiter] = .waiting(continuation)
            return false
          }
          return true
        }
        if isWoken { continuation.resume() }
      }
    } onCancel: {
      wake(waiter)
    }
    state.withLock { _ = $0.waiters.removeValue(forKey: waiter) }
  }

  /// Wakes a waiter; one that has returned is nobody.
  private func wake(_ waiter: UInt64) {
    let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard let known = state.waiters[waiter] else { return nil }
      state.waiters[waiter] = .woken
      if case .waiting(let continuation) = known { return continuation }
      return nil
    }
    continuation?.resume()
  }
}
