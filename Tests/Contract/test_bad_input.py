"""Bad operations: refused with the line's number, and the store is as it was."""

from __future__ import annotations

import subprocess

from bad_lines import BAD, BOUNDS, EITHER, WIDE, line
from command import (
    BAD_INPUT, DONE, SAYS_NO, TIMEOUT_SECONDS, CommandTest, Outcome, Store, binary, check_ending,
    environment, operation, tidemark)
from invariants import assert_sound
from schemas import SOCIAL

HUGE_BYTES = 100 << 20


class BadInputTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.store = Store.create(self.directory / "store", SOCIAL, "a" * 16, "authority")
        self.store.apply(operation("create", "Values", "kept", {"text": "kept"}), statuses=[DONE])

    def submit(self, data: bytes) -> Outcome:
        return tidemark("apply", self.store.path, "-", "--json", stdin=data)

    def assert_names_line(self, outcome: Outcome, number: int) -> None:
        self.assertEqual(outcome.status, BAD_INPUT, f"{outcome}")
        self.assertRegex(outcome.message.lower(), rf"(\bline {number}\b|:{number}\b)", f"{outcome}")

    def test_a_bad_line_is_refused_and_nothing_is_written(self) -> None:
        log, digest, data = self.store.log(), self.store.digest(), self.store.data
        for name, bad in BAD.items():
            with self.subTest(name):
                outcome = self.submit(bad + b"\n")
                self.assert_names_line(outcome, 1)
                self.assertFalse(
                    any(a.get("decision") in ("accepted", "pending") for a in outcome.lines))
                self.assertEqual(self.store.data, data, "the file changed")
        self.assertEqual(self.store.log(), log)
        self.assertEqual(self.store.digest(), digest)
        self.store.check()

    def test_a_bad_third_line_is_named_and_only_what_was_answered_is_written(self) -> None:
        for name in ("cut off", "an unknown field", "broken UTF-8"):
            with self.subTest(name):
                before = len(self.store.log())
                good = [line(id=f"{name} {n}") + b"\n" for n in range(3)]
                outcome = self.submit(b"".join([*good[:2], BAD[name] + b"\n", good[2]]))
                self.assert_names_line(outcome, 3)
                written = [a["dot"] for a in outcome.lines if a.get("dot")]
                self.assertEqual([e["dot"] for e in self.store.log()[before:]], written)
        assert_sound(self.store)

    def test_a_bad_line_inside_a_transaction_leaves_none_of_it(self) -> None:
        before = self.store.log()
        lines = [line(id="t1", tx="t"), BAD["an unknown field"][:-1] + b',"tx":"t"}',
                 line(id="t2", tx="t")]
        self.assert_names_line(self.submit(b"\n".join(lines) + b"\n"), 2)
        self.assertEqual(self.store.log(), before, "half a transaction was written")

    def test_what_may_be_refused_or_taken(self) -> None:
        for name, data in EITHER.items():
            with self.subTest(name):
                outcome = self.submit(data + b"\n")
                self.assertIn(outcome.status, (DONE, SAYS_NO, BAD_INPUT), f"{outcome}")
        assert_sound(self.store)
        self.store.check()

    def test_numbers_and_texts_at_their_bounds(self) -> None:
        for table, refusable in ((BOUNDS, False), (WIDE, True)):
            for name, (field, value) in table.items():
                with self.subTest(name):
                    outcome = self.submit(line(id=name, fields={field: value}) + b"\n")
                    if refusable and outcome.status == BAD_INPUT:
                        continue
                    self.assertEqual(outcome.status, DONE, f"{outcome}")
                    shown = self.store.record("Values", name)["fields"][field]
                    self.assertEqual((type(shown), shown), (type(value), value))
        assert_sound(self.store)

    def test_a_counter_past_its_bounds_neither_traps_nor_lies(self) -> None:
        most = 2**63 - 1
        self.store.apply(operation("create", "Values", "n", {"sum": {"add": 0}}), statuses=[DONE])
        for amount in (most, most, -most - 1, -most - 1, 1):
            tidemark("apply", self.store.path, "-", "--json",
                     stdin=line(op="update", id="n", fields={"sum": {"add": amount}}) + b"\n")
            tidemark("view", self.store.path, "--json", statuses=[DONE])
        self.store.check()

    def test_line_endings(self) -> None:
        for name, end in (("none at the end", b""), ("CRLF", b"\r\n")):
            with self.subTest(name):
                outcome = self.submit(line(id=name + "1") + (end or b"\n") + line(id=name) + end)
                self.assertEqual((outcome.status, len(outcome.lines)), (DONE, 2), f"{outcome}")

    def test_no_lines_at_all(self) -> None:
        before = self.store.log()
        outcome = self.submit(b"")
        self.assertEqual((outcome.status, outcome.out), (DONE, b""))
        self.assertEqual(self.store.log(), before)

    def test_binary_input(self) -> None:
        before = self.store.log()
        self.assert_names_line(self.submit(bytes(range(256)) * 64), 1)
        self.assertEqual(self.store.log(), before)

    def test_a_missing_file(self) -> None:
        before = self.store.data
        missing = self.directory / "missing.ndjson"
        outcome = tidemark("apply", self.store.path, missing, "--json", statuses=[BAD_INPUT])
        self.assertIn("missing.ndjson", outcome.message)
        outcome = tidemark("apply", self.store.path, self.directory, "--json",
                           statuses=[BAD_INPUT])
        self.assertEqual(self.store.data, before)

    def test_a_line_of_100_MB(self) -> None:
        before = self.store.log()
        path = binary()
        assert path is not None
        arguments = ("apply", str(self.store.path), "-", "--json")
        huge = line(id="huge").replace(b'"x"', b'"' + b"x" * HUGE_BYTES + b'"') + b"\n"
        run = subprocess.run([path, *arguments], input=huge, capture_output=True,
                             timeout=TIMEOUT_SECONDS, env=environment())
        outcome = Outcome(arguments, run.returncode, run.stdout, run.stderr)
        check_ending(outcome)
        self.assert_names_line(outcome, 1)
        self.assertLess(len(run.stderr), 10_000, "the line is thrown back")
        self.assertEqual(self.store.log(), before)
        self.store.check()
