"""What must hold of a log, seen from its lines alone.

    seqs        per replica 1, 2, 3 … in the order of the log, by events and tombstones together
    causality   an event's context is at or below the vector of the log before it
    dots        an event's dot stands once, a tombstone's dot stands once
    stamps      greater than every one that the replica had given, or had seen in an event that is
                not void; effective stamps keep that order; none accepted lies past the drift limit
    atomicity   a transaction is wholly void or not at all, and has one status
    privacy     a rejected payload stands only in its author's log and in the authority's; what is
                pending, only in its author's
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import defaultdict
from typing import Any, Iterator

import model
from command import Store
from model import Json, effective_stamp, split_dot

DRIFT_MILLISECONDS = 120_000
"""How far past the authority's clock a stamp may lie without being clamped, by default."""

CONTENT = ("kind", "model", "id", "fields", "context", "actor")


def problems(lines: list[Json], replica: str, role: str) -> list[str]:
    """Everything wrong with the log of the store that writes as `replica`."""
    return [
        *order_problems(lines), *stamp_problems(lines), *transaction_problems(lines),
        *status_problems(lines, replica, role)]


def order_problems(lines: list[Json]) -> Iterator[str]:
    vector: dict[str, int] = defaultdict(int)
    seen: set[tuple[bool, str]] = set()
    last_lsn = -1
    for line in lines:
        replica, seq = split_dot(line["dot"])
        voids = line["kind"] == "tombstone"
        if line["lsn"] <= last_lsn:
            yield f"lsn {line['lsn']} after {last_lsn}"
        last_lsn = line["lsn"]
        if (voids, line["dot"]) in seen:
            yield f"{line['kind']} {line['dot']} stands twice"
        seen.add((voids, line["dot"]))
        if not voids:
            ahead = {r: s for r, s in line["context"].items() if s > vector[r]}
            if ahead:
                yield f"{line['dot']} has seen {ahead}, the log has only {dict(vector)}"
            if line["context"].get(replica, 0) != seq - 1:
                yield f"{line['dot']} has not seen its own replica's events: {line['context']}"
        repeats = voids and seq <= vector[replica]
        if not repeats and seq != vector[replica] + 1:
            yield f"{line['kind']} {line['dot']} comes after {replica}:{vector[replica]}"
        vector[replica] = max(vector[replica], seq)


def events_of(lines: list[Json]) -> list[Json]:
    """Those whose content is there."""
    return [line for line in lines if line["kind"] not in ("tombstone", "withheld")]


def stamp_problems(lines: list[Json]) -> Iterator[str]:
    void = model.void_dots(lines)
    drift_limit = int(time.time() * 1000) + DRIFT_MILLISECONDS
    given = Latest({line["dot"]: raw_stamp(line) for line in events_of(lines)})
    stamps = Latest({line["dot"]: effective_stamp(line) for line in events_of(lines)
                     if line["dot"] not in void})
    ranks = Latest({line["dot"]: model.event(line).rank for line in events_of(lines)
                    if line["dot"] not in void})
    for line in events_of(lines):
        own, (author, number) = raw_stamp(line), split_dot(line["dot"])
        if given.until(author, number - 1) >= own:
            yield f"{line['dot']} is stamped no later than the event before it"
        for replica, seq in line["context"].items():
            if stamps.until(replica, seq) >= own:
                yield f"{line['dot']} has seen {replica}:{seq} and is stamped no later"
            if line["dot"] not in void and ranks.until(replica, seq) >= model.event(line).rank:
                yield f"{line['dot']} has seen {replica}:{seq} and does not outrank it once clamped"
        if effective_stamp(line) > own:
            yield f"{line['dot']}: the effective stamp is later than the author's own"
        if line["status"] == "accepted" and effective_stamp(line)[0] > drift_limit:
            yield f"{line['dot']} was accepted from the future, and its stamp is not clamped"
        if not (0 <= own[0] < 1 << 48 and 0 <= own[1] < 1 << 16):
            yield f"{line['dot']}: a stamp out of bounds: {line['stamp']}"


def raw_stamp(line: Json) -> tuple[int, int]:
    return line["stamp"]["ms"], line["stamp"]["n"]


class Latest:
    """The greatest value up to any seq of a replica; where there is none, one below all others."""

    def __init__(self, values: dict[str, tuple[Any, ...]]) -> None:
        self.seqs: dict[str, list[int]] = defaultdict(list)
        self.greatest: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for dot in sorted(values, key=split_dot):
            replica, seq = split_dot(dot)
            before = self.greatest[replica][-1:] or [()]
            self.seqs[replica].append(seq)
            self.greatest[replica].append(max(before[0], values[dot]))

    def until(self, replica: str, seq: int) -> tuple[Any, ...]:
        index = bisect_right(self.seqs[replica], seq)
        return self.greatest[replica][index - 1] if index else ()


def transactions(lines: list[Json]) -> dict[tuple[str, Any], list[Json]]:
    """Events by transaction, withheld ones included; one without a name is a transaction of its own."""
    groups: dict[tuple[str, Any], list[Json]] = defaultdict(list)
    for line in lines:
        if line["kind"] == "tombstone":
            continue
        name = line.get("tx")
        groups[split_dot(line["dot"])[0], line["dot"] if name is None else name].append(line)
    return groups


def transaction_problems(lines: list[Json]) -> Iterator[str]:
    void = model.void_dots(lines)
    for (replica, name), members in transactions(lines).items():
        dots = [line["dot"] for line in members]
        if len({line["status"] for line in members}) != 1:
            yield f"transaction {name} of {replica} has more than one status: {dots}"
        if len({dot in void for dot in dots}) != 1:
            yield f"transaction {name} of {replica} is void in part: {dots}"
        seqs = [split_dot(dot)[1] for dot in dots]
        if seqs != list(range(seqs[0], seqs[0] + len(seqs))):
            yield f"transaction {name} of {replica} does not stand together: {dots}"


def status_problems(lines: list[Json], replica: str, role: str) -> Iterator[str]:
    void = model.void_dots(lines)
    for line in events_of(lines):
        dot, status = line["dot"], line["status"]
        author = split_dot(dot)[0]
        if status not in ("pending", "accepted", "rejected"):
            yield f"{dot} has the status {status}"
        if (status == "rejected") != (dot in void):
            yield f"{dot} is {status}, and {'a' if dot in void else 'no'} tombstone names it"
        if status == "rejected" and author != replica and role == "device":
            yield f"{dot}: another's rejected payload"
        if status == "pending" and (author != replica or role == "authority"):
            yield f"{dot}: pending in a log that is not its author's"
    for line in lines:
        if line["kind"] == "tombstone" and not line.get("reason"):
            yield f"the tombstone of {line['dot']} gives no reason"


def disagreements(logs: dict[str, list[Json]]) -> list[str]:
    """Dots that two logs hold with different content, or void for different reasons."""
    found: list[str] = []
    first: dict[tuple[bool, str], tuple[str, Json]] = {}
    for store, lines in logs.items():
        for line in lines:
            voids = line["kind"] == "tombstone"
            content = {"reason": line.get("reason"), "rule": line.get("rule")} if voids else {
                **{key: line.get(key) for key in CONTENT},
                "stamp": raw_stamp(line)}
            other, known = first.setdefault((voids, line["dot"]), (store, content))
            if known != content:
                found.append(f"{line['dot']}: {other} has {known}, {store} has {content}")
    return found


def assert_sound(store: Store) -> list[Json]:
    """The log keeps its invariants and the view is the one the model makes of it."""
    lines = store.log()
    assert_log(lines, store)
    assert_view(store.view(), lines, store)
    return lines


def assert_log(lines: list[Json], store: Store) -> None:
    found = problems(lines, store.replica, store.role)
    assert not found, f"the log of {store.path.name}: " + "; ".join(found[:5])


def assert_view(shown: list[Json], lines: list[Json], store: Store) -> None:
    expected = [model.normal(record, store.schema) for record in model.view(lines, store.schema)]
    actual = [model.normal(record, store.schema) for record in shown]
    order = [(record["model"].encode(), record["id"].encode()) for record in shown]
    assert order == sorted(order), f"the view is not sorted by model and id: {order}"
    for want, got in zip(expected, actual):
        assert model.text(want) == model.text(got), (
            f"{store.path.name}, {want['model']} {want['id']}:\n"
            f"  model {model.text(want)}\n  view  {model.text(got)}")
    assert len(expected) == len(actual), (
        f"{store.path.name}: the model has {[(r['model'], r['id']) for r in expected]}, "
        f"the view {[(r['model'], r['id']) for r in actual]}")


def assert_converged(stores: list[Store]) -> None:
    """Every store has decided everything, and all of them show and hold the same."""
    logs = {store.path.name: assert_sound(store) for store in stores}
    for name, lines in logs.items():
        waiting = [line["dot"] for line in events_of(lines) if line["status"] == "pending"]
        assert not waiting, f"{name} still waits for a decision on {waiting}"
    found = disagreements(logs)
    assert not found, "; ".join(found[:5])
    views = {store.path.name: store.view() for store in stores}
    first = stores[0].path.name
    for name, shown in views.items():
        assert shown == views[first], f"{name} and {first} show different views"
    digests = {store.path.name: store.digest() for store in stores}
    assert len({str(d) for d in digests.values()}) == 1, f"digests differ: {digests}"
    for store in stores:
        store.check()
