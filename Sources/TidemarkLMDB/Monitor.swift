import CLMDB

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A mutex with one condition, for waits with a deadline.
///
/// It guards variables of the class that owns it. Code that waits must look at those variables
/// again afterwards, through the class: an `inout` of them would be allowed to remember old values.
// Unchecked: the pointers never change, and POSIX guards what they point at.
@safe package final class Monitor: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  package init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    #if canImport(Darwin)
      unsafe pthread_cond_init(condition, nil)
    #else
      var attributes = pthread_condattr_t()
      unsafe pthread_condattr_init(&attributes)
      unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
      unsafe pthread_cond_init(condition, &attributes)
      unsafe pthread_condattr_destroy(&attributes)
    #endif
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  package func lock() { unsafe pthread_mutex_lock(mutex) }

  package func unlock() { unsafe pthread_mutex_unlock(mutex) }

  /// Lets others in until somebody calls `broadcast`; may return early.
  package func wait() { unsafe pthread_cond_wait(condition, mutex) }

  /// As `wait`, until a deadline; false once it has passed.
  package func wait(until deadline: Deadline) -> Bool {
    let now = Deadline.now
    guard now.nanoseconds < deadline.nanoseconds else { return false }
    #if canImport(Darwin)
      var time = timespec(nanoseconds: deadline.nanoseconds - now.nanoseconds)
      return unsafe pthread_cond_timedwait_relative_np(condition, mutex, &time) != ETIMEDOUT
    #else
      var time = timespec(nanoseconds: deadline.nanoseconds)
      return unsafe pthread_cond_timedwait(condition, mutex, &time) != ETIMEDOUT
    #endif
  }

  package func broadcast() { unsafe pthread_cond_broadcast(condition) }

  package func locked<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    lock()
    defer { unlock() }
    return try body()
  }
}

extension timespec {
  fileprivate init(nanoseconds: UInt64) {
    self.init()
    tv_sec = .init(truncatingIfNeeded: nanoseconds / 1_000_000_000)
    tv_nsec = .init(truncatingIfNeeded: nanoseconds % 1_000_000_000)
  }
}
