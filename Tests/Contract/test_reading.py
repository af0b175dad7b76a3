"""What one principal is shown of a store that holds more: every text that was ever written is unique,
and no command may show one to somebody whom the rules do not let read it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from command import DONE, SAYS_NO, CommandTest, Json, Store, operation, tidemark, user
from schemas import Schema

PRIVATE = Schema(
    """
    type Note @model @auth(rules: [
      { allow: owner },
      { allow: groups, groups: ["Staff"], operations: [read] }
    ]) {
      title: String!
      secret: String @auth(rules: [{ allow: owner }])
      tags: [String] @merge(as: set)
    }
    type Room @model @auth(rules: [
      { allow: groups, groupsField: "team" }, { allow: private, operations: [create] }
    ]) {
      topic: String!
      team: [String]
    }
    """,
    {})

ANN, BOB, STAFF, RED = user("ann"), user("bob"), user("sue", "Staff"), user("rob", "red")
NOBODY = {"provider": "apiKey"}
READERS = {"ann": ANN, "bob": BOB, "staff": STAFF, "red": RED, "nobody": NOBODY}


@dataclass(frozen=True)
class Secret:
    """A text, and who may read it."""

    text: str
    readers: frozenset[str]


class ReadingTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.secrets: list[Secret] = []
        self.cloud = Store.create(self.directory / "cloud", PRIVATE, "c" * 16, "authority")
        self.phone = Store.create(self.directory / "phone", PRIVATE, "d" * 16, "device",
                                  "optimistic")
        self.tablet = Store.create(self.directory / "tablet", PRIVATE, "e" * 16, "device",
                                   "optimistic")

    def text(self, *readers: str) -> str:
        text = f"text-{len(self.secrets):04}-end"
        self.secrets.append(Secret(text, frozenset(readers)))
        return text

    def sync(self) -> None:
        for _ in range(2):
            for store in (self.phone, self.tablet):
                store.sync(self.cloud)

    def write(self) -> None:
        phone, tablet = self.phone, self.tablet
        title = lambda: self.text("ann", "staff")  # noqa: E731
        secret = lambda: self.text("ann")  # noqa: E731
        topic = lambda: self.text("red")  # noqa: E731
        for id in ("n1", "n2", "n3"):
            phone.apply(operation("create", "Note", id, {
                "title": title(), "secret": secret(), "tags": [title()]}, ANN))
        phone.apply(operation("create", "Note", "b1", {
            "title": self.text("bob", "staff"), "secret": self.text("bob")}, BOB))
        phone.apply(operation("create", "Room", "r1", {"topic": topic(), "team": ["red"]}, RED))
        self.sync()
        # Concurrent writes, of which one loses.
        for store in (phone, tablet):
            store.apply(operation("update", "Note", "n1", {"title": title(), "secret": secret()},
                                  ANN))
            store.apply(operation("update", "Room", "r1", {"topic": topic()}, RED))
        # A record that is gone; one whose secret was overwritten.
        phone.apply(operation("delete", "Note", "n2", None, ANN))
        tablet.apply(operation("update", "Note", "n3", {"secret": secret()}, ANN))
        # What is refused is its author's alone.
        phone.apply(operation("update", "Note", "n3", {"title": self.text("bob")}, BOB))
        tablet.apply(operation("create", "Room", "r2", {
            "topic": self.text(), "team": ["red"]}, NOBODY))
        self.sync()

    def commands(self, store: Store, dots: list[str]) -> list[list[str]]:
        path = str(store.path)
        listed = [["view", path], ["log", path], ["conflicts", path], ["rejections", path],
                  ["export", path, "Note"], ["export", path, "Note", "--format", "csv"],
                  ["view", path, "--at", dots[-1]], ["view", path, "--sort", "title"]]
        for model, id in (("Note", "n1"), ("Note", "n2"), ("Note", "n3"), ("Note", "b1"),
                          ("Room", "r1"), ("Room", "r2")):
            listed += [["history", path, model, id], ["view", path, model, "--id", id]]
        return listed + [["explain", path, dot] for dot in dots]

    def test_nobody_is_shown_what_the_rules_do_not_let_them_read(self) -> None:
        self.write()
        for store in (self.cloud, self.phone):
            dots = [line["dot"] for line in store.log()]
            for name, actor in READERS.items():
                shown = ""
                for words in self.commands(store, dots):
                    for form in ([],) if "csv" in words else ([], ["--json"]):
                        outcome = tidemark(*words, "--as", json.dumps(actor), *form,
                                           statuses=[DONE, SAYS_NO])
                        shown += outcome.out.decode() + outcome.message
                for secret in self.secrets:
                    with self.subTest(store=store.role, reader=name, text=secret.text):
                        if name in secret.readers:
                            # Some of it is void elsewhere; what is read at all is read here.
                            continue
                        self.assertNotIn(secret.text, shown)
                readable = {s.text for s in self.secrets if name in s.readers and s.text in shown}
                expected = any(name in s.readers for s in self.secrets)
                self.assertEqual(bool(readable), expected, f"{name} at {store.role}")

    def test_a_field_that_may_not_be_read_is_null_and_said_so(self) -> None:
        self.write()
        as_staff = ["--as", json.dumps(STAFF), "--json"]
        view = tidemark("view", self.cloud.path, "Note", *as_staff, statuses=[DONE]).lines
        self.assertEqual([r["id"] for r in view], ["b1", "n1", "n3"])
        for record in view:
            self.assertIsNone(record["fields"]["secret"])
            self.assertEqual(record["hidden"], ["secret"])
            self.assertNotIn("secret", record.get("conflicts", []))
        lines = tidemark("log", self.cloud.path, *as_staff, statuses=[DONE]).lines
        given = [line for line in lines if "secret" in line["fields"]]
        self.assertTrue(given)
        for line in given:
            self.assertIsNone(line["fields"]["secret"])
            self.assertEqual(line["hidden"], ["secret"])
        conflicts = tidemark("conflicts", self.cloud.path, *as_staff, statuses=[DONE]).lines
        self.assertEqual([(c["id"], c["field"]) for c in conflicts], [("n1", "title")])

    def test_what_is_hidden_is_told_as_what_is_not_there(self) -> None:
        self.write()
        [dot] = [line["dot"] for line in self.cloud.log()
                 if line["kind"] == "create" and line["id"] == "n1"]
        as_bob = ["--as", json.dumps(BOB)]
        for hidden, missing in (
            (["view", self.cloud.path, "Note", "--id", "n1"],
             ["view", self.cloud.path, "Note", "--id", "zz"]),
            (["history", self.cloud.path, "Note", "n1"],
             ["history", self.cloud.path, "Note", "zz"]),
            (["explain", self.cloud.path, dot], ["explain", self.cloud.path, f"{'f' * 16}:9"]),
        ):
            there = tidemark(*hidden, *as_bob, statuses=[SAYS_NO])
            gone = tidemark(*missing, *as_bob, statuses=[SAYS_NO])
            same = gone.message.replace("zz", "n1").replace(f"{'f' * 16}:9", dot)
            self.assertEqual(there.message, same)

    def test_a_device_holds_no_more_than_those_may_read_for_whom_it_syncs(self) -> None:
        self.write()
        for number, (name, actor) in enumerate(READERS.items(), start=1):
            device = Store.create(self.directory / f"for-{name}", PRIVATE, f"{number:016x}")
            [summary] = self.sync_as(device, actor)
            with self.subTest(reader=name):
                self.assertGreater(summary["down"]["withheld"], 0)
                self.check_view(device, actor)
                held = b"".join(file.read_bytes() for file in device.path.iterdir())
                for secret in self.secrets:
                    if name not in secret.readers:
                        self.assertNotIn(secret.text.encode(), held)
                dots = [line["dot"] for line in device.log()]
                self.assertEqual(dots, [line["dot"] for line in self.cloud.log()])
                for words in self.commands(device, dots):
                    tidemark(*words, statuses=[DONE, SAYS_NO])

    def test_what_may_be_read_comes_and_goes_with_who_asks(self) -> None:
        self.write()
        device = Store.create(self.directory / "device", PRIVATE, "1" * 16)
        for actors in ([STAFF], [ANN], [ANN, RED], [BOB], [NOBODY], [ANN, BOB, RED], [STAFF]):
            self.sync_as(device, *actors)
            self.check_view(device, actors)
        [digest] = tidemark("digest", device.path, "--json", statuses=[DONE]).lines
        self.assertTrue(digest["partial"])
        theirs = self.cloud.digest()
        self.assertEqual((digest["live"], digest["void"]), (theirs["live"], theirs["void"]))
        differences = tidemark("diff", device.path, self.cloud.path, "--json",
                               statuses=[DONE, SAYS_NO]).lines
        self.assertEqual({line["kind"] for line in differences} - {"record"}, {"withheld"})
        # Nobody is named: it is given all.
        device.sync(self.cloud)
        self.assertEqual(device.digest(), theirs)
        [digest] = tidemark("digest", device.path, "--json", statuses=[DONE]).lines
        self.assertNotIn("partial", digest)

    def sync_as(self, device: Store, *actors: Json) -> list[Json]:
        words = [word for actor in actors for word in ("--as", json.dumps(actor))]
        return tidemark("sync", device.path, self.cloud.path, *words, "--json",
                        statuses=[DONE]).lines

    def check_view(self, device: Store, actors: Json) -> None:
        """The device's own view is what the authority shows these actors."""
        device.check()
        shown = tidemark("view", self.cloud.path, "--as", json.dumps(actors), "--json",
                         statuses=[DONE]).lines
        for record in shown:
            for name in record.pop("hidden", []):
                del record["fields"][name]
        self.assertEqual(device.view(), shown)
