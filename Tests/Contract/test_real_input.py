"""The real history of a blog: 872 operations by 81 authors, three in four of them unlawful.

Read from the directory that TIDEMARK_DATA names, or from the one beside the project; the tests are
skipped where it is not there.
"""

from __future__ import annotations

import gzip
import itertools
import os
import unittest
import zlib
from pathlib import Path

from command import DONE, ROOT, SAYS_NO, CommandTest, Json, Store, encode, parse_lines, tidemark
from invariants import assert_converged, assert_sound, events_of
from schemas import BLOG

NAME = "blog-posts.ndjson.gz"
DEVICES = 6
PERIODS = 5


def real_input() -> list[Json]:
    named = os.environ.get("TIDEMARK_DATA")
    path = (Path(named) if named else ROOT / "../shared/data") / NAME
    if not path.is_file():
        raise unittest.SkipTest(f"no {NAME}: name its directory in TIDEMARK_DATA")
    return parse_lines(gzip.decompress(path.read_bytes()))


def lawful_lines(operations: list[Json]) -> set[int]:
    """The lines that one log in which everything is known accepts, by the rules in few words:
    a new id may be created by any signed-in user, and only its owner updates or deletes it."""
    owners: dict[str, str] = {}
    accepted: set[int] = set()
    numbered = enumerate(operations, 1)
    for _, group in itertools.groupby(numbered, key=lambda pair: pair[1]["tx"]):
        members = list(group)
        after = dict(owners)
        if all(step(after, operation) for _, operation in members):
            owners = after
            accepted |= {number for number, _ in members}
    return accepted


def step(owners: dict[str, str], operation: Json) -> bool:
    id, author = operation["id"], operation["actor"]["sub"]
    if operation["op"] == "create":
        return owners.setdefault(id, author) == author if id not in owners else False
    if owners.get(id) != author:
        return False
    if operation["op"] == "delete":
        del owners[id]
    return True


class RealInputTest(CommandTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.operations = real_input()

    def test_one_store_that_enforces_accepts_what_is_lawful_and_nothing_else(self) -> None:
        store = Store.create(self.directory / "authority", BLOG, "a" * 16, "authority")
        source = self.directory / "posts.ndjson"
        source.write_bytes(encode(self.operations))
        answers = tidemark("apply", store.path, source, "--json", statuses=[SAYS_NO]).lines
        accepted = {a["line"] for a in answers if a["decision"] == "accepted"}
        self.assertEqual(len(answers), len(self.operations))
        self.assertEqual(accepted, lawful_lines(self.operations))
        lines = assert_sound(store)
        self.assertEqual(len(events_of(lines)), len(accepted))
        store.check()

    def test_split_by_author_onto_devices_that_sync_now_and_then(self) -> None:
        authority = Store.create(self.directory / "authority", BLOG, "f" * 16, "authority")
        devices = [
            Store.create(self.directory / f"device{n}", BLOG, f"{n + 1:016x}", "device",
                         "optimistic")
            for n in range(DEVICES)]
        size = -(-len(self.operations) // PERIODS)
        for period in range(PERIODS):
            part = self.operations[period * size: (period + 1) * size]
            for n, device in enumerate(devices):
                mine = [o for o in part if home(o) == n]
                if mine:
                    device.apply(*mine, statuses=[DONE])
                if (period + n) % 3 == 0:
                    device.sync(authority)
        for _ in range(2):
            for device in devices:
                device.sync(authority)
        assert_converged([authority, *devices])
        events = [line for device in devices for line in events_of(device.log())
                  if line["dot"].startswith(device.replica)]
        self.assertEqual(len(events), len(self.operations), "an operation was lost")
        rejected = {line["dot"] for line in events if line["status"] == "rejected"}
        self.assertTrue(len(events) // 2 < len(rejected) < len(events), len(rejected))
        for device in devices:
            self.check_told(device, authority)

    def check_told(self, device: Store, authority: Store) -> None:
        """Every author with a rejected event finds it, with its reason, on their own device."""
        lines = device.log()
        own = [line for line in events_of(lines)
               if line["dot"].startswith(device.replica) and line["status"] == "rejected"]
        self.assertEqual(device.rejected_dots(), {line["dot"] for line in own})
        one_each = {line["actor"]["sub"]: line for line in own}
        for author, line in list(one_each.items())[:2]:
            [tombstone] = [t for t in lines
                           if t["kind"] == "tombstone" and t["dot"] == line["dot"]]
            for store in (device, authority):
                said = tidemark("explain", store.path, line["dot"], "--json",
                                statuses=[DONE, SAYS_NO]).out.decode()
                self.assertIn(tombstone["reason"], said, author)
                self.assertIn(tombstone.get("rule") or "", said, author)


def home(operation: Json) -> int:
    """The device of an operation's author."""
    return zlib.crc32(operation["actor"]["sub"].encode()) % DEVICES
