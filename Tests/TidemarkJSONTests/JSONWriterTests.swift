import Testing
import TidemarkEvents
import TidemarkJSON

@Suite struct JSONWriterTests {
  @Test(arguments: [
    (Value.null, "null"), (true, "true"), (false, "false"), (0, "0"), (-7, "-7"), (10, "10"),
    (.int(.min), "-9223372036854775808"), (.int(.max), "9223372036854775807"),
    (1.0, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e15, "1000000000000000.0"), (1e20, "1e+20"),
    (.double(.leastNonzeroMagnitude), "5e-324"), (.double(.infinity), "null"),
    (.double(.nan), "null"),
    ("", "\"\""), ("a/b", "\"a/b\""), ("\"\\", #""\"\\""#),
    ("\u{8}\u{9}\u{A}\u{C}\u{D}", #""\b\t\n\f\r""#),
    ("\u{1}\u{1F}\u{7F}", "\"\\u0001\\u001f\u{7F}\""),
    ("é😀", "\"é😀\""), (.list([1, .list([])]), "[1,[]]"),
    (.object([.init("b", 1), .init("a\n", .list([.null]))]), #"{"b":1,"a\n":[null]}"#),
  ])
  func `a value has one text`(value: Value, text: String) {
    #expect(JSONWriter.text(value) == text)
  }

  @Test func `a builder writes lines`() throws {
    var json = JSONBuilder()
    json.beginObject()
    json.append("lsn", 1)
    json.append("seq", UInt64.max)
    json.append("kind", "cre{ate")
    json.append("left", ifGiven: nil)
    json.append("tx", ifGiven: "t1")
    json.append("done", true)
    json.append("ratio", 0.5)
    json.append("none", Value.null)
    json.beginObject("context")
    json.endObject()
    json.beginList("names")
    json.append("a,")
    json.append("[")
    json.append(3)
    json.append(Value.list([]))
    json.beginObject()
    json.append("x", Int64.min)
    json.endObject()
    json.beginList()
    json.endList()
    json.endList()
    json.append("raw", json: Array("[1,2]".utf8))
    json.key("k")
    json.append("v")
    json.endObject()
    json.endLine()
    json.beginObject()
    json.endObject()
    json.endLine()
    let expected = """
      {"lsn":1,"seq":18446744073709551615,"kind":"cre{ate","tx":"t1","done":true,"ratio":0.5,\
      "none":null,"context":{},"names":["a,","[",3,[],{"x":-9223372036854775808},[]],"raw":[1,2],"k":"v"}
      {}

      """
    #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
    json.removeAll()
    json.append(1)
    #expect(json.bytes == Array("1".utf8))
  }
}
