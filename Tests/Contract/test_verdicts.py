"""The table of verdicts, judged where it is written (`enforce`) and by the authority
(`optimistic`)."""

from __future__ import annotations

from command import DONE, SAYS_NO, CommandTest, Json, Store, encode, tidemark
from invariants import assert_converged, assert_sound
from schemas import SOCIAL
from verdicts import ACCEPTED, ROWS, Row, mismatch


class EnforceTest(CommandTest):
    """What is refused is refused before anything is written."""

    def judge(self, store: Store) -> None:
        written = []
        for row in ROWS:
            with self.subTest(row.name):
                if row.before:
                    answers = store.apply(*row.placed(row.before), statuses=[DONE])
                    written += [a["dot"] for a in answers]
                before = store.settled_data()
                answers = store.apply(*row.placed(row.attempt, tx=row.name))
                if row.verdict == ACCEPTED:
                    written += [a["dot"] for a in answers]
                    expected = "accepted" if store.role == "authority" else "pending"
                    self.assertEqual({a["decision"] for a in answers}, {expected})
                    continue
                self.assertEqual({a["decision"] for a in answers}, {"rejected"})
                guilty = [a for a in answers if mismatch(row, a) is None]
                self.assertTrue(guilty, f"{mismatch(row, answers[0])}: {answers}")
                self.assertFalse([a["dot"] for a in answers if a.get("dot")], "nothing was written")
                self.assertEqual(store.data, before, "the file changed")
        self.assertEqual([line["dot"] for line in assert_sound(store)], written)
        store.check()

    def test_a_device_that_enforces(self) -> None:
        self.judge(Store.create(self.directory / "device", SOCIAL, "d" * 16))

    def test_an_authority(self) -> None:
        self.judge(Store.create(self.directory / "authority", SOCIAL, "a" * 16, "authority"))

    def test_people_are_told_too(self) -> None:
        store = Store.create(self.directory / "device", SOCIAL, "d" * 16)
        row = next(row for row in ROWS if row.name == "anonymous creates")
        outcome = tidemark("apply", store.path, "-", stdin=encode(row.placed(row.attempt)),
                           statuses=[SAYS_NO])
        self.assertTrue(outcome.out or outcome.err, "not a word about the refusal")


class OptimisticTest(CommandTest):
    """What is unlawful is written, shown, and later voided with a reason."""

    def setUp(self) -> None:
        super().setUp()
        self.authority = Store.create(self.directory / "authority", SOCIAL, "a" * 16, "authority")
        self.device = Store.create(self.directory / "device", SOCIAL, "d" * 16, "device",
                                   "optimistic")
        self.witness = Store.create(self.directory / "witness", SOCIAL, "e" * 16, "device")

    def test_the_authority_decides_as_a_device_that_enforces_would(self) -> None:
        self.authority.apply(*[o for row in ROWS for o in row.placed(row.before)], statuses=[DONE])
        self.device.sync(self.authority)
        before = self.device.view()
        dots = {row.name: self.attempt(row) for row in ROWS}
        outcome = self.device.sync(self.authority)
        self.assertTrue(outcome.out or outcome.err, "sync says nothing of what it did")
        for _ in range(2):
            self.witness.sync(self.authority)
            self.device.sync(self.authority)
        assert_converged([self.authority, self.device, self.witness])
        lines, elsewhere = self.device.log(), self.witness.log()
        told = self.device.rejected_dots()
        for row in ROWS:
            with self.subTest(row.name):
                self.check_verdict(row, dots[row.name], lines, elsewhere)
                rejected = row.verdict != ACCEPTED
                for dot in dots[row.name]:
                    self.assertEqual(dot in told, rejected, f"rejections and {dot}")
        self.check_undone(before)

    def attempt(self, row: Row) -> list[str]:
        answers = self.device.apply(*row.placed(row.attempt, tx=row.name), statuses=[DONE])
        self.assertEqual({a["decision"] for a in answers}, {"pending"}, row.name)
        return [a["dot"] for a in answers]

    def check_verdict(
        self, row: Row, dots: list[str], lines: list[Json], elsewhere: list[Json]
    ) -> None:
        events = {line["dot"]: line for line in lines if line["kind"] != "tombstone"}
        tombstones = [line for line in lines if line["kind"] == "tombstone" and line["dot"] in dots]
        if row.verdict == ACCEPTED:
            self.assertEqual({events[dot]["status"] for dot in dots}, {"accepted"})
            self.assertEqual(tombstones, [])
            return
        self.assertEqual([line["dot"] for line in tombstones], dots)
        self.assertTrue(any(mismatch(row, t) is None for t in tombstones),
                        f"{mismatch(row, tombstones[0])}: {tombstones}")
        payloads = [line for line in elsewhere if line["dot"] in dots
                    and line["kind"] != "tombstone"]
        self.assertEqual(payloads, [], "a rejected payload reached another device")

    def check_undone(self, before: list[Json]) -> None:
        """The records of rejected rows are as they were before the attempt."""
        after = {(r["model"], r["id"]): r for r in self.device.view()}
        known = {(r["model"], r["id"]): r for r in before}
        for row in ROWS:
            if row.verdict == ACCEPTED:
                continue
            for line in row.placed(row.before + row.attempt):
                key = (line["model"], line["id"])
                self.assertEqual(after.get(key), known.get(key), row.name)

    def test_what_is_written_shows_at_once(self) -> None:
        row = next(row for row in ROWS if row.name == "anonymous creates")
        self.attempt(row)
        record = self.device.record("Post", row.id)
        self.assertIsNotNone(record, "an optimistic write does not show")
        self.device.sync(self.authority)
        self.assertIsNone(self.device.record("Post", row.id), "a voided create still shows")

    def test_explain_names_the_reason_and_the_rule(self) -> None:
        row = next(row for row in ROWS if row.name == "anonymous creates")
        [dot] = self.attempt(row)
        self.device.sync(self.authority)
        tombstone = next(line for line in self.device.log() if line["kind"] == "tombstone")
        for store in (self.device, self.authority):
            outcome = tidemark("explain", store.path, dot, "--json", statuses=[DONE, SAYS_NO])
            said = outcome.out.decode()
            self.assertIn(tombstone["reason"], said)
            self.assertIn(str(tombstone["rule"]), " ".join(map(str, strings(outcome.lines))))


def strings(value: object) -> list[object]:
    """Every scalar inside a JSON value."""
    if isinstance(value, dict):
        return [s for inner in value.values() for s in strings(inner)]
    if isinstance(value, list):
        return [s for inner in value for s in strings(inner)]
    return [value]
