import Testing
import Tidemark
import TidemarkEvents
import TidemarkLMDB
import TidemarkSync
import TidemarkTesting

/// All interleavings of what few replicas do, a few events each.
@Suite struct SmallWorldTests {
  enum Action { case write, push, pull }

  /// An authority and devices on one document, whose editors may lose their right.
  final class World {
    static let schema = """
      type Doc @model @auth(rules: [{ allow: owner, ownerField: "editors" }]) {
        body: String
        edits: Int @merge(as: counter)
        editors: [String] @auth(rules: [{ allow: owner, ownerField: "editors" }])
      }
      """
    let cloud: Store
    var devices: [Store] = []
    private var memories: [StoreMemory] = []
    private var options: [StoreOptions] = []
    private var writes: [Int]

    init(deviceCount: Int) throws {
      let clock = ManualClock(milliseconds: 1_000_000)
      writes = [Int](repeating: 0, count: deviceCount)
      var base = clock.options
      base.isInline = true
      base.tuning.journalByteCount = 8192
      base.memory = StoreMemory()
      cloud = try Store.create(
        at: "cloud", schema: Self.schema, role: .authority, replica: ReplicaID(0xc), options: base)
      for place in 0..<deviceCount {
        base.memory = StoreMemory()
        options.append(base)
        devices.append(
          try Store.create(
            at: "device", schema: Self.schema, acceptance: .optimistic,
            replica: ReplicaID(UInt64(place + 1)), options: base))
      }
      let editors = Value.list((0..<deviceCount).map { .string("u\($0)") })
      try cloud.submit([
        Operation(.create, "Doc", "d", [.init("editors", .set(editors))], by: .user("u0"))
      ])
      for device in devices { try Replication.merge(from: cloud, into: device) }
    }

    func perform(_ action: Action, _ place: Int) throws {
      switch action {
      case .write:
        writes[place] += 1
        try devices[place].submit([
          Operation(
            .update, "Doc", "d",
            [
              .init("body", .set(.string("\(place).\(writes[place])"))),
              .init("edits", .add(Int64(1) << Int64(8 * place))),
            ], by: .user("u\(place)"))
        ])
      case .push: try Replication.merge(from: devices[place], into: cloud)
      case .pull: try Replication.merge(from: cloud, into: devices[place])
      }
    }

    /// The process of a device dies, and its store is opened again.
    func crash(_ place: Int) throws {
      devices[place].abandon()
      options[place].memory?.disk.crash()
      devices[place] = try Store.open(at: "device", options: options[place])
    }

    /// The last device's user is no editor any more.
    func revoke() throws {
      let rest = Value.list((0..<devices.count - 1).map { .string("u\($0)") })
      try cloud.submit([
        Operation(.update, "Doc", "d", [.init("editors", .set(rest))], by: .user("u0"))
      ])
    }

    /// Everybody syncs; all agree, with each other, the model and themselves.
    func problem() throws -> String? {
      for _ in 0..<2 { for device in devices { _ = try Replication.sync(device, cloud) } }
      let digest = try cloud.digest()
      for store in devices + [cloud] {
        guard try store.digest() == digest else { return "digests differ" }
        if let problem = try store.verify().problems.first { return problem.message }
        if let difference = try LogModel(store).differences(from: store).first {
          return difference
        }
      }
      let vector = try cloud.vector
      for (place, count) in writes.enumerated()
      where vector[ReplicaID(UInt64(place + 1))] != UInt64(count) {
        return "device \(place) wrote \(count) events, and they did not all come"
      }
      return nil
    }
  }

  /// Every way to shuffle programs of these lengths into each other.
  static func interleavings(_ counts: [Int]) -> [[Int]] {
    if counts.allSatisfy({ $0 == 0 }) { return [[]] }
    return counts.indices.filter { counts[$0] > 0 }.flatMap { place in
      var rest = counts
      rest[place] -= 1
      return interleavings(rest).map { [place] + $0 }
    }
  }

  static func run(
    _ order: [Int], _ program: [Action], deviceCount: Int, crashAt: Int? = nil,
    revokeAt: Int? = nil
  ) throws -> String? {
    let world = try World(deviceCount: deviceCount)
    var next = [Int](repeating: 0, count: deviceCount)
    for (index, place) in order.enumerated() {
      if index == crashAt { try world.crash(deviceCount - 1) }
      if index == revokeAt { try world.revoke() }
      try world.perform(program[next[place]], place)
      next[place] += 1
    }
    return try world.problem()
  }

  @Test func `two devices agree, whatever the order, and wherever one dies or loses its right`()
    throws
  {
    let program: [Action] = [.write, .push, .write, .pull]
    let orders = Self.interleavings([4, 4])
    #expect(orders.count == 70)
    for order in orders {
      for place in 0..<8 {
        let crashed = try Self.run(order, program, deviceCount: 2, crashAt: place)
        #expect(crashed == nil, "\(order), crash at \(place)")
        let revoked = try Self.run(order, program, deviceCount: 2, revokeAt: place)
        #expect(revoked == nil, "\(order), revoked at \(place)")
      }
    }
  }

  @Test func `three devices agree, whatever the order`() throws {
    let orders = Self.interleavings([3, 3, 3])
    #expect(orders.count == 1680)
    for order in orders {
      let problem = try Self.run(order, [.write, .push, .pull], deviceCount: 3)
      #expect(problem == nil, "\(order)")
    }
  }
}
