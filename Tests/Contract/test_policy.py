"""Rules for a whole schema, modes, programs that answer for custom rules, and policies as history."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from command import BAD_INPUT, DONE, SAYS_NO, CommandTest, Json, Store, operation, tidemark, user
from schemas import Schema

ANN, BOB = user("ann"), user("bob")
RULES = """
input AMPLIFY { globalAuthRule: AuthRule = { allow: private } }
type Post @model @auth(rules: [
  { allow: owner }, { allow: public, operations: [read] }, { allow: custom }
]) { title: String note: String }
type Memo @model { text: String }
"""
FUNCTION = """#!%s
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    given = asked["input"].get("title", "")
    answer = {"allowed": {"yes": True, "no": False}.get(given), "deniedFields": ["note"]}
    print(json.dumps(answer), flush=True)
"""


def decide(schema: Path, *cases: Json, words: tuple[str, ...] = ()) -> list[Json]:
    stdin = b"".join(json.dumps(case).encode() + b"\n" for case in cases)
    return tidemark("policy", "decide", schema, "--cases", "-", "--json", *words, stdin=stdin,
                    statuses=[DONE]).lines


class RulesTest(CommandTest):
    def schema(self, text: str = RULES) -> Path:
        path = self.directory / "schema.graphql"
        path.write_text(text, encoding="utf-8")
        return path

    def test_a_model_without_rules_has_those_of_the_schema(self) -> None:
        case = {"model": "Memo", "op": "create", "input": {"text": "x"}}
        allowed, denied = decide(self.schema(), case | {"principal": {"sub": "u"}},
                                 case | {"principal": {"provider": "apiKey"}})
        self.assertEqual((allowed["decision"], allowed["rule"]),
                         ("allowed", "schema.auth[0] allow: private"))
        self.assertEqual((denied["decision"], denied["reason"]), ("denied", "notSignedIn"))

    def test_modes_are_listed_in_the_order_in_which_they_are_tried(self) -> None:
        lines = tidemark("policy", "modes", self.schema(), "--json", statuses=[DONE]).lines
        found = {(m["model"], m["op"], m["signedIn"]): m["modes"] for m in lines}
        self.assertEqual(found["Post", "get", True], ["function", "userPools", "apiKey"])
        self.assertEqual(found["Post", "create", False], ["function"])
        self.assertEqual(found["Memo", "create", False], ["apiKey"], "the default mode")
        for words in (["--op", "fly"], ["--model", "Nope"], ["--strategy", "none"]):
            tidemark("policy", "modes", self.schema(), *words, statuses=[BAD_INPUT])

    def test_of_several_credentials_the_first_mode_that_is_allowed_decides(self) -> None:
        several = [{"provider": "apiKey"}, {"sub": "ann"}]
        read, update = decide(
            self.schema(),
            {"model": "Post", "op": "read", "principal": several, "record": {"owner": "bob"}},
            {"model": "Post", "op": "update", "principal": several, "input": {"title": "x"},
             "record": {"owner": "ann"}})
        self.assertEqual((read["decision"], read["mode"]), ("allowed", "apiKey"))
        self.assertEqual((update["decision"], update["mode"]), ("allowed", "userPools"))

    def test_a_program_answers_for_custom_rules(self) -> None:
        program = self.directory / "function"
        program.write_text(FUNCTION % sys.executable, encoding="utf-8")
        program.chmod(0o700)
        case = {"model": "Post", "op": "create", "principal": {"provider": "function"}}
        answers = decide(
            self.schema(), case | {"input": {"title": "yes"}}, case | {"input": {"title": "no"}},
            case | {"input": {"title": "?"}}, case | {"input": {"title": "yes", "note": "x"}},
            words=("--custom", str(program)))
        self.assertEqual([a.get("reason") for a in answers],
                         [None, "customDenied", "customUnavailable", "customDenied"])
        self.assertEqual(answers[3]["fields"], {"note": "customDenied"})
        # A store asks it as well.
        store = Store.create(self.directory / "store", Schema(RULES), "a" * 16, "authority")
        lines = [operation("create", "Post", id, {"title": id}, {"provider": "function"})
                 for id in ("yes", "no")]
        stdin = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        outcome = tidemark("apply", store.path, "-", "--json", "--custom", program, stdin=stdin,
                           statuses=[SAYS_NO])
        self.assertEqual([a["decision"] for a in outcome.lines], ["accepted", "rejected"])
        tidemark("view", store.path, "--custom", self.directory / "none", statuses=[BAD_INPUT])

    def test_a_program_that_fails_denies_and_is_told(self) -> None:
        for name, text in (("ends", "#!/bin/sh\nexit 3\n"), ("babbles", "#!/bin/sh\necho yes\n")):
            program = self.directory / name
            program.write_text(text, encoding="utf-8")
            program.chmod(0o700)
            outcome = tidemark(
                "policy", "decide", self.schema(), "--model", "Post", "--op", "delete", "--as",
                '{"provider":"function"}', "--record", "{}", "--json", "--custom", program,
                statuses=[SAYS_NO])
            self.assertEqual(outcome.lines[0]["reason"], "customUnavailable")
            self.assertIn(name, outcome.message)


BEFORE = Schema("""
type Post @model @auth(rules: [{ allow: owner }, { allow: private, operations: [read] }]) {
  title: String! note: String
}
""")
AFTER = """
type Post @model @auth(rules: [
  { allow: owner, operations: [create, read, update] }, { allow: private, operations: [read] }
]) { title: String! note: String extra: Int }
"""


class HistoryTest(CommandTest):
    """A candidate is tried on history, and then taken; what was pending is judged by it."""

    def setUp(self) -> None:
        super().setUp()
        self.cloud = Store.create(self.directory / "cloud", BEFORE, "c" * 16, "authority")
        self.phone = Store.create(self.directory / "phone", BEFORE, "d" * 16, "device",
                                  "optimistic")
        self.candidate = self.directory / "after.graphql"
        self.candidate.write_text(AFTER, encoding="utf-8")
        for id in ("p1", "p2"):
            self.phone.apply(operation("create", "Post", id, {"title": id}, ANN))
        [self.deleted] = [a["dot"] for a in self.phone.apply(
            operation("delete", "Post", "p2", None, ANN))]
        self.phone.sync(self.cloud)
        self.pending = [a["dot"] for a in self.phone.apply(
            operation("update", "Post", "p1", {"title": "new"}, ANN),
            operation("delete", "Post", "p1", None, ANN),
            operation("update", "Post", "p1", {"title": "mine"}, BOB))]

    def dry_run(self, store: Store, *words: str, status: int = DONE) -> tuple[list[Json], Json]:
        lines = tidemark("policy", "dry-run", store.path, "--schema", self.candidate, "--json",
                         *words, statuses=[status]).lines
        return lines[:-1], lines[-1]

    def test_what_would_change_is_listed_and_nothing_is_written(self) -> None:
        before = [store.settled_data() for store in (self.cloud, self.phone)]
        changes, summary = self.dry_run(self.cloud)
        self.assertEqual([(c["dot"], c["was"], c["now"], c["reason"]) for c in changes],
                         [(self.deleted, "accepted", "rejected", "noRule")])
        self.assertEqual((summary["refused"], summary["lost"]), (1, 0))
        changes, summary = self.dry_run(self.phone, "--strict", status=SAYS_NO)
        lost = [c["dot"] for c in changes if c["lost"]]
        self.assertEqual(lost, [self.pending[1]])
        self.assertEqual((summary["lost"], summary["byUser"]["ann"]["lost"]), (1, 1))
        self.assertEqual(list(summary["byDevice"]), ["d" * 16])
        self.assertEqual([store.data for store in (self.cloud, self.phone)], before)

    def test_a_store_takes_another_schema_and_keeps_what_is_pending(self) -> None:
        old = tidemark("policy", "versions", self.cloud.path, "--json").lines[0]["policy"]
        tidemark("policy", "adopt", self.cloud.path, "--schema", self.candidate, statuses=[DONE])
        versions = tidemark("policy", "versions", self.cloud.path, "--json", statuses=[DONE]).lines
        self.assertEqual([v["current"] for v in versions], [False, True])
        self.phone.sync(self.cloud)
        self.assertEqual(self.phone.rejected_dots(), {self.pending[1], self.pending[2]})
        self.assertEqual(self.phone.record("Post", "p1")["fields"]["title"], "new")
        policies = {line["dot"]: line["policy"] for line in self.cloud.log()}
        self.assertEqual(policies[self.deleted], old)
        self.assertEqual(policies[self.pending[0]], versions[1]["policy"])
        # The device takes the version that came along.
        tidemark("policy", "adopt", self.phone.path, "--policy", versions[1]["policy"],
                 statuses=[DONE])
        self.phone.apply(operation("update", "Post", "p1", {"extra": 3}, ANN))
        self.phone.sync(self.cloud)
        self.assertEqual(self.cloud.record("Post", "p1")["fields"]["extra"], 3)
        self.assertEqual(self.phone.digest(), self.cloud.digest())
        for store in (self.phone, self.cloud):
            store.check()

    def test_a_schema_that_does_not_fit_what_is_stored_is_refused(self) -> None:
        before = self.cloud.settled_data()
        for text in (AFTER.replace("note: String", "note: [String] @merge(as: set)"), "type Post {", ""):
            self.candidate.write_text(text, encoding="utf-8")
            tidemark("policy", "adopt", self.cloud.path, "--schema", self.candidate,
                     statuses=[BAD_INPUT])
        tidemark("policy", "adopt", self.cloud.path, "--policy", "0" * 16, statuses=[BAD_INPUT])
        tidemark("policy", "adopt", self.cloud.path, statuses=[BAD_INPUT])
        self.assertEqual(self.cloud.data, before)
