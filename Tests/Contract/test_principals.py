"""Several users on one device, and what the author of a refused write can do about it."""

from __future__ import annotations

import json

from command import BAD_INPUT, DONE, CommandTest, Json, Store, operation, tidemark, user
from schemas import SOCIAL, Schema

ANN, BOB = user("ann"), user("bob")


def run(*words: str, statuses: tuple[int, ...] = (DONE,)) -> list[Json]:
    return tidemark(*words, "--json", statuses=statuses).lines


class PrincipalsTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.cloud = Store.create(self.directory / "cloud", SOCIAL, "c" * 16, "authority")
        self.phone = Store.create(self.directory / "phone", SOCIAL, "d" * 16, "device",
                                  "optimistic")
        for actor, id in ((ANN, "a1"), (BOB, "b1"), (ANN, "a2"), (BOB, "b2")):
            self.phone.apply(operation("create", "Post", id, {"title": id}, actor))

    def ids(self, store: Store) -> list[str]:
        return [record["id"] for record in store.view()]

    def sync_as(self, *actors: Json) -> list[Json]:
        words = [word for actor in actors for word in ("--as", json.dumps(actor))]
        [summary] = run("sync", str(self.phone.path), str(self.cloud.path), *words)
        return summary["up"].get("held", [])

    def test_only_the_work_of_who_is_signed_in_goes(self) -> None:
        held = self.sync_as(ANN)
        self.assertEqual([(h["actor"]["sub"], h["events"], h["reason"]) for h in held],
                         [("bob", 2, "notSignedIn"), ("ann", 1, "behind")])
        self.assertEqual(self.ids(self.cloud), ["a1"])
        [expired, _] = self.sync_as(BOB | {"claims": {"exp": 1}})[:2]
        self.assertEqual((expired["actor"]["sub"], expired["reason"]), ("bob", "expired"))
        self.assertEqual(self.sync_as(ANN, BOB), [])
        self.assertEqual(self.ids(self.cloud), ["a1", "a2", "b1", "b2"])
        self.assertEqual(self.phone.digest(), self.cloud.digest())

    def test_who_signs_out_finds_their_work_again(self) -> None:
        phone = str(self.phone.path)
        run("sign-out", phone, "--as", "user:ann")
        self.assertEqual(self.ids(self.phone), ["b1", "b2"])
        self.assertNotIn("a1", [line.get("id") for line in self.phone.log()])
        waiting = {(w["actor"]["sub"], w["events"], w["kept"]) for w in run("pending", phone)}
        self.assertEqual(waiting, {("bob", 2, False), ("ann", 2, True)})
        self.assertEqual(self.sync_as(BOB), [])
        self.assertEqual(self.ids(self.cloud), ["b1", "b2"])
        self.assertEqual(run("sign-in", phone, "--as", "user:ann"), [{"events": 2}])
        self.assertEqual(run("sign-in", phone, "--as", "user:ann"), [{"events": 0}])
        self.assertEqual(self.sync_as(ANN), [])
        self.assertEqual(self.phone.digest(), self.cloud.digest())
        for store in (self.phone, self.cloud):
            store.check()

    def test_what_is_discarded_is_printed_so_that_it_can_be_applied(self) -> None:
        given_up = run("sign-out", str(self.phone.path), "--as", "user:bob", "--mode", "discard")
        self.assertEqual(self.ids(self.phone), ["a1", "a2"])
        self.phone.apply(*given_up, statuses=[DONE])
        self.assertEqual(self.ids(self.phone), ["a1", "a2", "b1", "b2"])

    def test_a_hand_over_is_the_others_work(self) -> None:
        phone = str(self.phone.path)
        note = operation("create", "Board", "n1", {"title": "x"}, user("eve"))
        self.phone.apply(note)
        [done] = run("sign-out", phone, "--as", "user:eve", "--mode", "hand-over", "--to",
                     "user:bob")
        [line] = [line for line in self.phone.log() if line["dot"] == done["dots"][0]]
        self.assertEqual(line["actor"]["sub"], "bob")
        for words in (["--mode", "hand-over"], ["--mode", "hand-over", "--to", "user:ann"],
                      ["--mode", "burn"], ["--to", "user:bob"]):
            tidemark("sign-out", phone, "--as", "user:ann", *words, statuses=[BAD_INPUT])
        tidemark("sign-out", self.cloud.path, "--as", "user:ann", statuses=[BAD_INPUT])

    def test_what_was_refused_is_submitted_again_and_cites_the_old(self) -> None:
        phone = str(self.phone.path)
        [refused] = self.phone.apply(operation("create", "Post", "p1", {"title": "x"}, None))
        self.phone.sync(self.cloud)
        dot = refused["dot"]
        words = ("rejections", phone, "--resubmit", dot)
        tidemark(*words, "--fields", '{"title":1}', statuses=[BAD_INPUT])
        [again] = run(*words, "--fields", '{"title":"better"}')
        self.assertEqual(again["cites"], dot)
        [line] = [line for line in self.phone.log() if line["dot"] == again["dot"]]
        self.assertEqual((line["cites"], line["fields"]["title"]), (dot, "better"))
        [told] = run("rejections", phone)
        self.assertEqual((told["acknowledged"], told["resubmitted"]), (True, again["dot"]))
        outcome = tidemark(*words, statuses=[BAD_INPUT])
        self.assertIn(again["dot"], outcome.message)
        tidemark("rejections", phone, "--resubmit", again["dot"], statuses=[BAD_INPUT])
        self.assertEqual(tidemark("rejections", phone, "--acknowledge", "1" * 16 + ":1").status,
                         BAD_INPUT)


ROOMS = Schema("""
type Room @model @auth(rules: [
  { allow: owner }, { allow: groups, groupsField: "team", operations: [read, update] },
  { allow: groups, groups: ["Admins"], operations: [read, update] }
]) { topic: String team: [String] }
""")


class ChangingGroupsTest(CommandTest):
    """Who is in which group is asked when a log accepts, of the record as it has it then."""

    def setUp(self) -> None:
        super().setUp()
        self.cloud = Store.create(self.directory / "cloud", ROOMS, "c" * 16, "authority")
        self.phone = Store.create(self.directory / "phone", ROOMS, "d" * 16, "device",
                                  "optimistic")

    def test_a_record_whose_groups_changed_meanwhile_refuses_who_was_in_them(self) -> None:
        red = user("rob", "red")
        self.cloud.apply(operation("create", "Room", "r1", {"topic": "a", "team": ["red"]}, ANN))
        self.phone.sync(self.cloud)
        [answer] = self.phone.apply(operation("update", "Room", "r1", {"topic": "b"}, red))
        self.cloud.apply(operation("update", "Room", "r1", {"team": ["blue"]}, user("x", "Admins")))
        self.phone.sync(self.cloud)
        [refused] = run("rejections", str(self.phone.path))
        self.assertEqual((refused["dot"], refused["reason"]), (answer["dot"], "notOwner"), "the nearest of the rules")
        self.assertEqual(self.phone.record("Room", "r1")["fields"]["topic"], "a")
        self.assertEqual(self.phone.digest(), self.cloud.digest())

    def test_names_that_differ_in_normalization_are_two(self) -> None:
        composed, decomposed = "caf\u00e9", "cafe\u0301"
        self.cloud.apply(operation("create", "Room", "r1", {"topic": "a", "team": [composed]},
                                   user(composed)))
        for actor in (user(decomposed), user("x", decomposed), user("x", "admins")):
            [answer] = self.cloud.apply(operation("update", "Room", "r1", {"topic": "b"}, actor))
            self.assertEqual(answer["decision"], "rejected", actor)
        for actor in (user(composed), user("x", composed), user("x", "Admins")):
            [answer] = self.cloud.apply(operation("update", "Room", "r1", {"topic": "c"}, actor))
            self.assertEqual(answer["decision"], "accepted", actor)
        found = run("view", str(self.cloud.path), "--as", json.dumps(user(decomposed)))
        self.assertEqual(found, [])
