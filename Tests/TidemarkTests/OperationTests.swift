import Testing
import Tidemark
import TidemarkEvents
import TidemarkSchema

@Suite struct OperationTests {
  static let schema = try? Schema.parse(
    """
    type Post @model @auth(rules: [{ allow: owner }]) {
      title: String! likes: Int @merge(as: counter) tags: [String] @merge(as: set) at: AWSDate
    }
    """)

  static func read(_ text: String) throws -> Tidemark.Operation {
    try Operation(json: Array(text.utf8), schema: try #require(schema))
  }

  @Test func `an operation is read whole`() throws {
    let operation = try Self.read(
      #"{"op":"create","model":"Post","id":"p1","fields":{"tags":["b","a","a"],"title":"Hi","likes":3},"actor":{"sub":"u1","groups":["Admins"]},"at":"2026-01-02T03:04:05.678Z","tx":"t1"}"#
    )
    #expect(operation.kind == .create)
    #expect(operation.id == "p1")
    #expect(
      operation.changes == [
        .init("title", .set("Hi")), .init("likes", .add(3)),
        .init("tags", .edit(add: ["b", "a"], remove: [])),
      ])
    #expect(operation.principal == Principal.user("u1", groups: ["Admins"]))
    #expect(operation.wallMilliseconds == 1_767_323_045_678)
    #expect(operation.transactionLabel == "t1")
    let bare = try Self.read(#"{"op":"delete","model":"Post","id":"p1"}"#)
    #expect(bare.principal == .anonymous)
    #expect(bare.wallMilliseconds == nil)
  }

  static let refused: [(String, OperationError.Code)] = [
    ("", .malformedJSON), ("[]", .notAnObject), ("{}", .missingKey),
    (#"{"op":"upsert","model":"Post","id":"a"}"#, .unknownOperation),
    (#"{"op":"create","model":"Pst","id":"a"}"#, .unknownModel),
    (#"{"op":"create","model":"Post","id":""}"#, .idEmpty),
    (#"{"op":"create","model":"Post","id":7}"#, .wrongKeyType),
    (#"{"op":"create","model":"Post","id":"a","id":"b"}"#, .malformedJSON),
    (#"{"op":"create","model":"Post","id":"a"}"#, .missingField),
    (#"{"op":"create","model":"Post","id":"a","fields":{"titel":"x"}}"#, .unknownField),
    (#"{"op":"create","model":"Post","id":"a","fields":{"title":null}}"#, .missingField),
    (#"{"op":"update","model":"Post","id":"a","fields":{"title":1}}"#, .wrongType),
    (#"{"op":"update","model":"Post","id":"a","fields":{"likes":1}}"#, .wrongOperation),
    (#"{"op":"update","model":"Post","id":"a","fields":{"likes":{"add":1.5}}}"#, .wrongType),
    (#"{"op":"update","model":"Post","id":"a","fields":{"likes":{"sub":1}}}"#, .wrongOperation),
    (#"{"op":"update","model":"Post","id":"a","fields":{"tags":["x"]}}"#, .wrongOperation),
    (#"{"op":"update","model":"Post","id":"a","fields":{"tags":{"add":"x"}}}"#, .wrongType),
    (#"{"op":"update","model":"Post","id":"a","fields":{"tags":{"add":[null]}}}"#, .wrongType),
    (#"{"op":"delete","model":"Post","id":"a","fields":{"title":"x"}}"#, .wrongOperation),
    (#"{"op":"delete","model":"Post","id":"a","when":"x"}"#, .unknownKey),
    (#"{"op":"delete","model":"Post","id":"a","at":"yesterday"}"#, .badTime),
    (#"{"op":"delete","model":"Post","id":"a","at":"1969-12-31T23:59:59Z"}"#, .badTime),
    (#"{"op":"delete","model":"Post","id":"a","actor":"ann"}"#, .badActor),
    (#"{"op":"delete","model":"Post","id":"a","actor":{"sub":1}}"#, .badActor),
    (#"{"op":"delete","model":"Post","id":"a","actor":{"provider":"x"}}"#, .badActor),
    (#"{"op":"delete","model":"Post","id":"a","tx":""}"#, .wrongKeyType),
    (
      #"{"op":"update","model":"Post","id":"a","fields":{"likes":{"add":9223372036854775808}}}"#,
      .malformedJSON
    ),
  ]

  @Test(arguments: refused)
  func `what is no operation is refused with its reason`(
    text: String, code: OperationError.Code
  ) {
    do {
      _ = try Self.read(text)
      Issue.record("accepted")
    } catch let error as OperationError {
      #expect(error.code == code, "\(error)")
      #expect(!error.message.isEmpty)
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test func `an id may be as long as the limit and no longer`() throws {
    let longest = String(repeating: "é", count: RecordID.byteCountMax / 2)
    #expect(try Self.read(#"{"op":"delete","model":"Post","id":"\#(longest)"}"#).id.isValid)
    #expect(throws: OperationError.self) {
      try Self.read(#"{"op":"delete","model":"Post","id":"\#(longest)x"}"#)
    }
  }
}
