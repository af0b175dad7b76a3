"""Stores that are none, are damaged, or change underfoot.

The rule throughout: exit 3 (or 1, where `verify` says no), or else every word that is printed is
true. Never a signal, never an empty log that was not empty.
"""

from __future__ import annotations

import os
import random
import unittest
from pathlib import Path

from command import (
    BAD_INPUT, BAD_STORE, DONE, DOCUMENTED, SAYS_NO, CommandTest, Store, encode, operation,
    tidemark)
from schemas import SOCIAL
from stream import Stream

READS = ("log", "view", "digest")
PAGE = 4096


class NoStoreTest(CommandTest):
    def assert_no_store(self, path: Path) -> None:
        for command in (*READS, "verify", "replay", "stats", "rejections", "conflicts"):
            with self.subTest(command=command):
                outcome = tidemark(command, path, "--json", statuses=[BAD_STORE])
                self.assertEqual(outcome.out, b"")

    def test_a_missing_directory(self) -> None:
        self.assert_no_store(self.directory / "none")
        self.assertFalse((self.directory / "none").exists(), "a read made a directory")

    def test_a_directory_that_is_no_store(self) -> None:
        (self.directory / "notes.txt").write_text("hello")
        self.assert_no_store(self.directory)
        self.assertEqual(os.listdir(self.directory), ["notes.txt"], "a read made files")

    def test_a_file(self) -> None:
        path = self.directory / "file"
        path.write_text("hello")
        self.assert_no_store(path)
        self.assertEqual(path.read_text(), "hello")

    def test_merge_and_sync_with_what_is_no_store(self) -> None:
        store = Store.create(self.directory / "store", SOCIAL, "a" * 16)
        before = store.data
        for command in ("merge", "sync", "diff"):
            for pair in ((store.path, self.directory / "none"), (self.directory, store.path)):
                with self.subTest(command=command):
                    tidemark(command, *pair, "--json", statuses=[BAD_STORE])
        self.assertEqual(store.data, before)

    def test_init_where_a_store_is_already(self) -> None:
        store = Store.create(self.directory / "store", SOCIAL, "a" * 16)
        before = store.data
        outcome = tidemark("init", store.path, "--schema", self.directory / "store.graphql")
        self.assertIn(outcome.status, (SAYS_NO, BAD_INPUT, BAD_STORE))
        self.assertEqual(store.data, before)

    def test_odd_paths(self) -> None:
        for name in ("with spaces", "\U0001f30a", "e\u0301", "\u00e9", "x" * 200, "--dashes"):
            with self.subTest(name):
                store = Store.create(self.directory / name, SOCIAL, "a" * 16)
                store.apply(operation("create", "Note", "n", {"title": name}), statuses=[DONE])
                link = self.directory / f"link to {name[:20]}"
                link.symlink_to(store.path, target_is_directory=True)
                for path in (f"{store.path}/", f"{store.path}/../{name}", link):
                    self.assertEqual(tidemark("log", path, "--json").lines, store.log())
        tidemark("log", self.directory / ("x" * 4096), "--json", statuses=[BAD_INPUT, BAD_STORE])
        loop = self.directory / "loop"
        loop.symlink_to(loop)
        tidemark("log", loop, "--json", statuses=[BAD_STORE])


class DamageTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.store = Store.create(self.directory / "store", SOCIAL, "a" * 16, "authority")
        for part in range(4):
            self.store.apply(*[
                operation("create", "Note", f"n{part} {n}", {"title": f"{n} " * 40})
                for n in range(60)], statuses=[DONE])
        self.truth = {command: tidemark(command, self.store.path, "--json").out
                      for command in READS}
        self.dice = random.Random(20)

    def damaged(self, name: str, data: bytes) -> Store:
        copy = self.store.copy(self.directory / name)
        (copy.path / "lock.mdb").unlink(missing_ok=True)
        (copy.path / "data.mdb").write_bytes(data)
        return copy

    def assert_true_or_refused(self, store: Store) -> None:
        verified = tidemark("verify", store.path, "--json", statuses=[DONE, SAYS_NO, BAD_STORE])
        for command in READS:
            outcome = tidemark(command, store.path, "--json", statuses=[DONE, BAD_STORE])
            same = outcome.out == self.truth[command]
            if outcome.status == DONE and verified.status == DONE:
                self.assertTrue(same, f"verify finds nothing wrong, and this is wrong\n{outcome}")
            if outcome.status == DONE and not same:
                self.assertTrue(outcome.out, f"an empty answer, with exit 0\n{outcome}")

    def test_garbage_for_data(self) -> None:
        for name, data in (("text", b"hello\n" * 1000), ("zeros", bytes(PAGE * 8)),
                           ("noise", self.dice.randbytes(PAGE * 8))):
            with self.subTest(name):
                store = self.damaged(name, data)
                for command in (*READS, "verify", "replay"):
                    tidemark(command, store.path, "--json", statuses=[BAD_STORE])
                tidemark("apply", store.path, "-", "--json", statuses=[BAD_STORE],
                         stdin=encode([operation("create", "Note", "n")]))
                self.assertEqual(store.data, data)

    def test_data_cut_short(self) -> None:
        data = self.store.data
        sizes = {0, 1, 100, PAGE - 1, PAGE, 2 * PAGE, 3 * PAGE, len(data) // 2, len(data) - PAGE,
                 len(data) - 1}
        for size in sorted(sizes):
            with self.subTest(size=size):
                self.assert_true_or_refused(self.damaged(f"cut {size}", data[:size]))

    def test_bits_that_flip(self) -> None:
        data = self.store.data
        used = [place for place in range(2 * PAGE, len(data)) if data[place]]
        for turn in range(8):
            place = self.dice.choice(used)
            with self.subTest(place=place):
                flipped = bytearray(data)
                flipped[place] ^= 1 << self.dice.randrange(8)
                self.assert_true_or_refused(self.damaged(f"flip {turn}", bytes(flipped)))

    def test_pages_zeroed_and_swapped(self) -> None:
        data = self.store.data
        pages = [data[start: start + PAGE] for start in range(0, len(data), PAGE)]
        for turn in range(6):
            a, b = self.dice.sample(range(2, len(pages)), 2)
            changed = list(pages)
            if turn % 2:
                changed[a], changed[b] = changed[b], changed[a]
            else:
                changed[a] = bytes(PAGE)
            with self.subTest(pages=(a, b), swapped=bool(turn % 2)):
                self.assert_true_or_refused(self.damaged(f"pages {turn}", b"".join(changed)))

    def test_a_lock_file_of_garbage(self) -> None:
        store = self.store.copy(self.directory / "lock")
        (store.path / "lock.mdb").write_bytes(b"hello" * 100)
        self.assert_true_or_refused(store)

    def test_data_missing(self) -> None:
        store = self.store.copy(self.directory / "missing")
        (store.path / "data.mdb").unlink()
        for command in (*READS, "verify"):
            tidemark(command, store.path, "--json", statuses=[BAD_STORE])
        self.assertFalse((store.path / "data.mdb").exists(), "a read made a new store")

    def test_a_store_of_a_newer_format(self) -> None:
        store = Store.create(self.directory / "newer", SOCIAL, "a" * 16)
        store.apply(operation("create", "Note", "n", {"title": "x"}), statuses=[DONE])
        # The header's magic and format, as Documentation/FileFormat.md gives them.
        newer = store.data.replace(b"TIDE\x02\x00", b"TIDE\x03\x00")
        self.assertNotEqual(newer, store.data)
        (store.path / "data.mdb").write_bytes(newer)
        for command in (*READS, "verify", "replay"):
            outcome = tidemark(command, store.path, "--json", statuses=[BAD_STORE])
            self.assertIn("later version", outcome.message)
        self.assertEqual(store.data, newer)


class UnderfootTest(CommandTest):
    """A process has the store open while somebody takes its files away."""

    def setUp(self) -> None:
        super().setUp()
        self.store = Store.create(self.directory / "store", SOCIAL, "a" * 16, "authority")
        self.stream = Stream(self.store)
        self.addCleanup(self.stream.kill)
        self.assertIsNotNone(self.write("before"))

    def write(self, id: str) -> dict[str, object] | None:
        return self.stream.submit(operation("create", "Note", id, {"title": "x"}))

    def assert_no_write_into_the_void(self) -> None:
        answered = self.write("after")
        status = self.stream.finish()
        self.assertIn(status, DOCUMENTED)
        if answered is None:
            self.assertEqual(status, BAD_STORE)
            return
        ids = [line["id"] for line in self.store.log()]
        self.assertEqual(ids, ["before", "after"], "acknowledged, and not in the store")

    def test_its_data_is_removed(self) -> None:
        kept = self.directory / "kept"
        os.link(self.store.path / "data.mdb", kept)
        (self.store.path / "data.mdb").unlink()
        answered = self.write("after")
        self.assertIsNone(answered, "a write into the void was acknowledged")
        self.assertEqual(self.stream.finish(), BAD_STORE)

    def test_its_data_is_replaced(self) -> None:
        copy = self.directory / "copy"
        copy.write_bytes(self.store.data)
        copy.replace(self.store.path / "data.mdb")
        self.assert_no_write_into_the_void()

    def test_its_lock_is_removed(self) -> None:
        (self.store.path / "lock.mdb").unlink()
        self.assert_no_write_into_the_void()
