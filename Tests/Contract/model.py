"""A naive model of the view: from the lines of one store's log to the lines of its view.

Slow and obvious on purpose: it goes over every event of a record again and again, and keeps no
state. Words, as the contract uses them:

    dot       R:S, the S-th event of replica R
    context   replica -> highest seq that the author had seen
    rank      effective stamp, ties broken by replica id, then seq
    void      a dot that a tombstone line names: as if its event had never been written

    a happened before b   iff   b.context[a.replica] >= a.seq
    a, b concurrent       iff   neither happened before the other
    live(e)               iff   every delete of the record happened before e
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Iterable

from schemas import Schema, Type

Json = dict[str, Any]
Rank = tuple[int, int, str, int]


@dataclass(frozen=True)
class Event:
    replica: str
    seq: int
    kind: str
    model: str
    id: str
    fields: Json
    context: dict[str, int]
    actor: Json
    milliseconds: int
    counter: int

    @property
    def dot(self) -> str:
        return f"{self.replica}:{self.seq}"

    @property
    def rank(self) -> Rank:
        return (self.milliseconds, self.counter, self.replica, self.seq)


def split_dot(dot: str) -> tuple[str, int]:
    replica, seq = dot.split(":")
    return replica, int(seq)


def effective_stamp(line: Json) -> tuple[int, int]:
    """The stamp that the authority put in place of one from the future, else the author's own."""
    stamp = line["stamp"].get("effective") or line["stamp"]
    return stamp["ms"], stamp["n"]


def event(line: Json) -> Event:
    replica, seq = split_dot(line["dot"])
    milliseconds, counter = effective_stamp(line)
    return Event(
        replica, seq, line["kind"], line["model"], line["id"], line.get("fields") or {},
        line.get("context") or {}, line.get("actor") or {}, milliseconds, counter)


def happened_before(a: Event, b: Event) -> bool:
    return b.context.get(a.replica, 0) >= a.seq


def concurrent(a: Event, b: Event) -> bool:
    return a.dot != b.dot and not happened_before(a, b) and not happened_before(b, a)


def void_dots(lines: Iterable[Json]) -> set[str]:
    return {line["dot"] for line in lines if line["kind"] == "tombstone"}


def view(lines: list[Json], schema: Schema) -> list[Json]:
    """What `view --json` must print for the store whose log has these lines."""
    void = void_dots(lines)
    events = [event(line) for line in lines if line["kind"] not in ("tombstone", "withheld")]
    of_record: dict[tuple[str, str], list[Event]] = {}
    for e in events:
        if e.dot not in void:
            of_record.setdefault((e.model, e.id), []).append(e)
    records = []
    for model, id in sorted(of_record, key=lambda key: (key[0].encode(), key[1].encode())):
        record = fold(schema.types[model], of_record[model, id])
        if record is not None:
            records.append({"model": model, "id": id, **record})
    return records


def standing_deletes(type: Type, events: list[Event]) -> list[Event]:
    """The deletes that count: where updates win, one with a concurrent change is overturned."""
    deletes = [e for e in events if e.kind == "delete"]
    changes = [e for e in events if e.kind != "delete"]
    if type.update_wins:
        return [d for d in deletes if not any(concurrent(d, c) for c in changes)]
    return deletes


def live_changes(type: Type, events: list[Event]) -> list[Event]:
    """The creates and updates that every delete happened before, by rank."""
    deletes = standing_deletes(type, events)
    changes = [e for e in events if e.kind != "delete"]
    live = [e for e in changes if all(happened_before(d, e) for d in deletes)]
    return sorted(live, key=lambda e: e.rank)


def fold(type: Type, events: list[Event]) -> Json | None:
    """One record from its events that are not void; `None` where it does not exist."""
    live = live_changes(type, events)
    creates = [e for e in live if e.kind == "create"]
    if not creates:
        return None
    values = {
        name: field_value(merge, name, live)
        for name, merge in type.fields.items() if name != type.owner_field}
    record: Json = {
        "fields": values, "created": moment(creates[0]), "updated": moment(live[-1]),
        "conflicts": conflicts(type, live)}
    if type.owner_field is not None:
        record["owner"] = owner(type.owner_field, creates[0], live)
    return record


def field_value(merge: str, name: str, live: list[Event]) -> Any:
    changes = [e for e in live if name in e.fields]
    if merge == "counter":
        return sum(addition(e.fields[name]) for e in changes)
    if merge == "set":
        return set_elements(name, changes)
    return changes[-1].fields[name] if changes else None


def addition(value: Any) -> int:
    """`{"add": n}`; a create may give its initial value plainly, and that is an addition too."""
    return value["add"] if isinstance(value, dict) else value


def set_elements(name: str, changes: list[Event]) -> list[Any]:
    """The elements of which some live add is in no live remove's context, in some fixed order."""
    inside = []
    for adding in changes:
        for element in edit(adding, name)["add"]:
            removed = any(
                element in edit(removing, name)["remove"] and happened_before(adding, removing)
                for removing in changes)
            if not removed and element not in inside:
                inside.append(element)
    return sorted(inside, key=json.dumps)


def edit(e: Event, name: str) -> dict[str, list[Any]]:
    value = e.fields[name]
    if isinstance(value, dict):
        return {"add": value.get("add") or [], "remove": value.get("remove") or []}
    return {"add": value or [], "remove": []}


def conflicts(type: Type, live: list[Event]) -> list[str]:
    """The registers with a live set concurrent with the winner and superseded by no later one."""
    listed = []
    for name, merge in type.fields.items():
        sets = [e for e in live if name in e.fields]
        if merge != "register" or name == type.owner_field or not sets:
            continue
        winner = sets[-1]
        rivals = [
            e for e in sets
            if concurrent(e, winner) and not any(happened_before(e, later) for later in sets)]
        if rivals:
            listed.append(name)
    return sorted(listed)


def owner(field: str, earliest: Event, live: list[Event]) -> Any:
    """Whom the earliest live create gave the record, unless an update changed it."""
    changed = [e for e in live if e.kind == "update" and field in e.fields]
    if changed:
        return changed[-1].fields[field]
    return earliest.fields[field] if field in earliest.fields else identity(earliest.actor)


def identity(actor: Json) -> str | None:
    """What is filled in where a create leaves the owner out: `sub::username`, or the sub alone."""
    if actor.get("sub") and actor.get("username"):
        return f"{actor['sub']}::{actor['username']}"
    return actor.get("sub")


def moment(e: Event) -> Json:
    return {"ms": e.milliseconds, "n": e.counter, "dot": e.dot}


def normal(record: Json, schema: Schema) -> Json:
    """A line of the view with what may be left out filled in, so that two can be compared.

    A register that holds nothing may be absent or null, an untouched counter absent or 0, an
    empty set absent or []; the owner may stand among the fields as well; a set has no order.
    """
    type = schema.types[record["model"]]
    empty = {"counter": 0, "set": []}
    fields = dict(record["fields"])
    if type.owner_field is not None and type.owner_field not in type.fields:
        fields.pop(type.owner_field, None)
    for name, merge in type.fields.items():
        if fields.get(name) is None:
            fields[name] = empty.get(merge)
        if merge == "set":
            fields[name] = sorted(fields[name], key=json.dumps)
    return {
        "model": record["model"], "id": record["id"], "fields": fields,
        "owner": record.get("owner"), "created": record["created"], "updated": record["updated"],
        "conflicts": sorted(set(record.get("conflicts") or []) - {type.owner_field})}


def text(record: Json) -> str:
    """One spelling of a record, in which `1` and `true` differ."""
    return json.dumps(record, sort_keys=True, ensure_ascii=False)
