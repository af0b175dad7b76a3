internal import Synchronization
public import Tidemark

/// A wall clock that a test moves by hand.
public final class ManualClock: Sendable {
  private let now: Mutex<UInt64>

  public init(milliseconds: UInt64) {
    now = Mutex(milliseconds)
  }

  public var milliseconds: UInt64 {
    get { now.withLock { $0 } }
    set { now.withLock { $0 = newValue } }
  }

  public func advance(by milliseconds: UInt64) { now.withLock { $0 += milliseconds } }

  /// Store options that read this clock.
  public var options: StoreOptions {
    var options = StoreOptions()
    options.wallMilliseconds = { [self] in self.milliseconds }
    return options
  }
}
