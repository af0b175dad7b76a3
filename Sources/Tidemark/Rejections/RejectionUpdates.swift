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
    /// Found and not delivered, the last decided first.
    private var waiting: [Rejection] = []

    init(store: Store, principal: Principal?, pollSeconds: Double) {
      self.store = store
      self.principal = principal
      self.pollSeconds = pollSeconds
    }

    /// - Throws: `StoreError` where the store cannot be read.
    public mutating func next() async throws -> Rejection? {
      while !Task.isCancelled {
        while let first = waiting.popLast() {
          guard try !store.isAcknowledged(first.line.dot) else { continue }
          delivered.insert(first.line.dot)
          return first
        }
        let generation = store.rejectionSignal.generation
        let all = try store.rejections(as: principal).filter { !$0.isAcknowledged }
        delivered.formIntersection(all.map(\.line.dot))
        waiting = all.filter { !delivered.contains($0.line.dot) }
          .sorted { RejectionUpdates.isEarlier($1, $0) }
        guard waiting.isEmpty else { continue }
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
