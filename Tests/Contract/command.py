"""The `tidemark` command as the tests see it: a binary, its exit status, its output.

Every call, in every test, is held to what the contract says of all commands:
- it ends on its own, by an exit status that is documented, never by a signal;
- under `--json` standard output holds JSON objects, one a line, and nothing else;
- standard error shows no stack trace.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Sequence

from schemas import Schema

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = float(os.environ.get("TIMEOUT", "60"))

DONE, SAYS_NO, BAD_INPUT, BAD_STORE = 0, 1, 2, 3
DOCUMENTED = {DONE, SAYS_NO, BAD_INPUT, BAD_STORE}

TRACE_MARKS = (
    "Fatal error",
    "Stack dump",
    "Program crashed",
    "Crash:",
    "Traceback",
    "Assertion failed",
    "mdb.c:",
    ".swift:",
)


def binary() -> Path | None:
    """The command under test, or `None` where it has not been built."""
    named = os.environ.get("TIDEMARK")
    candidates = [Path(named)] if named else [
        ROOT / ".build/debug/tidemark",
        ROOT / ".build/release/tidemark",
    ]
    return next((path.resolve() for path in candidates if path.is_file()), None)


def environment(**changes: str) -> dict[str, str]:
    """What the command runs under. Swift's own crash reporter may hang on a pipe, so it is off."""
    return {**os.environ, "SWIFT_BACKTRACE": "enable=no", **changes}


@dataclass(frozen=True)
class Outcome:
    """How one run of the command ended."""

    arguments: tuple[str, ...]
    status: int
    out: bytes
    err: bytes

    @property
    def lines(self) -> list[Json]:
        return parse_lines(self.out)

    @property
    def message(self) -> str:
        return self.err.decode("utf-8", "replace")

    def __str__(self) -> str:
        shown = [a if len(a) < 200 else a[:200] + "…" for a in self.arguments]
        return f"tidemark {' '.join(shown)}: exit {self.status}\n" \
            f"stdout: {self.out[:1500].decode('utf-8', 'replace')}\nstderr: {self.message[:1500]}"


def parse_lines(out: bytes) -> list[Json]:
    """JSON objects, one a line; an `AssertionError` for anything else."""
    if not out:
        return []
    assert out.endswith(b"\n"), f"the last line is cut off: {out[-200:]!r}"
    return [parse_object(line) for line in out[:-1].split(b"\n")]


def parse_object(line: bytes) -> Json:
    def unique(pairs: list[tuple[str, Any]]) -> Json:
        assert len(dict(pairs)) == len(pairs), f"a key stands twice: {line[:200]!r}"
        return dict(pairs)

    def constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON: {line[:200]!r}")

    try:
        value = json.loads(line.decode("utf-8"), object_pairs_hook=unique, parse_constant=constant)
    except ValueError as error:
        raise AssertionError(f"not a line of JSON ({error}): {line[:200]!r}") from None
    assert isinstance(value, dict), f"not a JSON object: {line[:200]!r}"
    return value


def check_ending(outcome: Outcome) -> None:
    """What holds for every run, whatever it was asked."""
    assert outcome.status >= 0, f"ended by signal {-outcome.status}\n{outcome}"
    assert outcome.status in DOCUMENTED, f"an exit status that is not documented\n{outcome}"
    for mark in TRACE_MARKS:
        assert mark not in outcome.message, f"a stack trace ({mark!r})\n{outcome}"
    if outcome.status in (BAD_INPUT, BAD_STORE):
        assert len(outcome.message.split()) >= 4, f"an error without a sentence\n{outcome}"
    if "--json" in outcome.arguments:
        parse_lines(outcome.out)


def tidemark(
    *arguments: str | Path,
    stdin: bytes = b"",
    statuses: Iterable[int] | None = None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> Outcome:
    """Runs the command to its end and checks how it ended."""
    path = binary()
    assert path is not None, "no binary"
    words = [os.fspath(argument) for argument in arguments]
    run = subprocess.run(
        [path, *words], input=stdin, capture_output=True, timeout=TIMEOUT_SECONDS,
        env=env or environment(), cwd=cwd)
    outcome = Outcome(tuple(words), run.returncode, run.stdout, run.stderr)
    check_ending(outcome)
    if statuses is not None:
        assert outcome.status in set(statuses), f"expected exit {sorted(set(statuses))}\n{outcome}"
    return outcome


def encode(operations: Sequence[Json]) -> bytes:
    return b"".join(json.dumps(o, ensure_ascii=False).encode() + b"\n" for o in operations)


@dataclass(frozen=True)
class Store:
    """One store's directory, with the schema it was made from."""

    path: Path
    schema: Schema
    replica: str
    role: str = "device"
    accept: str = "enforce"

    @staticmethod
    def create(
        path: Path, schema: Schema, replica: str, role: str = "device", accept: str = "enforce"
    ) -> Store:
        source = path.with_name(path.name + ".graphql")
        source.write_text(schema.sdl, encoding="utf-8")
        tidemark("init", path, "--schema", source, "--role", role, "--replica", replica,
                 "--accept", accept, statuses=[DONE])
        return Store(path, schema, replica, role, accept)

    @property
    def data(self) -> bytes:
        """The bytes of the store's LMDB file."""
        return (self.path / "data.mdb").read_bytes()

    def settled_data(self) -> bytes:
        """The same after a read, with which a command may bring up what an earlier one left."""
        self.log()
        return self.data

    def apply(self, *operations: Json, statuses: Iterable[int] = (DONE, SAYS_NO)) -> list[Json]:
        """Submits operations; returns the answers, one a line."""
        outcome = tidemark("apply", self.path, "-", "--json", stdin=encode(operations),
                           statuses=statuses)
        answers = outcome.lines
        numbers = [answer["line"] for answer in answers]
        assert numbers == list(range(1, len(operations) + 1)), f"one answer a line\n{outcome}"
        refused = any(answer["decision"] == "rejected" for answer in answers)
        assert outcome.status == (SAYS_NO if refused else DONE), f"exit 1 iff rejected\n{outcome}"
        return answers

    def view(self) -> list[Json]:
        return tidemark("view", self.path, "--json", statuses=[DONE]).lines

    def log(self) -> list[Json]:
        return tidemark("log", self.path, "--json", statuses=[DONE]).lines

    def rejected_dots(self) -> set[str]:
        """The dots that `rejections` tells their author of."""
        lines = tidemark("rejections", self.path, "--json", statuses=[DONE, SAYS_NO]).lines
        return {line["dot"] for line in lines}

    def digest(self) -> Json:
        lines = tidemark("digest", self.path, "--json", statuses=[DONE]).lines
        assert len(lines) == 1 and {"view", "live", "void"} <= lines[0].keys(), lines
        return {key: lines[0][key] for key in ("view", "live", "void")}

    def check(self) -> None:
        """`verify` and `replay` find nothing wrong."""
        tidemark("verify", self.path, "--json", statuses=[DONE])
        tidemark("replay", self.path, "--json", statuses=[DONE])

    def merge_into(self, other: Store) -> Outcome:
        return tidemark("merge", self.path, other.path, "--json", statuses=[DONE, SAYS_NO])

    def sync(self, other: Store) -> Outcome:
        return tidemark("sync", self.path, other.path, "--json", statuses=[DONE, SAYS_NO])

    def record(self, model: str, id: str) -> Json | None:
        """One record of the view, or `None` where it does not exist."""
        found = [r for r in self.view() if (r["model"], r["id"]) == (model, id)]
        assert len(found) <= 1, found
        return found[0] if found else None

    def copy(self, path: Path) -> Store:
        shutil.copytree(self.path, path)
        return Store(path, self.schema, self.replica, self.role, self.accept)


class CommandTest(unittest.TestCase):
    """A test that runs the command, in a directory of its own; skipped where there is no binary."""

    directory: Path

    @classmethod
    def setUpClass(cls) -> None:
        if binary() is None:
            raise unittest.SkipTest("no binary: build the command, or name it in TIDEMARK")

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="tidemark-contract-")
        self.addCleanup(folder.cleanup)
        self.directory = Path(folder.name)


def operation(
    kind: str, model: str, id: str, fields: Json | None = None, actor: Json | None = None,
    at: str | None = None, tx: str | None = None,
) -> Json:
    """One line for `apply`; what is `None` is left out."""
    line: Json = {"op": kind, "model": model, "id": id, "fields": fields, "actor": actor,
                  "at": at, "tx": tx}
    return {key: value for key, value in line.items() if value is not None}


def user(sub: str, *groups: str, provider: str = "userPools") -> Json:
    actor: Json = {"sub": sub, "provider": provider}
    if groups:
        actor["groups"] = list(groups)
    return actor
