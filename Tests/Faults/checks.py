"""What is asked of a store after a crash."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import command
import invariants
from bounds import Bounds, Expectation
from command import BAD_INPUT, BAD_STORE, DONE, SAYS_NO, Json, Outcome, Store
from session import finish
from workload import CLOUD, PHONE, REPLICAS, SCHEMA, Step
from workspace import Workspace

CONTENT = ("dot", "kind", "model", "id", "fields", "context", "actor")
"""What an entry is. Its status may change, and its stamp differs where it was written again."""

FAULT_MARKS = ("fault in tidemark", "file is damaged and cannot be read further")
"""What the command says when it was ended by a signal."""

AFTER = "after-"
"""How the ids of records begin that a check creates."""

MODEL_LINES_MAX = 2_000
"""Longer logs are not given to the naive model, which takes its time."""


class Failure(Exception):
    """A store does not keep a promise. `kind` is one word that says which."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


# ---- One store -----------------------------------------------------------------------------------


def run(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Outcome:
    """A run that ends by itself, with a documented status, and by no signal."""
    try:
        outcome = finish(*arguments, stdin=stdin, cwd=cwd)
        command.check_ending(outcome)
    except TimeoutError as error:
        raise Failure("hang", str(error)) from None
    except AssertionError as error:
        raise Failure("crash", str(error)) from None
    check_message(outcome.message)
    return outcome


def check_message(message: str) -> None:
    for mark in FAULT_MARKS:
        if mark in message:
            raise Failure("crash", message)


def held(path: Path, bounds: Bounds) -> list[Json]:
    """The log of a store, without what a check wrote, held against its bounds."""
    outcome = run("log", path, "--json")
    if outcome.status != DONE:
        raise Failure("unopenable", str(outcome))
    log = [line for line in outcome.lines if not line.get("id", "").startswith(AFTER)]
    compare(path.name, log, bounds)
    return log


def compare(name: str, log: list[Json], bounds: Bounds) -> None:
    for place, (line, wanted) in enumerate(zip(log, bounds.reference)):
        for key in CONTENT:
            if line.get(key) != wanted.get(key):
                raise Failure(
                    "middle", f"{name}: {key} of entry {place} is {line.get(key)!r:.300}, and was "
                    f"{wanted.get(key)!r:.300}")
        if line["status"] not in bounds.statuses[line["dot"] + line["kind"]]:
            raise Failure("status", f"{name}: {line['dot']} is {line['status']}")
    if len(log) < bounds.lower:
        raise Failure(
            "lost", f"{name}: {bounds.lower} entries were acknowledged, {len(log)} are there")
    if len(log) > bounds.upper:
        raise Failure(
            "beyond", f"{name}: at most {bounds.upper} entries had come, {len(log)} are there")
    if 0 < len(log) < len(bounds.reference):
        last, following = log[-1], bounds.reference[len(log)]
        if is_one_transaction(last, following):
            raise Failure("half", f"{name}: {last['dot']} is there, {following['dot']} is not")


def is_one_transaction(a: Json, b: Json) -> bool:
    same_author = a["dot"].split(":")[0] == b["dot"].split(":")[0]
    return same_author and a["kind"] == b["kind"] != "tombstone" and a.get("tx") == b.get("tx")


def check_sound(name: str, path: Path) -> None:
    outcome = run(name, path, "--json")
    if outcome.status == SAYS_NO:
        raise Failure("unsound", str(outcome))
    if outcome.status != DONE:
        raise Failure("unopenable", str(outcome))


def check_writes(path: Path, id: str) -> None:
    """The store takes a further write, and answers it."""
    line = command.operation("create", "Note", id, {"title": "after"})
    outcome = run("apply", path, "-", "--json", stdin=command.encode([line]))
    if outcome.status != DONE or "dot" not in outcome.lines[0]:
        raise Failure("refuses", str(outcome))


def check_model(path: Path, log: list[Json]) -> None:
    """A second opinion: the log keeps its invariants, and a naive model comes to the same view."""
    role, accept = ("authority", "enforce") if path.name == CLOUD else ("device", "optimistic")
    store = Store(path, SCHEMA, REPLICAS[path.name], role, accept)
    try:
        invariants.assert_log(log, store)
        invariants.assert_view(run("view", path, "--json").lines, log, store)
    except AssertionError as error:
        raise Failure("model", str(error)) from None


def make_again(path: Path) -> None:
    """`init` was cut off: what is there opens as a store, or `init` makes one of it."""
    if path.exists() and run("verify", path, "--json").status == DONE:
        return
    outcome = run(*Step("init", path.name).arguments, cwd=path.parent)
    if outcome.status != DONE:
        raise Failure("refuses", f"after an interrupted init: {outcome}")


ORDERS = (
    "verify log apply verify",
    "log apply verify",
    "log apply verify",
    "replay apply verify log",
    "log view apply verify",
)
"""What a store is asked first decides what brings it up again."""


def check_store(path: Path, bounds: Bounds, dice: random.Random) -> int:
    """Everything asked of one store.

    Returns how many acknowledged entries are not there, which relaxed durability allows.
    """
    if not bounds.is_there:
        make_again(path)
    log: list[Json] = []
    for word in dice.choice(ORDERS).split():
        match word:
            case "log":
                log = held(path, bounds)
            case "view":
                if len(log) <= MODEL_LINES_MAX:
                    check_model(path, log)
            case "apply":
                check_writes(path, f"{AFTER}{dice.randrange(1 << 32)}")
            case _:
                check_sound(word, path)
    return max(bounds.acknowledged - len(log), 0)


# ---- Both ----------------------------------------------------------------------------------------


def check_state(workspace: Workspace, expected: Expectation, dice: random.Random,
                forks_allowed: bool) -> int:
    """Everything asked of what a crash left; returns how much of the acknowledged is gone."""
    root = workspace.root
    lost = 0
    stores = [name for name, bounds in expected.stores.items()
              if bounds.is_there or (root / name).exists()]
    for name in stores:
        lost = max(lost, check_store(root / name, expected.stores[name], dice))
    check_backup(root / "backup", expected)
    if len(stores) == 2 and dice.random() < 0.4:
        check_exchange(root, forks_allowed)
    return lost


def check_backup(path: Path, expected: Expectation) -> None:
    """A backup is whole or absent."""
    is_there = (path / "data.mdb").exists()
    if expected.has_backup and not is_there:
        raise Failure("lost", "the backup is not there, and was acknowledged")
    if not is_there:
        return
    check_sound("verify", path)
    source = expected.stores[CLOUD]
    held(path, replace(source, lower=0, upper=len(source.reference)))


def check_exchange(root: Path, forks_allowed: bool) -> None:
    """After a sync both have the same; only a store that lost a tail may have forked."""
    outcome = run("sync", root / PHONE, root / CLOUD, "--json")
    if outcome.status not in (DONE, SAYS_NO):
        raise Failure("exchange", str(outcome))
    forks = [fork for line in outcome.lines for side in ("up", "down")
             for fork in line[side]["forks"]]
    if forks and not forks_allowed:
        raise Failure("fork", f"nothing was lost, and the stores have forked: {forks}")
    if forks:
        # A fork is healed in one exchange, and what it issued again goes out with the next.
        run("sync", root / PHONE, root / CLOUD, "--json")
    difference = run("diff", root / PHONE, root / CLOUD, "--json")
    if difference.status != DONE:
        raise Failure("exchange", f"they differ after a sync: {difference}")
    for name in (PHONE, CLOUD):
        check_sound("verify", root / name)


def check_ending(status: int, message: str, is_hung: bool) -> None:
    """A command that met a fault says so and ends, or it succeeded all the same."""
    if is_hung:
        raise Failure("hang", message)
    check_message(message)
    if status not in (DONE, SAYS_NO, BAD_INPUT, BAD_STORE):
        raise Failure("crash", f"exit {status}: {message}")
    if status in (BAD_INPUT, BAD_STORE) and len(message.split()) < 4:
        raise Failure("message", f"exit {status}: {message!r}")
    for mark in command.TRACE_MARKS:
        if mark in message:
            raise Failure("crash", message)
