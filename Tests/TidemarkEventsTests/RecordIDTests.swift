import Testing
import TidemarkEvents

@Suite struct RecordIDTests {
  static let uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

  @Test func `a UUID is the same id as its text, packed or not, and no other text is`() {
    let id = RecordID(Self.uuid)
    #expect(id.string == Self.uuid)
    #expect(id.isValid)
    #expect(id == RecordID(stringLiteral: Self.uuid))
    #expect(id.hashValue == RecordID(Self.uuid).hashValue)
    for other in [
      Self.uuid.uppercased(), Self.uuid + "0", String(Self.uuid.dropLast()),
      Self.uuid.replacing("-", with: "_"), Self.uuid.replacing("b", with: "g"), "",
    ] {
      #expect(RecordID(other) != id, "\(other)")
      #expect(RecordID(other).string == other)
    }
  }

  @Test func `ids are in the order of their bytes, UUIDs among other texts`() {
    let texts = [
      "", "!", "0", "5", "6b", "6ba7b810-9dad-11d1-80b4-00c04fd430c7", Self.uuid,
      Self.uuid + "-", "6ba7b810-9dad-11d1-80b4-00c04fd430c9", "6BA7", "A", "a", "ffffffff", "g",
      "é",
    ]
    for a in texts {
      for b in texts {
        #expect(
          (RecordID(a) < RecordID(b)) == a.utf8.lexicographicallyPrecedes(b.utf8), "\(a) and \(b)")
      }
    }
  }

  @Test func `an id has 1 to 400 bytes and no NUL`() {
    #expect(RecordID(String(repeating: "é", count: 200)).isValid)
    #expect(!RecordID(String(repeating: "é", count: 200) + "x").isValid)
    #expect(!RecordID("").isValid)
    #expect(!RecordID("a\0b").isValid)
  }
}
