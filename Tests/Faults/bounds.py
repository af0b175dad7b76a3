"""What a store may hold after a crash.

The **reference** is the log that the store came to when nothing went wrong any more. What a crash
leaves is a prefix of it:

    reference   e1 e2 e3 │ e4 e5 │ e6 │ e7 …
                         └ lower ┘    └ upper
    lower       what was acknowledged, and all before it
    upper       the same with the group that was in flight

and no transaction is there in half. Under relaxed durability the lower bound of a power cut is
what a full commit acknowledged; the upper one stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from command import Json
from session import Recording
from workload import CLOUD, PHONE, REPLICAS, Step

Statuses = dict[str, set[str]]
"""By dot and kind of an entry, those that it has had."""


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
    """The place behind the events of all groups that had gone in.

    Those of the step begin at `first`.
    """
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
    place = events[count - 1] + 1 if count else 0
    if step.between:
        # What another process brought meanwhile stands behind what it found.
        while place < len(log) and place not in events:
            place += 1
    return place


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
