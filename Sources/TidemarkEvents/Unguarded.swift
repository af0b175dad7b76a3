/// A variable in memory of its own, whose accesses are not checked for overlap while the program
/// runs: for one thread's state that is touched for every field of every event.
///
/// The holder sees to it that no access lasts while another begins.
@safe package struct Unguarded<Value: ~Copyable>: ~Copyable {
  private let pointer: UnsafeMutablePointer<Value>

  package init(_ value: consuming Value) {
    unsafe pointer = .allocate(capacity: 1)
    unsafe pointer.initialize(to: value)
  }

  deinit {
    unsafe pointer.deinitialize(count: 1)
    unsafe pointer.deallocate()
  }

  package var value: Value {
    @inline(__always) _read { yield unsafe pointer.pointee }
    @inline(__always) nonmutating _modify { yield unsafe &pointer.pointee }
  }
}
