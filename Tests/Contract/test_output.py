"""Flags, standard output in trouble, surroundings, and two commands at once."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from command import (
    BAD_INPUT, BAD_STORE, DONE, SAYS_NO, TIMEOUT_SECONDS, TRACE_MARKS, CommandTest, Store, binary,
    encode, environment, operation, tidemark)
from invariants import assert_sound
from schemas import SOCIAL

SIGPIPE_STATUSES = (0, 1, 3, 141)


def notes(prefix: str, count: int) -> list[dict[str, object]]:
    return [operation("create", "Note", f"{prefix} {n}", {"title": "x" * 200})
            for n in range(count)]


class OutputTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.store = Store.create(self.directory / "store", SOCIAL, "a" * 16, "authority")

    def shell(self, script: str, *arguments: str | Path, stdin: bytes = b"") -> tuple[int, bytes]:
        """Runs a script of bash in which `$0` is the command; its status and its errors."""
        run = subprocess.run(["bash", "-c", script, str(binary()), *map(str, arguments)],
                             input=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             timeout=TIMEOUT_SECONDS, env=environment())
        message = run.stderr.decode("utf-8", "replace")
        self.assertFalse([m for m in TRACE_MARKS if m in message], message)
        return run.returncode, run.stderr

    def test_a_full_device_for_output(self) -> None:
        self.store.apply(*notes("n", 50), statuses=[DONE])
        for command in ("view", "log", "digest", "stats"):
            for json in ("", "--json"):
                with self.subTest(command=command, json=json):
                    status, error = self.shell(f'"$0" {command} "$1" {json} > /dev/full',
                                               self.store.path)
                    self.assertIn(status, (1, 2, 3), "lost output, and all is well")
                    self.assertTrue(error, "not a word of it")
        self.check_apply("> /dev/full")

    def test_a_closed_output(self) -> None:
        self.store.apply(*notes("n", 50), statuses=[DONE])
        for command in ("view", "log"):
            with self.subTest(command=command):
                status, _ = self.shell(f'"$0" {command} "$1" --json >&-', self.store.path)
                self.assertIn(status, (1, 2, 3), "lost output, and all is well")
        self.check_apply(">&-")

    def check_apply(self, redirection: str) -> None:
        """A write whose answers cannot be told: a failure, and the store is whole."""
        before = self.store.log()
        status, _ = self.shell(f'"$0" apply "$1" - --json {redirection}', self.store.path,
                               stdin=encode(notes(redirection, 3)))
        self.assertIn(status, (1, 2, 3), "lost answers, and all is well")
        self.assertEqual(assert_sound(self.store)[: len(before)], before)
        self.store.check()

    def test_a_reader_that_leaves_early(self) -> None:
        self.store.apply(*notes("n", 2000), statuses=[DONE])
        before = self.store.log()
        for command in ("view", "log"):
            for json in ("", "--json"):
                with self.subTest(command=command, json=json):
                    status, error = self.shell(
                        f'"$0" {command} "$1" {json} | head -1; exit ${{PIPESTATUS[0]}}',
                        self.store.path)
                    self.assertIn(status, SIGPIPE_STATUSES)
                    self.assertEqual(error, b"", "not quiet")
        self.assertEqual(self.store.log(), before)
        status, _ = self.shell('"$0" apply "$1" - --json | head -1; exit ${PIPESTATUS[0]}',
                               self.store.path, stdin=encode(notes("m", 2000)))
        self.assertIn(status, SIGPIPE_STATUSES)
        lines = assert_sound(self.store)
        self.assertGreater(len(lines), len(before), "what was answered has gone")
        self.store.check()

    def test_bad_usage(self) -> None:
        path, schema = str(self.store.path), str(self.directory / "store.graphql")
        new = str(self.directory / "new")
        before = self.store.data
        for arguments in (
            ("frobnicate",), ("--frobnicate",), ("log",), ("log", path, "--frobnicate"),
            ("log", path, "--json", "--json", "--since"), ("view", path, "--limit"),
            ("view", path, "--limit", "many"), ("view", path, "--limit", "-1"),
            ("view", path, "--limit", "9223372036854775808"), ("view", path, "Nope"),
            ("view", path, "--at", "whenever"), ("log", path, "--since", "soon"),
            ("log", path, "extra"), ("explain", path), ("explain", path, "nonsense"),
            ("explain", path, "a" * 16 + ":-1"),
            ("explain", path, "a" * 16 + ":18446744073709551616"),
            ("history", path, "Nope", "n"), ("apply", path), ("apply", path, "-", "--frobnicate"),
            ("merge", path), ("sync", path), ("init", new), ("init", new, "--schema"),
            ("init", new, "--schema", schema, "--role", "king"),
            ("init", new, "--schema", schema, "--accept", "maybe"),
            ("init", new, "--schema", schema, "--replica", "xyz"),
            ("init", new, "--schema", schema, "--replica", "A" * 16),
            ("init", new, "--schema", schema, "--replica", "1" * 17),
            ("init", new, "--schema", schema, "--replica", ""),
            ("log", path, "--replica", "xyz"),
        ):
            with self.subTest(" ".join(a.replace(path, "DIR") for a in arguments)):
                outcome = tidemark(*arguments, statuses=[BAD_INPUT])
                self.assertEqual(outcome.out, b"", "errors go to standard error")
        self.assertFalse((self.directory / "new").exists())
        self.assertEqual(self.store.data, before)

    def test_an_empty_path(self) -> None:
        tidemark("view", "", "--json", statuses=[BAD_INPUT, BAD_STORE])

    def test_a_dot_that_is_not_there(self) -> None:
        outcome = tidemark("explain", self.store.path, "b" * 16 + ":7", "--json",
                           statuses=[SAYS_NO, BAD_INPUT])
        self.assertTrue(outcome.err)

    def test_help_is_output(self) -> None:
        for arguments in (("--help",), ("log", "--help")):
            self.assertTrue(tidemark(*arguments, statuses=[DONE]).out)

    def test_for_people_it_prints_as_well(self) -> None:
        self.store.apply(*notes("n", 3), statuses=[DONE])
        for command in ("view", "log", "digest", "verify", "replay", "stats"):
            with self.subTest(command):
                outcome = tidemark(command, self.store.path, statuses=[DONE])
                self.assertTrue(outcome.out)
                self.assertNotIn(b"\x1b[", outcome.out, "colour, and no terminal")

    def test_surroundings_change_nothing(self) -> None:
        self.store.apply(*notes("Größe", 3), statuses=[DONE])
        for command in ("view", "log", "digest"):
            usual = tidemark(command, self.store.path, "--json").out
            for name, changes in (
                ("C", {"LC_ALL": "C"}), ("Turkish", {"LC_ALL": "tr_TR.UTF-8"}),
                ("a far zone", {"TZ": "Pacific/Kiritimati"}), ("no home", {"HOME": "/nowhere"}),
            ):
                with self.subTest(command=command, name=name):
                    env = environment(**changes)
                    self.assertEqual(
                        tidemark(command, self.store.path, "--json", env=env).out, usual)

    def test_files_are_their_owners_whatever_the_umask(self) -> None:
        schema = self.directory / "store.graphql"
        self.shell('umask 000; "$0" init "$1" --schema "$2"', self.directory / "open", schema)
        for path in (self.directory / "open").rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o077, 0, f"{path.name} is open to others")

    def test_two_commands_at_once(self) -> None:
        failed: list[BaseException] = []

        def write(prefix: str) -> None:
            try:
                for note in notes(prefix, 15):
                    self.store.apply(note, statuses=[DONE])
            except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
                failed.append(error)

        writers = [threading.Thread(target=write, args=(name,)) for name in ("left", "right")]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        if failed:
            raise failed[0]
        self.assertEqual(len(assert_sound(self.store)), 30)
        self.store.check()
