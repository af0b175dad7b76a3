"""Records that name each other: what a delete brings with it, what dangles, and what is shown where
nothing was given."""

from __future__ import annotations

from command import BAD_INPUT, DONE, CommandTest, Store, operation, tidemark, user
from schemas import Schema

SCHEMA = Schema(sdl="""\
type Post @model @auth(rules: [{allow: private}]) {
  title: String! @default(value: "untitled")
  comments: [Comment] @hasMany(references: ["postId"], onDelete: CASCADE)
}
type Comment @model @auth(rules: [{allow: owner}, {allow: private, operations: [read]}]) {
  postId: ID!
}
type Pin @model @auth(rules: [{allow: private}]) { comment: Comment @belongsTo(onDelete: DENY) }
type Link @model @auth(rules: [{allow: private}]) { post: Post @belongsTo }
""")

ANN, BOB = user("ann"), user("bob")


class RelationTest(CommandTest):
    def store(self) -> Store:
        return Store.create(self.directory / "phone", SCHEMA, "00000000000000a1")

    def create(self, store: Store, model: str, id: str, actor: dict, **fields: str) -> None:
        store.apply(operation("create", model, id, dict(fields), actor), statuses=[DONE])

    def test_a_delete_answers_with_its_own_dot_and_with_those_that_it_implies(self) -> None:
        store = self.store()
        self.create(store, "Post", "p1", ANN)
        self.create(store, "Comment", "c1", ANN, postId="p1")
        self.create(store, "Comment", "c2", ANN, postId="p1")
        self.create(store, "Link", "l1", BOB, linkPostId="p1")
        [made, answer] = store.apply(
            operation("create", "Post", "p2", {}, ANN, tx="t"),
            operation("delete", "Post", "p1", actor=ANN, tx="t"))
        self.assertNotIn("implied", made)
        log = {line["dot"]: line for line in store.log()}
        self.assertEqual(log[answer["dot"]]["id"], "p1")
        self.assertEqual([log[dot]["id"] for dot in answer["implied"]], ["c2", "c1"])
        self.assertEqual({log[dot]["tx"] for dot in answer["implied"]}, {"t"})
        self.assertEqual([r["id"] for r in store.view()], ["l1", "p2"])
        [line] = tidemark("dangling", store.path, "--json", statuses=[DONE]).lines
        self.assertEqual(line, {"model": "Link", "id": "l1", "key": "linkPostId",
                                "target": "Post", "targetId": "p1"})
        shown = tidemark("dangling", store.path, statuses=[DONE]).out
        self.assertIn(b"Post/p1", shown)
        store.check()

    def test_what_may_not_go_refuses_the_whole(self) -> None:
        store = self.store()
        self.create(store, "Post", "p1", ANN)
        self.create(store, "Comment", "c1", ANN, postId="p1")
        self.create(store, "Comment", "c2", BOB, postId="p1")
        before = store.view()
        [answer] = store.apply(operation("delete", "Post", "p1", actor=ANN))
        self.assertEqual((answer["decision"], answer["reason"]), ("rejected", "notOwner"))
        self.assertIn("Comment c2", answer["message"])
        self.create(store, "Pin", "n1", ANN, pinCommentId="c1")
        [answer] = store.apply(operation("delete", "Comment", "c1", actor=ANN))
        self.assertEqual((answer["decision"], answer["reason"]), ("rejected", "stillNamed"))
        self.assertIn("n1", answer["message"])
        self.assertEqual([r for r in store.view() if r["model"] != "Pin"], before)
        store.check()

    def test_a_cascade_that_the_authority_refuses_is_undone_whole(self) -> None:
        cloud = Store.create(self.directory / "cloud", SCHEMA, "00000000000000c1", "authority")
        phone = Store.create(
            self.directory / "phone", SCHEMA, "00000000000000a1", accept="optimistic")
        self.create(phone, "Post", "p1", ANN)
        self.create(phone, "Comment", "c1", ANN, postId="p1")
        self.create(phone, "Comment", "c2", BOB, postId="p1")
        phone.sync(cloud)
        before = phone.view()
        [answer] = phone.apply(operation("delete", "Post", "p1", actor=ANN))
        self.assertEqual(phone.view(), [])
        phone.sync(cloud)
        self.assertEqual(phone.view(), before)
        self.assertEqual(phone.rejected_dots(), {answer["dot"], *answer["implied"]})
        self.assertEqual(phone.digest(), cloud.digest())

    def test_a_default_is_written_with_the_create_and_shown_where_it_was_not(self) -> None:
        store = self.store()
        self.create(store, "Post", "p1", ANN)
        [line] = store.log()
        self.assertEqual(line["fields"], {"title": "untitled"})
        newer = self.directory / "newer.graphql"
        newer.write_text(SCHEMA.sdl.replace(
            "title: String!", 'mood: String! @default(value: "calm")\n  title: String!'))
        [change] = tidemark("policy", "adopt", store.path, "--schema", newer, "--json",
                            statuses=[DONE]).lines
        self.assertEqual([c["change"] for c in change["schemaChanges"]], ["fieldAdded"])
        [record] = store.view()
        self.assertEqual(record["fields"], {"mood": "calm", "title": "untitled"})
        store.check()

    def test_a_relation_that_leads_nowhere_is_refused_at_its_place(self) -> None:
        source = self.directory / "bad.graphql"
        source.write_text("type Post @model {\n  by: Person @belongsTo\n}\n", encoding="utf-8")
        outcome = tidemark("init", self.directory / "bad", "--schema", source, "--role", "device",
                           statuses=[BAD_INPUT])
        self.assertIn(":2:7:", outcome.message)
