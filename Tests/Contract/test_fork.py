"""One replica id, two stores: a cloned device, a restored backup. It is reported, the second
recovers, and nothing is lost."""

from __future__ import annotations

import shutil

from command import DONE, CommandTest, Json, Outcome, Store
from invariants import assert_converged
from model import split_dot
from schemas import SOCIAL
from verdicts import U1, U2, create, update

TWIN = "7" * 16


class ForkTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.authority = Store.create(self.directory / "authority", SOCIAL, "a" * 16, "authority")

    def device(self, name: str, replica: str = TWIN) -> Store:
        return Store.create(self.directory / name, SOCIAL, replica, "device", "optimistic")

    def recover(self, second: Store, titles: dict[str, str], accepted: list[Json]) -> None:
        """Syncs the second twin until it has recovered; then all titles are there."""
        outcome = second.sync(self.authority)
        self.assertTrue(reported(outcome), f"not reported as a fork\n{outcome}")
        for _ in range(2):
            second.sync(self.authority)
        lines = self.authority.log()
        self.assertEqual(lines[: len(accepted)], accepted, "an accepted event changed")
        shown = {r["id"]: r["fields"]["title"] for r in self.authority.view()}
        self.assertEqual(shown, titles, "a write was lost")

    def test_two_devices_made_with_one_replica_id(self) -> None:
        first, second = self.device("first"), self.device("second")
        first.apply(create("Post", U1, "p1", title="first"), statuses=[DONE])
        second.apply(create("Post", U2, "p2", title="second"), create("Post", U2, "p3", title="s"),
                     statuses=[DONE])
        first.sync(self.authority)
        accepted = self.authority.log()
        self.recover(second, {"p1": "first", "p2": "second", "p3": "s"}, accepted)
        dots = {line["id"]: line["dot"] for line in self.authority.log()}
        self.assertEqual(split_dot(dots["p1"])[0], TWIN)
        self.assertNotEqual(split_dot(dots["p2"])[0], TWIN, "no new replica id was taken")
        second.apply(update("Post", U2, "p2", title="on"), statuses=[DONE])
        second.sync(self.authority)
        self.assertEqual(self.authority.record("Post", "p2")["fields"]["title"], "on")
        first.sync(self.authority)
        self.converged(first, second)

    def test_a_copied_store_and_its_original_both_write(self) -> None:
        first = self.device("first")
        first.apply(create("Post", U1, "p1", title="before"), statuses=[DONE])
        first.sync(self.authority)
        second = first.copy(self.directory / "second")
        first.apply(create("Post", U1, "p2", title="first"), statuses=[DONE])
        second.apply(create("Post", U1, "p3", title="second"),
                     update("Post", U1, "p1", title="after"), statuses=[DONE])
        first.sync(self.authority)
        self.recover(second, {"p1": "after", "p2": "first", "p3": "second"}, self.authority.log())
        first.sync(self.authority)
        self.converged(first, second)

    def test_a_backup_that_was_put_back(self) -> None:
        device = self.device("device")
        device.apply(create("Post", U1, "p1", title="before"), statuses=[DONE])
        backup = device.copy(self.directory / "backup")
        device.apply(create("Post", U1, "p2", title="since"), statuses=[DONE])
        device.sync(self.authority)
        shutil.rmtree(device.path)
        backup.path.rename(device.path)
        device.apply(create("Post", U1, "p3", title="restored"))
        for _ in range(3):
            device.sync(self.authority)
        shown = {r["id"]: r["fields"]["title"] for r in self.authority.view()}
        self.assertEqual(shown, {"p1": "before", "p2": "since", "p3": "restored"})
        self.converged(device)

    def converged(self, *devices: Store) -> None:
        for device in devices:
            device.sync(self.authority)
        assert_converged([self.authority, *devices])


def reported(outcome: Outcome) -> bool:
    return b"fork" in (outcome.out + outcome.err).lower()
