"""Histories of two devices and an authority, each told from end to end."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

from command import DONE, CommandTest, Json, Store, operation
from invariants import assert_converged
from scenario import text
from schemas import SOCIAL
from verdicts import BOSS, U1, U2, create, delete, update


class AcceptanceTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.authority = Store.create(self.directory / "authority", SOCIAL, "a" * 16, "authority")
        self.b, self.c = (
            Store.create(self.directory / name, SOCIAL, name * 16, "device", "optimistic")
            for name in "bc")

    def meet(self, *devices: Store) -> None:
        for device in devices or (self.b, self.c):
            device.sync(self.authority)

    def settle(self) -> None:
        self.meet()
        self.meet()
        assert_converged([self.authority, self.b, self.c])

    def known(self, *operations: Json) -> None:
        """Lawful operations that the authority and both devices have."""
        self.authority.apply(*operations, statuses=[DONE])
        self.meet()

    def fields(self, model: str, id: str) -> Json:
        record = self.authority.record(model, id)
        assert record is not None, f"{model} {id} does not exist"
        return record["fields"]

    # Rejected, and nobody's lawful work with it.

    def test_lawful_edits_around_an_unlawful_one_survive_it(self) -> None:
        self.known(create("Post", U1, "p", body="old", likes={"add": 1}))
        self.b.apply(update("Post", U2, "p", title="bad", likes={"add": 100}))
        self.b.apply(update("Post", U1, "p", body="by u1 on b", likes={"add": 10}))
        self.c.apply(update("Post", U1, "p", likes={"add": 5}, tags={"add": ["lawful"]}))
        self.assertEqual(self.b.record("Post", "p")["fields"]["title"], "bad")
        self.settle()
        self.assertEqual(self.fields("Post", "p"), self.fields("Post", "p") | {
            "title": "old", "body": "by u1 on b", "likes": 16, "tags": ["lawful"]})

    def test_an_unlawful_delete_brings_the_record_back_with_all_it_had(self) -> None:
        self.known(create("Post", U1, "p", likes={"add": 3}, tags={"add": ["x"]}))
        before = self.b.record("Post", "p")
        self.b.apply(delete("Post", U2, "p"))
        self.assertIsNone(self.b.record("Post", "p"))
        self.settle()
        self.assertEqual(self.b.record("Post", "p"), before)

    def test_what_was_built_on_a_rejected_create_goes_with_it(self) -> None:
        self.b.apply(create("Post", None, "p"), update("Post", None, "p"))
        self.b.apply(create("Post", U1, "q"))
        self.settle()
        self.assertIsNone(self.authority.record("Post", "p"))
        self.assertIsNotNone(self.authority.record("Post", "q"))

    def test_a_rejected_transaction_does_not_block_the_next(self) -> None:
        self.b.apply(create("Post", None, "p"))
        self.b.apply(create("Post", U1, "q"))
        self.b.apply(update("Post", U2, "q"))
        self.b.apply(update("Post", U1, "q", title="last"))
        self.settle()
        self.assertEqual(self.fields("Post", "q")["title"], "last")

    # Creates that meet.

    def test_a_concurrent_create_by_another_is_rejected(self) -> None:
        self.b.apply(create("Post", U1, "p", title="mine"))
        self.c.apply(create("Post", U2, "p", title="no, mine"))
        self.settle()
        record = self.authority.record("Post", "p")
        self.assertEqual((record["owner"], record["fields"]["title"]), ("u1", "mine"))
        self.assertTrue(self.c.rejected_dots(), "its author is not told")
        self.assertFalse(self.b.rejected_dots())

    def test_a_concurrent_create_by_the_same_user_is_merged(self) -> None:
        at = datetime.now(timezone.utc) - timedelta(hours=1)
        self.b.apply({**create("Post", U1, "p", title="early"), "at": text(at)})
        self.c.apply({**create("Post", U1, "p", title="late", body="c"),
                      "at": text(at + timedelta(seconds=1))})
        self.meet(self.c, self.b)
        self.settle()
        record = self.authority.record("Post", "p")
        self.assertEqual(record["created"]["dot"], f"{self.b.replica}:1")
        self.assertEqual(record["updated"]["dot"], f"{self.c.replica}:1")
        self.assertEqual(set(record["conflicts"]) - {"owner"}, {"title"})
        self.assertEqual(self.fields("Post", "p"), self.fields("Post", "p") | {
            "title": "late", "body": "c"})

    # Deletes that meet updates.

    def test_delete_wins_where_the_model_says_nothing(self) -> None:
        self.known(create("Post", U1, "p"))
        self.b.apply(delete("Post", BOSS, "p"))
        self.c.apply(update("Post", U1, "p"))
        self.settle()
        self.assertIsNone(self.authority.record("Post", "p"))
        self.assertFalse(self.c.rejected_dots(), "a lawful update was rejected")

    def test_update_wins_where_the_model_says_so(self) -> None:
        self.known(create("Note", U1, "n", body="kept"))
        self.b.apply(delete("Note", U1, "n"))
        self.c.apply(update("Note", U2, "n", title="new"))
        self.settle()
        self.assertEqual(self.fields("Note", "n"), self.fields("Note", "n") | {
            "title": "new", "body": "kept"})

    def test_an_unlawful_update_of_what_another_deleted_is_rejected(self) -> None:
        self.known(create("Post", U1, "p"))
        self.b.apply(delete("Post", U1, "p"))
        self.c.apply(update("Post", U2, "p"))
        self.settle()
        self.assertTrue(self.c.rejected_dots(), "judged against the owner that it had")

    # Values that merge.

    def test_counters_and_sets_merge(self) -> None:
        self.known(create("Board", U1, "v", likes={"add": 1}, tags={"add": ["a", "b"]}))
        self.b.apply(update("Board", U1, "v", likes={"add": 10}, tags={"add": ["a"]}))
        self.b.apply(update("Board", U1, "v", likes={"add": -2}))
        self.c.apply(update("Board", U2, "v", likes={"add": 100}, tags={"remove": ["a", "b"]}))
        self.settle()
        fields = self.fields("Board", "v")
        self.assertEqual((fields["likes"], fields["tags"]), (109, ["a"]))
        self.assertFalse(self.authority.record("Board", "v").get("conflicts"))

    def test_a_new_life_starts_from_nothing(self) -> None:
        self.known(create("Board", U1, "v", body="x", likes={"add": 7}, tags={"add": ["a"]}))
        self.b.apply(delete("Board", U1, "v"), create("Board", U2, "v", title="again"))
        self.settle()
        fields = self.fields("Board", "v")
        self.assertEqual(fields["title"], "again")
        for name in ("body", "likes", "tags"):
            self.assertFalse(fields.get(name), name)

    def test_conflicts_lists_who_lost(self) -> None:
        self.known(create("Board", U1, "v"))
        self.b.apply(update("Board", U1, "v", title="by b"))
        self.c.apply(update("Board", U2, "v", title="by c"))
        self.settle()
        self.assertEqual(self.authority.record("Board", "v")["conflicts"], ["title"])
        self.b.apply(update("Board", U1, "v", title="settled"))
        self.settle()
        self.assertFalse(self.authority.record("Board", "v").get("conflicts"))

    # Clocks.

    def test_a_stamp_from_the_future_is_clamped_and_does_not_win_for_ever(self) -> None:
        self.known(create("Board", U1, "v"))
        before = int(time.time() * 1000)
        ahead = datetime.now(timezone.utc) + timedelta(days=3650)
        self.b.apply({**update("Board", U1, "v", title="future"), "at": text(ahead)})
        self.meet()
        after = int(time.time() * 1000)
        for store in (self.authority, self.b, self.c):
            [line] = [e for e in store.log() if e["dot"] == f"{self.b.replica}:1"]
            effective = line["stamp"]["effective"]["ms"]
            self.assertTrue(before <= effective <= after + 1000, (before, effective, after))
            self.assertEqual(line["stamp"]["ms"], int(ahead.timestamp() * 1000))
        self.c.apply(update("Board", U2, "v", title="present"))
        self.settle()
        self.assertEqual(self.fields("Board", "v")["title"], "present")

    def test_a_clock_at_the_end_of_time_stops_nobody(self) -> None:
        for n, at in enumerate(("9999-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z")):
            self.b.apply({**create("Board", U1, f"v{n}"), "at": at}, statuses=[DONE])
        self.meet()
        self.c.apply(update("Board", U2, "v0", title="present"), statuses=[DONE])
        self.settle()
        self.assertEqual(self.fields("Board", "v0")["title"], "present")

    def test_a_stamp_within_the_drift_limit_stays(self) -> None:
        ahead = datetime.now(timezone.utc) + timedelta(seconds=60)
        self.b.apply({**create("Board", U1, "v"), "at": text(ahead)})
        self.settle()
        [line] = self.authority.log()
        self.assertNotIn("effective", line["stamp"])
