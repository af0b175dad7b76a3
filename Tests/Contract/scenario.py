"""A random history of one authority and a few devices, drawn from one seed.

Few ids, few users and clocks that disagree, so that creates, updates and deletes of one record
meet. Every register value is written once only, so that a wrong winner shows.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import model
from command import Json, Store, operation, user
from invariants import assert_converged, assert_sound, events_of
from schemas import SOCIAL

MODELS = ("Post", "Board", "Note")
IDS = ("r1", "r2", "r\u00e9", "re\u0301")
"""The last two are one text in two normalizations, hence two records."""

ACTORS: tuple[Json | None, ...] = (
    user("u1"), user("u1"), user("u1"), user("u2"), user("boss", "Admins"), None)
TAGS = ("red", "green", "blue", "Grün")

SENSIBLE = 0.9
"""How often an operation fits what its store shows; the rest are drawn blindly."""

Alive = dict[tuple[str, str], Json]
"""The records that a store shows, by model and id."""


@dataclass
class Options:
    """What the seed decides before the first step."""

    devices: int
    steps: int
    far_future: float

    @staticmethod
    def draw(dice: random.Random) -> Options:
        return Options(
            devices=dice.choice((2, 3)), steps=dice.randint(10, 16),
            far_future=dice.choice((0.0, 0.05, 0.05)))


class History:
    def __init__(self, seed: int, directory: Path) -> None:
        self.dice = random.Random(seed)
        self.options = Options.draw(self.dice)
        self.authority = Store.create(
            directory / "authority", SOCIAL, self.replica(), "authority")
        self.devices = [
            Store.create(directory / f"device{n}", SOCIAL, self.replica(), "device",
                         "enforce" if n == 1 else "optimistic")
            for n in range(self.options.devices)]
        self.now = datetime.now(timezone.utc) - timedelta(days=2)
        self.written = 0
        self.trace: list[str] = []
        self.logs: dict[Path, list[Json]] = {store.path: [] for store in self.stores}

    @property
    def stores(self) -> list[Store]:
        return [self.authority, *self.devices]

    def replica(self) -> str:
        return f"{self.dice.getrandbits(64) or 1:016x}"

    def run(self) -> None:
        self.write(self.authority)
        for device in self.devices:
            self.carry("sync", device, self.authority)
        for _ in range(self.options.steps):
            step = self.dice.choices(
                (self.write, self.merge, self.sync), weights=(6, 2, 2))[0]
            step()
        for _ in range(2):
            for device in self.dice.sample(self.devices, len(self.devices)):
                self.carry("sync", device, self.authority)
        assert_converged(self.stores)

    # One batch of operations on one store.

    def write(self, store: Store | None = None) -> None:
        store = store or self.dice.choice([self.authority, *self.devices, *self.devices])
        shown = model.view(self.logs[store.path], SOCIAL)
        alive = {(record["model"], record["id"]): record for record in shown}
        count = self.dice.randint(2, 7)
        operations = [o for _ in range(count) for o in self.transaction(store, alive)]
        self.trace.append(f"apply {store.path.name} {operations}")
        before = self.logs[store.path]
        answers = store.apply(*operations)
        after = self.read(store)
        assert after[: len(before)] == before, "a local write changed earlier lines of the log"
        self.check_answers(store, operations, answers, after[len(before):])

    def check_answers(
        self, store: Store, operations: list[Json], answers: list[Json], new: list[Json]
    ) -> None:
        """What was answered is what was written, whole transactions in the order of the lines."""
        kept = [(o, a) for o, a in zip(operations, answers) if a["decision"] != "rejected"]
        assert [a["dot"] for _, a in kept] == [line["dot"] for line in events_of(new)], \
            f"answers {answers}\nlog {new}"
        if store.role == "device":
            assert len(new) == len(kept), f"a device decided something: {new}"
        expected = "accepted" if store.role == "authority" else "pending"
        for (line, answer), written in zip(kept, events_of(new)):
            assert answer["decision"] == expected, answer
            assert (written["kind"], written["model"], written["id"]) == \
                (line["op"], line["model"], line["id"]), f"{line} was written as {written}"
        if store.role == "device" and store.accept == "optimistic":
            assert len(kept) == len(operations), f"an optimistic device refused: {answers}"
        verdicts: dict[str, set[bool]] = {}
        for line, answer in zip(operations, answers):
            refused = answer["decision"] == "rejected"
            verdicts.setdefault(line["tx"], set()).add(refused)
            assert not refused or answer.get("reason"), f"rejected without a reason: {answer}"
        assert all(len(v) == 1 for v in verdicts.values()), f"half a transaction: {answers}"

    def transaction(self, store: Store, alive: Alive) -> list[Json]:
        self.written += 1
        actor, name = self.dice.choice(ACTORS), f"t{self.written}"
        operations = [self.one(actor, alive) for _ in range(self.dice.choice((1, 1, 1, 2, 3)))]
        for line in operations:
            line |= {"tx": name, "at": self.clock(store)}
        return [{key: value for key, value in o.items() if value is not None} for o in operations]

    def one(self, actor: Json | None, alive: Alive) -> Json:
        """One operation; `alive` follows what it does if it is taken."""
        target = (self.dice.choice(MODELS), self.dice.choice(IDS))
        kind = self.dice.choice(("create", "update", "delete"))
        if self.dice.random() < SENSIBLE:
            for _ in range(5):
                if self.sensible(actor, alive.get(target)):
                    break
                target = (self.dice.choice(MODELS), self.dice.choice(IDS))
            kind = "create"
            if target in alive:
                kind = self.dice.choices(("update", "delete"), weights=(4, 1))[0]
        if kind == "delete":
            alive.pop(target, None)
        else:
            alive.setdefault(target, {"model": target[0], "owner": (actor or {}).get("sub")})
        fields = None if kind == "delete" else self.fields(kind)
        return operation(kind, *target, fields, actor)

    def sensible(self, actor: Json | None, record: Json | None) -> bool:
        """Whether the rules may let this actor work on what the store shows."""
        if record is None or record["model"] != "Post":
            return actor is not None or self.dice.random() < 0.2
        return actor is not None and record.get("owner") == actor["sub"]

    def fields(self, kind: str) -> Json:
        chosen = self.dice.sample(("title", "body", "likes", "tags"), self.dice.randint(1, 3))
        fields: Json = {}
        for name in chosen:
            self.written += 1
            if name == "likes":
                fields[name] = {"add": self.dice.randint(-5, 5)}
            elif name == "tags":
                verbs = ("add",) if kind == "create" else self.dice.choice(
                    (("add",), ("remove",), ("add", "remove")))
                fields[name] = {v: self.dice.sample(TAGS, self.dice.randint(1, 3)) for v in verbs}
            else:
                fields[name] = self.dice.choice((f"{name} {self.written}", f"ü{self.written}"))
        return fields

    def clock(self, store: Store) -> str | None:
        """A wall clock that goes on by and large, now and then the machine's; a device's may be
        years ahead, the authority's may not, since it is the measure of the others."""
        self.now += timedelta(milliseconds=self.dice.choice((0, 1, 1000)))
        if store.role == "device" and self.dice.random() < self.options.far_future:
            return text(self.now + timedelta(days=self.dice.choice((30, 3650))))
        if self.dice.random() < 0.05:
            return None
        return text(self.now + timedelta(seconds=self.dice.choice((0, 0, 0, -3600, 3600))))

    # One move of events between two stores.

    def merge(self) -> None:
        self.carry("merge", *self.dice.sample(self.stores, 2))

    def sync(self) -> None:
        self.carry("sync", *self.pair())

    def pair(self) -> tuple[Store, Store]:
        device = self.dice.choice(self.devices)
        others = [store for store in self.stores if store is not device]
        return device, self.dice.choice(others)

    def carry(self, how: str, source: Store, target: Store) -> None:
        self.trace.append(f"{how} {source.path.name} {target.path.name}")
        source_before, target_before = self.logs[source.path], self.logs[target.path]
        self.move(how, source, target)
        target_after, source_after = self.read(target), self.read(source)
        self.check_kept(target_before, target_after)
        self.check_kept(source_before, source_after)
        if how == "merge":
            assert source_after == source_before, "merge changed the store it read from"
        if self.dice.random() < 0.3:
            self.move(how, source, target)
            assert target.log() == target_after, f"{how} again was no no-op"

    def read(self, store: Store) -> list[Json]:
        """The store's log, after a check of it and of the view; kept for the next step."""
        self.logs[store.path] = assert_sound(store)
        return self.logs[store.path]

    def move(self, how: str, source: Store, target: Store) -> None:
        source.merge_into(target) if how == "merge" else source.sync(target)

    def check_kept(self, before: list[Json], after: list[Json]) -> None:
        """Nothing that was in the log is lost, and nothing that was decided changes."""
        lines = {(line["kind"] == "tombstone", line["dot"]): line for line in after}
        for old in before:
            new = lines.get((old["kind"] == "tombstone", old["dot"]))
            assert new is not None, f"{old['kind']} {old['dot']} has gone from the log"
            if old.get("status") != "pending":
                assert new == old, f"a decided line changed: {old} -> {new}"


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
