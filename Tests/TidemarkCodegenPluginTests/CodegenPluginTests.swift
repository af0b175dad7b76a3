import Testing
import Tidemark

/// Types that the build plugin has made of `Diary.graphql`.
@Suite struct CodegenPluginTests {
  @Test func `what the plugin has made is written and read`() throws {
    let store = try Store.inMemory(
      schema: """
        type Page @model @auth(rules: [{ allow: owner }]) { text: String! mood: Mood }
        enum Mood { CALM ROUGH }
        """)
    let session = store.session(as: .user("ann"))
    let page = Page(id: "p1", text: "Wind from the west.", mood: .rough)
    try session.create(page)
    let read = try session.get(Page.self, "p1")
    #expect(read == Page(id: "p1", text: page.text, mood: .rough, owner: "ann"))
  }
}
