public import TidemarkEvents
package import TidemarkLMDB

/// Memory that a store lies in, instead of a directory: for tests and previews of applications.
///
/// ```swift
/// var options = StoreOptions()
/// options.memory = StoreMemory()
/// let store = try Store.create(at: "preview", schema: source, options: options)
/// ```
///
/// A store that is opened again with the same memory finds what the one before it committed. Nothing
/// outlives the process. `backup` is refused; all else is as on a disk.
public struct StoreMemory: Sendable {
  package let disk: MemoryDisk

  public init() { disk = MemoryDisk() }

  package init(_ disk: MemoryDisk) { self.disk = disk }
}

extension Store {
  /// A new store in memory, which is gone when it is let go.
  /// - Throws: `StoreError` `schema`.
  public static func inMemory(
    schema: String, role: StoreRole = .device, acceptance: AcceptanceMode = .enforce,
    replica: ReplicaID? = nil, options: StoreOptions = StoreOptions()
  ) throws(StoreError) -> Store {
    var options = options
    options.memory = StoreMemory()
    return try create(
      at: "memory", schema: schema, role: role, acceptance: acceptance, replica: replica,
      options: options)
  }
}
