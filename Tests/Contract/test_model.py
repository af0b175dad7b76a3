"""The model against logs written by hand, and against faults planted in a copy of itself.

Histories are written as in the project's own tests: `a1` is the first event of replica a. A line
is `(dot, kind, fields, context, milliseconds)`; `~a1` is the tombstone of `a1`.
"""

from __future__ import annotations

import types
import unittest
import unittest.mock
from pathlib import Path
from typing import Any, Callable

import invariants
import model
from schemas import Schema, Type

Json = dict[str, Any]
Line = tuple[Any, ...]

SCHEMA = Schema("", {
    "D": Type({"t": "register", "b": "register", "n": "counter", "s": "set"}, owner_field="owner"),
    "U": Type({"t": "register", "b": "register", "n": "counter", "s": "set"}, update_wins=True),
})
REPLICAS = {letter: letter * 16 for letter in "abcd"}


def dot(short: str) -> str:
    return f"{REPLICAS[short[0]]}:{short[1:]}"


def log(*lines: Line, type: str = "D") -> list[Json]:
    made: list[Json] = []
    for lsn, line in enumerate(lines, 1):
        if line[0].startswith("~"):
            made.append({"lsn": lsn, "dot": dot(line[0][1:]), "kind": "tombstone",
                         "reason": "denied", "status": "rejected"})
            continue
        short, kind, fields, seen, milliseconds, *effective = line
        stamp: Json = {"ms": milliseconds, "n": 0}
        if effective:
            stamp["effective"] = {"ms": effective[0], "n": 0}
        context = {REPLICAS[s[0]]: int(s[1:]) for s in seen.split()}
        if int(short[1:]) > 1:
            context[REPLICAS[short[0]]] = int(short[1:]) - 1
        made.append({
            "lsn": lsn, "dot": dot(short), "kind": kind, "model": type, "id": "r",
            "fields": fields, "stamp": stamp, "context": context, "status": "accepted",
            "actor": {"sub": "u" + short[0], "provider": "userPools"}})
    return made


# name, type, log, what the record must hold (None: no record)
CASES: list[tuple[str, str, list[Line], Json | None]] = [
    ("a create alone", "D", [("a1", "create", {"t": "x"}, "", 1)],
     {"fields": {"t": "x", "b": None, "n": 0, "s": []}, "owner": "ua", "conflicts": []}),
    ("the later of two sets in a row wins, and is no conflict", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("b1", "update", {"t": "y"}, "a1", 2)],
     {"fields.t": "y", "conflicts": [], "updated.dot": dot("b1"), "created.dot": dot("a1")}),
    ("a concurrent loser is a conflict", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("a2", "update", {"t": "y"}, "", 9),
      ("b1", "update", {"t": "z"}, "a1", 5)],
     {"fields.t": "y", "conflicts": ["t"]}),
    ("a later set that saw both ends the conflict", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("a2", "update", {"t": "y"}, "", 9),
      ("b1", "update", {"t": "z"}, "a1", 5), ("a3", "update", {"t": "w"}, "b1", 10)],
     {"fields.t": "w", "conflicts": []}),
    ("a rival that a later one superseded leaves that one as the rival", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("a2", "update", {"t": "y"}, "", 9),
      ("b1", "update", {"t": "z"}, "a1", 5), ("b2", "update", {"t": "w"}, "a1", 6)],
     {"fields.t": "y", "conflicts": ["t"]}),
    ("fields do not compete with one another", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("a2", "update", {"t": "y"}, "", 9),
      ("b1", "update", {"b": "z"}, "a1", 5)],
     {"fields.t": "y", "fields.b": "z", "conflicts": []}),
    ("equal stamps: the greater replica wins", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("b1", "update", {"t": "z"}, "a1", 5),
      ("a2", "update", {"t": "y"}, "", 5)],
     {"fields.t": "z", "conflicts": ["t"]}),
    ("a clamped stamp counts as clamped", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("a2", "update", {"t": "y"}, "", 99, 4),
      ("b1", "update", {"t": "z"}, "a1", 5)],
     {"fields.t": "z", "conflicts": ["t"], "updated.ms": 5}),
    ("a tombstone voids, and what came after it stays", "D",
     [("a1", "create", {"t": "x", "n": {"add": 1}}, "", 1),
      ("b1", "update", {"t": "bad", "n": {"add": 7}}, "a1", 2),
      ("a2", "update", {"b": "good"}, "b1", 3), ("~b1",)],
     {"fields": {"t": "x", "b": "good", "n": 1, "s": []}}),
    ("a void create leaves no record", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("~a1",)], None),
    ("a void delete deletes nothing", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("b1", "delete", {}, "a1", 2), ("~b1",)],
     {"fields.t": "x"}),
    ("a tombstone whose payload is kept elsewhere", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("~b1",)], {"fields.t": "x"}),
    ("counters add up", "D",
     [("a1", "create", {"n": {"add": 5}}, "", 1), ("b1", "update", {"n": {"add": 3}}, "a1", 2),
      ("a2", "update", {"n": {"add": -1}}, "", 2)], {"fields.n": 7, "conflicts": []}),
    ("a concurrent add outlives a remove", "D",
     [("a1", "create", {"s": {"add": ["p", "q"]}}, "", 1),
      ("a2", "update", {"s": {"remove": ["p", "q"]}}, "", 3),
      ("b1", "update", {"s": {"add": ["p"]}}, "a1", 2)], {"fields.s": ["p"]}),
    ("an element added and removed by one event stays", "D",
     [("a1", "create", {"s": {"add": ["p"]}}, "", 1),
      ("a2", "update", {"s": {"add": ["p"], "remove": ["p"]}}, "", 2)], {"fields.s": ["p"]}),
    ("delete wins over a concurrent update", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("a2", "delete", {}, "", 2),
      ("b1", "update", {"t": "y"}, "a1", 3)], None),
    ("delete wins over a concurrent create too", "D",
     [("a1", "create", {"t": "x"}, "", 1), ("a2", "delete", {}, "", 2),
      ("b1", "create", {"t": "y"}, "", 3)], None),
    ("update wins over a concurrent delete", "U",
     [("a1", "create", {"t": "x"}, "", 1), ("a2", "delete", {}, "", 2),
      ("b1", "update", {"b": "y"}, "a1", 3)], {"fields.t": "x", "fields.b": "y"}),
    ("update wins, and a delete that has seen everything deletes", "U",
     [("a1", "create", {"t": "x"}, "", 1), ("b1", "update", {"b": "y"}, "a1", 3),
      ("a2", "delete", {}, "b1", 4)], None),
    ("an overturned delete does not end the life before it", "U",
     [("a1", "create", {"n": {"add": 1}}, "", 1), ("a2", "delete", {}, "", 2),
      ("b1", "update", {"n": {"add": 2}}, "a1", 3)], {"fields.n": 3}),
    ("a new life has none of the old fields", "D",
     [("a1", "create", {"t": "x", "n": {"add": 4}, "s": {"add": ["p"]}}, "", 1),
      ("a2", "delete", {}, "", 2), ("b1", "create", {"b": "y"}, "a2", 3)],
     {"fields": {"t": None, "b": "y", "n": 0, "s": []}, "owner": "ub", "created.dot": dot("b1")}),
    ("two creates: the earliest gives the owner and the time", "D",
     [("b1", "create", {"t": "y"}, "", 2), ("a1", "create", {"t": "x"}, "", 1)],
     {"owner": "ua", "created.dot": dot("a1"), "updated.dot": dot("b1"), "fields.t": "y",
      "conflicts": ["t"]}),
    ("an update hands the record over", "D",
     [("a1", "create", {"owner": "u9"}, "", 1), ("b1", "update", {"owner": "u8"}, "a1", 2)],
     {"owner": "u8"}),
    ("a create that names its owner", "D", [("a1", "create", {"owner": "u9"}, "", 1)],
     {"owner": "u9"}),
]


def failures(view: Callable[[list[Json], Schema], list[Json]]) -> list[str]:
    """The names of the cases that a model's `view` gets wrong."""
    wrong = []
    for name, type, lines, expected in CASES:
        records = view(log(*lines, type=type), SCHEMA)
        right = not records if expected is None else len(records) == 1 and all(
            at(records[0], path) == value for path, value in expected.items())
        if not right:
            wrong.append(name)
    return wrong


def at(record: Json, path: str) -> Any:
    value: Any = record
    for key in path.split("."):
        value = value[key]
    return value


# Each replaces one text of model.py by another: a fault that the cases must find.
FAULTS = [
    ("return b.context.get(a.replica, 0) >= a.seq", "return b.context.get(a.replica, 0) > a.seq"),
    ('line["kind"] == "tombstone"}', 'line["kind"] == "none"}'),
    ('.get("effective") or line["stamp"]', '.get("none") or line["stamp"]'),
    ("(self.milliseconds, self.counter, self.replica, self.seq)", "(self.milliseconds,)"),
    ("if not any(concurrent(d, c) for c in changes)]", "]"),
    ("if all(happened_before(d, e) for d in deletes)]", "]"),
    ("if all(happened_before(d, e) for d in deletes)]",
     "if not any(happened_before(e, d) for d in deletes)]"),
    ("if all(happened_before(d, e) for d in deletes)]",
     "if all(d.rank < e.rank for d in deletes)]"),
    ("sorted(live, key=lambda e: e.rank)", "live"),
    ("moment(creates[0])", "moment(creates[-1])"),
    ("moment(live[-1])", "moment(live[0])"),
    ("creates[0], live)", "creates[-1], live)"),
    ("sum(addition(e.fields[name]) for e in changes)", "addition(changes[-1].fields[name])"),
    ('["remove"] and happened_before(adding, removing)', '["remove"]'),
    ("changes[-1].fields[name] if changes", "changes[0].fields[name] if changes"),
    ("if concurrent(e, winner) and not any(happened_before(e, later) for later in sets)]",
     "if e is not winner]"),
    ("if concurrent(e, winner) and not any(happened_before(e, later) for later in sets)]",
     "if False]"),
    ("    if changed:\n", "    if False:\n"),
    ("if field in earliest.fields else", "if False else"),
]


class ModelTest(unittest.TestCase):
    def test_hand_written_logs_give_the_view_they_must(self) -> None:
        self.assertEqual(failures(model.view), [])

    def test_order_of_arrival_does_not_change_the_view(self) -> None:
        for name, type, lines, _ in CASES:
            made = log(*lines, type=type)
            with self.subTest(name):
                self.assertEqual(model.view(made, SCHEMA), model.view(made[::-1], SCHEMA))

    def test_every_planted_fault_is_found(self) -> None:
        source = Path(model.__file__).read_text(encoding="utf-8")
        for old, new in FAULTS:
            with self.subTest(f"{old} -> {new}"):
                self.assertEqual(source.count(old), 1, "the text to replace must stand once")
                faulty = types.ModuleType("faulty_model")
                with unittest.mock.patch.dict("sys.modules", faulty_model=faulty):
                    exec(compile(source.replace(old, new), "faulty_model.py", "exec"),
                         faulty.__dict__)
                try:
                    found = failures(faulty.view)
                except (IndexError, KeyError):
                    continue
                self.assertNotEqual(found, [], "no case noticed")


class InvariantsTest(unittest.TestCase):
    """A sound log, and one planted fault for each thing that the invariants watch."""

    def sound(self) -> list[Json]:
        lines = log(("a1", "create", {"t": "x"}, "", 1), ("b1", "update", {"t": "y"}, "a1", 2),
                    ("a2", "update", {"b": "z"}, "b1", 3), ("~c1",))
        for line in lines:
            line["tx"] = line["dot"]
        return lines

    def check(self, lines: list[Json], part: str, replica: str = "a", role: str = "device") -> None:
        found = invariants.problems(lines, REPLICAS[replica], role)
        self.assertTrue(any(part in problem for problem in found), f"{part!r} not in {found}")

    def test_a_sound_log_has_no_problems(self) -> None:
        self.assertEqual(invariants.problems(self.sound(), REPLICAS["a"], "device"), [])

    def test_a_gap_a_repetition_and_an_early_event(self) -> None:
        self.check(self.sound()[1:], "has seen")
        self.check(self.sound() + self.sound()[2:3], "stands twice")
        self.check(self.sound() + log(("b3", "update", {}, "", 9)), "comes after")

    def test_stamps_that_go_back(self) -> None:
        lines = self.sound()
        lines[2]["stamp"] = {"ms": 2, "n": 0}
        self.check(lines, "and is stamped no later")
        lines = self.sound()
        lines[2]["stamp"] = {"ms": 1, "n": 0}
        self.check(lines, "than the event before it")
        lines = self.sound()
        lines[2]["stamp"]["effective"] = {"ms": 1, "n": 5}
        self.check(lines, "does not outrank")
        lines = self.sound()
        lines[2]["stamp"]["ms"] = 1 << 47
        self.check(lines, "not clamped")

    def test_a_transaction_in_halves(self) -> None:
        lines = log(("a1", "create", {}, "", 1), ("a2", "update", {}, "", 2), ("~a2",))
        lines[0]["tx"] = lines[1]["tx"] = "t"
        lines[1]["status"] = "rejected"
        self.check(lines, "void in part")

    def test_what_may_not_be_in_anothers_log(self) -> None:
        lines = self.sound()
        lines[1]["status"] = "pending"
        self.check(lines, "pending in a log")
        rejected = log(("b1", "create", {}, "", 1), ("~b1",))
        rejected[0]["status"] = "rejected"
        self.check(rejected, "another's rejected payload")
        rejected[1]["reason"] = ""
        self.check(rejected, "no reason")

    def test_two_logs_that_disagree(self) -> None:
        other = self.sound()
        other[0]["fields"] = {"t": "forged"}
        self.assertTrue(invariants.disagreements({"a": self.sound(), "b": other}))
        self.assertEqual(invariants.disagreements({"a": self.sound(), "b": self.sound()}), [])
