"""What is asked of a store after a crash.

The **reference** is the log that the store came to when nothing went wrong any more. What a crash
leaves is a prefix of it:

    reference   e1 e2 e3 │ e4 e5 │ e6 │ e7 …
                         └ lower ┘    └ upper
    lower       what was acknowledged, and all before it
    upper       the same with the group that was in flight

and no transaction is there in half. Under relaxed durability the lower bound of a power cut is what a
full commit acknowledged; the upper one stays.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import command
import invariants
from command import BAD_INPUT, BAD_STORE, DONE, SAYS_NO, Json, Store
from session import Recording, Workspace
from workload import CLOUD, PHONE, REPLICAS, SCHEMA, Step

CONTENT = ("dot", "kind", "model", "id", "fields", "context", "actor")
"""What an entry is. Its status may change, and its stamp differs where it was written again."""

FAULT_MARKS = ("fault in tidemark", "file is damaged and cannot be read further")
"""What the command says when it was ended by a signal."""


Statuses = dict[str, set[str]]
"""By dot and kind of an entry, those that it has had."""

MODEL_LINES_MAX = 2_000
"""Longer logs are not given to the naive model, which takes its time."""


class Failure(Exception):
    """A store does not keep a promise. `kind` is one word that says which."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


@dataclass
class Bounds:
    """What a store may hold."""

    reference: list[Json] = field(default_factory=list)
    lower: int = 0
    upper: int = 0
    acknowledged: int = 0
    """The lower bound under full durability."""
    is_there: bool = False
    """That it was made has been acknowledged."""
    statuses: Statuses = field(default_factory=dict)


@dataclass
class Expectation:
    """What both stores may hold, and the backup."""

    stores: dict[str, Bounds]
    has_backup: bool = False


def expectations(recording: Recording, is_cut: bool) -> list[dict[str, Bounds]]:
    """The bounds before each step, and after the last. `is_cut`: of a power cut, not of a kill."""
    bounds = {CLOUD: Bounds(), PHONE: Bounds()}
    found = [bounds]
    for index in range(len(recording.steps)):
        bounds = {
            store: after(bounds[store], store, recording, index, is_cut) for store in bounds}
        found.append(bounds)
    return found


def after(before: Bounds, store: str, recording: Recording, index: int, is_cut: bool) -> Bounds:
    """The bounds of a store once a step has ended."""
    taken = recording.steps[index]
    if store not in taken.step.writes:
        return before
    if taken.step.fault:
        return during(before, store, recording, index, len(taken.ran.answers), is_cut)
    log = taken.after[store]
    has_written = len(log) > count_before(recording, index, store)
    is_kept = not is_cut or (has_written and not taken.step.is_relaxed)
    lower = len(log) if is_kept else before.lower
    return Bounds(log, lower, len(log), len(log), True, joined(before.statuses, log, taken.step))


def during(
    before: Bounds, store: str, recording: Recording, index: int, answers: int, is_cut: bool,
    statuses: Statuses | None = None,
) -> Bounds:
    """The bounds while a step runs, or after it failed, so many of whose lines were answered.

    `statuses` are those of after the step, where they are known.
    """
    taken = recording.steps[index]
    if store not in taken.step.writes:
        return before
    # What a failed step left undone, the next one did: both have one reference.
    log = recording.steps[index + 1 if taken.step.fault else index].after[store]
    statuses = statuses or joined(before.statuses, log, taken.step)
    if taken.step.kind != "apply" or store != taken.step.store:
        return Bounds(log, before.lower, len(log), before.acknowledged, before.is_there, statuses)
    places = {line["dot"]: place for place, line in enumerate(log) if line["kind"] != "tombstone"}
    answered = [places[a["dot"]] + 1 for a in taken.ran.answers[:answers] if "dot" in a]
    acknowledged = max([before.acknowledged, *answered])
    lower = acknowledged if answered and not (taken.step.is_relaxed and is_cut) else before.lower
    given = in_flight(taken.step, answers, log, count_before(recording, index, store))
    return Bounds(log, lower, max(before.upper, acknowledged, given), acknowledged, before.is_there,
                  statuses)


def count_before(recording: Recording, index: int, store: str) -> int:
    return len(recording.steps[index - 1].after[store]) if index else 0


def in_flight(step: Step, answers: int, log: list[Json], first: int) -> int:
    """The place behind the events of all groups that had gone in; `first` is where the step's begin."""
    given = 0
    for group in step.groups:
        given += len(group)
        if given > answers:
            break
    own = REPLICAS[step.store] + ":"
    events = [place for place in range(first, len(log))
              if log[place]["kind"] != "tombstone" and log[place]["dot"].startswith(own)]
    count = 0
    for line in step.lines[:given]:
        if count < len(events) and same_record(log[events[count]], line):
            count += 1
    return events[count - 1] + 1 if count else 0


def same_record(event: Json, line: Json) -> bool:
    return (event["kind"], event["id"]) == (line["op"], line["id"])


def joined(statuses: Statuses, log: list[Json], step: Step) -> Statuses:
    """With those of the log after a step; what was decided during it was pending before."""
    found = {key: set(values) for key, values in statuses.items()}
    for line in log:
        allowed = found.setdefault(line["dot"] + line["kind"], set())
        allowed.add(line["status"])
        if step.between:
            allowed.add("pending")
    return found


# ---- One store -----------------------------------------------------------------------------------


def run(*arguments: str | Path, stdin: bytes = b"") -> command.Outcome:
    """A run that ends by itself, with a documented status, and by no signal."""
    try:
        outcome = command.tidemark(*arguments, stdin=stdin)
    except subprocess.TimeoutExpired:
        raise Failure("hang", f"tidemark {' '.join(map(str, arguments))}") from None
    except AssertionError as error:
        raise Failure("crash", str(error)) from None
    check_message(outcome.message)
    return outcome


def check_message(message: str) -> None:
    for mark in FAULT_MARKS:
        if mark in message:
            raise Failure("crash", message)


def held(path: Path, bounds: Bounds) -> list[Json]:
    """The log of a store, held against its bounds."""
    outcome = run("log", path, "--json")
    if outcome.status != DONE:
        raise Failure("unopenable", str(outcome))
    log = outcome.lines
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
        raise Failure("lost", f"{name}: {bounds.lower} entries were acknowledged, {len(log)} are there")
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
    """A second opinion: the log keeps its invariants, and the view is what a naive model makes of it."""
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
    outcome = command.tidemark(*Step("init", path.name).arguments, cwd=path.parent)
    check_message(outcome.message)
    if outcome.status != DONE:
        raise Failure("refuses", f"after an interrupted init: {outcome}")


def check_store(path: Path, bounds: Bounds, dice: random.Random) -> int:
    """Everything asked of one store, in one of several orders.

    Returns how many acknowledged entries are not there, which relaxed durability allows.
    """
    if not bounds.is_there:
        make_again(path)
    order = dice.choice(("verify log apply verify", "log apply verify", "log apply verify",
                         "replay apply verify log", "log view apply verify"))
    log: list[Json] = []
    is_written = False
    for word in order.split():
        match word:
            case "log":
                log = held_without(path, bounds) if is_written else held(path, bounds)
            case "view":
                if len(log) <= MODEL_LINES_MAX:
                    check_model(path, log)
            case "apply":
                check_writes(path, f"after-{dice.randrange(1 << 32)}")
                is_written = True
            case _:
                check_sound(word, path)
    return max(bounds.acknowledged - len(log), 0)


def held_without(path: Path, bounds: Bounds) -> list[Json]:
    """The same after one further write, which stands at the end."""
    outcome = run("log", path, "--json")
    if outcome.status != DONE:
        raise Failure("unopenable", str(outcome))
    log = [line for line in outcome.lines if not line.get("id", "").startswith("after-")]
    compare(path.name, log, bounds)
    return log


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
    outcome = run("log", path, "--json")
    whole = expected.stores[CLOUD].reference
    compare("backup", outcome.lines, Bounds(
        whole, 0, len(whole), 0, True, expected.stores[CLOUD].statuses))


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
