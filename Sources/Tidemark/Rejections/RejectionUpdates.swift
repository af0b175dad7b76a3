internal import Synchronization
public import TidemarkEvents

/// The rejections that the app has not acknowledged, and then each new one as it comes.
///
/// ```swift
/// for try await rejection in store.rejectionUpdates() {
///   show(rejection.line.reason?.message ?? "", rejection.before, rejection.after)
///   try store.acknowledge(rejection.line.dot)
/// }
/// ```
///
/// A rejection is delivered when its view is committed, never before, once in each sequence, in the
/// order of decision; and again in the next sequence, across restarts, until it is acknowledged. One
/// that was acknowledged meanwhile, wherever, is passed over. The sequence ends when its task is
/// cancelled.
public struct RejectionUpdates: AsyncSequence, Sendable {
  let store: Store
  let principal: Principal?
  let pollSeconds: Double

  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(store: store, principal: principal, pollSeconds: pollSeconds)
  }

  public struct AsyncIterator: AsyncIteratorProtocol {
    private let store: Store
    private let principal: Principal?
    private let pollSeconds: Double
    /// Delivered, and not acknowledged yet.
    private var delivered: Set<Dot> = []

    init(store: Store, principal: Principal?, pollSeconds: Double) {
      self.store = store
      self.principal = principal
      self.pollSeconds = pollSeconds
    }

    /// - Throws: `StoreError` where the store cannot be read.
    public mutating func next() async throws -> Rejection? {
      while !Task.isCancelled {
        let generation = store.rejectionSignal.generation
        let waiting = try store.rejections(as: principal).filter { !$0.isAcknowledged }
        delivered.formIntersection(waiting.map(\.line.dot))
        let fresh = waiting.filter { !delivered.contains($0.line.dot) }
        if let first = fresh.min(by: RejectionUpdates.isEarlier) {
          delivered.insert(first.line.dot)
          return first
        }
        await store.rejectionSignal.wait(after: generation, seconds: pollSeconds)
      }
      return nil
    }
  }

  private static func isEarlier(_ a: Rejection, _ b: Rejection) -> Bool {
    (a.line.decided ?? .zero, a.line.dot) < (b.line.decided ?? .zero, b.line.dot)
  }
}

extension Store {
  /// The rejections of this device's own events, from the first that was not acknowledged on.
  /// - Parameters:
  ///   - principal: only of what this principal wrote, with what it may read.
  ///   - pollSeconds: how often it looks for what another process has taken; what this one takes is
  ///     delivered at once.
  public func rejectionUpdates(
    as principal: Principal? = nil, pollSeconds: Double = 1
  ) -> RejectionUpdates {
    RejectionUpdates(store: self, principal: principal, pollSeconds: pollSeconds)
  }
}

/// Wakes those who wait for rejections.
final class RejectionSignal: Sendable {
  private struct State {
    var generation: UInt64 = 0
    var nextWaiter: UInt64 = 0
    var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    /// Those who were cancelled before they began to wait.
    var gone: Set<UInt64> = []
  }

  private let state = Mutex(State())

  var generation: UInt64 { state.withLock { $0.generation } }

  /// Something may have come.
  func raise() {
    let waiters = state.withLock { state in
      state.generation += 1
      defer { state.waiters.removeAll() }
      return state.waiters.values.map { $0 }
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Returns when something may have come since a generation, after some time, or when cancelled.
  func wait(after generation: UInt64, seconds: Double) async {
    let waiter = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    let timer = Task {
      try? await Task.sleep(for: .seconds(seconds))
      self.wake(waiter)
    }
    defer { timer.cancel() }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.generation != generation || state.gone.remove(waiter) != nil { return true }
          state.waiters[waiter] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      wake(waiter)
    }
    state.withLock { _ = $0.gone.remove(waiter) }
  }

  private func wake(_ waiter: UInt64) {
    let continuation = state.withLock { state in
      let found = state.waiters.removeValue(forKey: waiter)
      if found == nil { state.gone.insert(waiter) }
      return found
    }
    continuation?.resume()
  }
}
