import Testing
import TidemarkEvents

@Suite struct ValueTests {
  /// In their order.
  static let values: [Value] = [
    nil, false, true, -3, 2, 2.5, "", "a", "ab", "b", "c", [],
    [1], [1, 2], [2], .object([]), .object([.init("a", 1)]), .object([.init("a", 2)]),
    .object([.init("a", 2), .init("b", 1)]), .object([.init("b", 0)]),
  ]

  @Test func `values of every kind have one order`() {
    for (left, one) in Self.values.enumerated() {
      for (right, other) in Self.values.enumerated() {
        #expect((one < other) == (left < right), "\(one) and \(other)")
        #expect((one == other) == (left == right), "\(one) and \(other)")
      }
    }
  }

  @Test func `equal values have one hash, and texts that differ in bytes are two`() {
    #expect(Set(Self.values + Self.values).count == Self.values.count)
    #expect(Set<Value>(["caf\u{e9}", "cafe\u{301}"]).count == 2)
    #expect(Set([Value.Member("a", 1), Value.Member("a", 1), Value.Member("b", 1)]).count == 2)
  }

  @Test func `principals are told apart by everything that they claim`() {
    let users: [Principal] = [
      .anonymous, .user("ann"), .user("ann", groups: ["Admins"]), .user("caf\u{e9}"),
      .user("cafe\u{301}"),
    ]
    #expect(Set(users + users).count == users.count)
  }
}
