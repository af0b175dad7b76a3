"""What a campaign asks of the command: steps, each a process, made from a seed.

A step of `apply` feeds its lines in groups: the next group goes in when every line of the one
before was answered. So at each moment at most one group is in flight. A group has one or several
transactions, which the command may take into one commit.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from command import operation, user
from schemas import SOCIAL

Json = dict[str, Any]
SCHEMA = SOCIAL
CLOUD, PHONE = "cloud", "phone"
REPLICAS = {CLOUD: "c" * 16, PHONE: "a" * 16}

FOR_AUTHORS = [word for name in ("user:ann", "user:bob", "anonymous") for word in ("--as", name)]
"""For whom the phone syncs: for all that write but one, whose tickets are withheld from it."""


@dataclass(frozen=True)
class Step:
    """One run of the command. `writes` names the stores whose logs it may bring on."""

    kind: str
    store: str
    other: str | None = None
    groups: list[list[Json]] = field(default_factory=list)
    is_relaxed: bool = False
    fault: str | None = None
    """What the shim is told to break, as FAULT."""
    between: Step | None = None
    """What another process does after half of the groups, while this one waits."""

    @property
    def writes(self) -> list[str]:
        if self.between:
            return sorted({self.store, *self.between.writes})
        match self.kind:
            case "sync":
                return [self.store, self.other or ""]
            case "merge":
                return [self.other or ""]
            case "init" | "apply":
                return [self.store]
        return []

    @property
    def lines(self) -> list[Json]:
        return [line for group in self.groups for line in group]

    @property
    def arguments(self) -> list[str]:
        match self.kind:
            case "init":
                role = "authority" if self.store == CLOUD else "device"
                accept = "enforce" if self.store == CLOUD else "optimistic"
                return ["init", self.store, "--schema", "../schema.graphql", "--role", role,
                        "--accept", accept, "--replica", REPLICAS[self.store], "--json"]
            case "apply":
                relaxed = ["--durability", "relaxed"] if self.is_relaxed else []
                return ["apply", self.store, "-", "--json", *relaxed]
            case "sync" | "merge":
                return [self.kind, self.store, self.other or "", *FOR_AUTHORS, "--json"]
            case "backup":
                return [self.kind, self.store, self.other or "", "--json"]
        return [self.kind, self.store, "--json"]

    def __str__(self) -> str:
        relaxed = " relaxed" if self.is_relaxed else ""
        fault = f" with FAULT={self.fault}" if self.fault else ""
        between = f", and {self.between} between" if self.between else ""
        return f"{' '.join(self.arguments[:3])}{relaxed}{fault}{between}"


@dataclass
class Known:
    """What one store's writer knows to be there."""

    notes: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    posts: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


@dataclass
class Writer:
    """Makes operations whose verdicts are known, and stay: only bob's are refused."""

    dice: random.Random
    pair: bool = False
    number: int = 0
    known: dict[str, Known] = field(default_factory=lambda: {CLOUD: Known(), PHONE: Known()})

    text_bytes: int | None = None
    """Where it is set, most texts are so long."""

    def text(self) -> str:
        if self.text_bytes and self.dice.random() < 0.7:
            return self.dice.choice("abcdefgh") * self.text_bytes + str(self.number)
        long = 5000 if self.dice.random() < 0.2 else 20
        size = self.dice.choice((4, 12, 40, 200, 200, 900, long))
        return "".join(self.dice.choices("abcdefgh ", k=size)) + str(self.number)

    def operation(self, store: str, tx: str | None) -> Json:
        self.number += 1
        known = self.known[store]
        roll = self.dice.random()
        if roll < 0.12:
            return self.post(store, known.posts, tx)
        if roll < 0.15 and known.posts and tx is None:
            fields = {"title": "not bob's"}
            return operation("update", "Post", self.dice.choice(known.posts), fields, user("bob"))
        if roll > 0.9 and self.pair and store == CLOUD:
            fields = {"title": self.text()}
            return operation("create", "Ticket", f"t{self.number}", fields, user("carl"), tx=tx)
        if roll < 0.2 and len(known.own) > 3:
            # Only its own, so that nobody deletes what another did.
            id = self.dice.choice(sorted(known.own))
            known.own.discard(id)
            known.notes.discard(id)
            known.deleted.append(id)
            return operation("delete", "Note", id, None, user("ann"), tx=tx)
        if roll < 0.62 and known.notes:
            id = self.dice.choice(sorted(known.notes))
            return operation("update", "Note", id, self.changes(), tx=tx)
        again = known.deleted and not self.pair and self.dice.random() < 0.3
        id = known.deleted.pop() if again else f"{store}-{self.number}"
        known.notes.add(id)
        known.own.add(id)
        fields = {"title": self.text(), "likes": self.dice.randint(0, 9), "tags": ["new"]}
        return operation("create", "Note", id, fields, tx=tx)

    def post(self, store: str, posts: list[str], tx: str | None) -> Json:
        if posts and self.dice.random() < 0.5:
            id = self.dice.choice(posts)
            return operation("update", "Post", id, {"likes": {"add": 1}}, user("ann"), tx=tx)
        posts.append(f"{store}-post-{self.number}")
        return operation("create", "Post", posts[-1], {"title": self.text()}, user("ann"), tx=tx)

    def changes(self) -> Json:
        roll = self.dice.random()
        if roll < 0.4:
            return {"title": self.text()}
        if roll < 0.7:
            return {"likes": {"add": self.dice.choice((1, 1, 5, -2))}}
        tag = f"t{self.dice.randint(1, 9)}"
        return {"tags": {"add": [tag], "remove": [self.dice.choice(("new", "t1", "t2"))]}}

    def group(self, store: str, transactions: int, members_max: int) -> list[Json]:
        """Its last line is a transaction of its own, so that the command need not wait for more."""
        lines: list[Json] = []
        for _ in range(transactions - 1):
            members = self.dice.choice((1, 1, 2, 3, members_max))
            tx = f"{store}-t{self.number}" if members > 1 else None
            lines += [self.operation(store, tx) for _ in range(members)]
        return [*lines, self.operation(store, None)]

    def groups(self, store: str, count: int, members_max: int = 5) -> list[list[Json]]:
        return [self.group(store, self.dice.choice((1, 1, 1, 2, 3, 6)), members_max)
                for _ in range(count)]

    def learn(self) -> None:
        """After a sync both stores have the records of both."""
        cloud, phone = self.known[CLOUD], self.known[PHONE]
        gone = {*cloud.deleted, *phone.deleted}
        for known in (cloud, phone):
            known.notes = (cloud.notes | phone.notes) - gone
            known.posts = sorted({*cloud.posts, *phone.posts})


def long(seed: int, is_relaxed: bool) -> list[Step]:
    """A workload for power cuts: one store or two, opened several times."""
    dice = random.Random(f"long {seed}")
    pair = dice.random() < 0.5
    writer = Writer(dice, pair)
    steps = [Step("init", CLOUD)] + ([Step("init", PHONE)] if pair else [])
    for _ in range(dice.randint(3, 5)):
        store = dice.choice((CLOUD, PHONE)) if pair else CLOUD
        steps.append(apply(writer, store, dice.randint(2, 12), is_relaxed))
        if dice.random() < 0.35:
            steps[-1] = replace(steps[-1], between=visitor(store, pair, dice))
        roll = dice.random()
        if pair and roll < 0.7:
            steps += exchange(writer, dice)
        elif roll < 0.85:
            steps.append(Step(dice.choice(("verify", "stats", "log")), store))
    if dice.random() < 0.3:
        steps.append(Step("backup", CLOUD, "backup"))
    if dice.random() < 0.2:
        steps.append(heavy(writer, dice.randint(20, 60), is_relaxed))
    if dice.random() < 0.3:
        many = [writer.group(CLOUD, 30, 40)]
        steps.append(Step("apply", CLOUD, groups=many, is_relaxed=is_relaxed))
    steps.append(apply(writer, CLOUD, dice.randint(2, 12), is_relaxed))
    if dice.random() < 0.35:
        steps = injured(steps, dice)
    return steps


def apply(writer: Writer, store: str, groups: int, is_relaxed: bool) -> Step:
    """Among relaxed steps some are full: what they acknowledge keeps all that was before."""
    relaxed = is_relaxed and writer.dice.random() < 0.75
    return Step("apply", store, groups=writer.groups(store, groups), is_relaxed=relaxed)


def visitor(store: str, pair: bool, dice: random.Random) -> Step:
    """What another process does while one is writing to a store."""
    if not pair or dice.random() < 0.2:
        return Step(dice.choice(("verify", "log", "stats")), store)
    if store == PHONE or dice.random() < 0.5:
        return Step("sync", PHONE, CLOUD)
    return Step("merge", CLOUD, PHONE)


def heavy(writer: Writer, groups: int, is_relaxed: bool) -> Step:
    """More bytes than a store keeps in any buffer."""
    writer.text_bytes = 40_000
    step = apply(writer, CLOUD, groups, is_relaxed)
    writer.text_bytes = None
    return step


def many(seed: int, is_relaxed: bool) -> list[Step]:
    """More records than a store keeps in memory."""
    dice = random.Random(f"many {seed}")
    writer = Writer(dice)
    steps = [Step("init", CLOUD), apply(writer, CLOUD, 3, is_relaxed)]
    for part in range(2):
        count = dice.randint(9_000, 11_000)
        lines = [operation("create", "Note", f"{part}-{dice.randrange(1 << 40)}", {"likes": n})
                 for n in range(count)]
        size = dice.choice((1_500, 4_000))
        groups = [lines[n:n + size] for n in range(0, count, size)]
        steps.append(Step("apply", CLOUD, groups=groups, is_relaxed=is_relaxed))
    return [*steps, apply(writer, CLOUD, 3, is_relaxed)]


def exchange(writer: Writer, dice: random.Random) -> list[Step]:
    if dice.random() < 0.3:
        return [Step("merge", CLOUD, PHONE)]
    writer.learn()
    return [Step("sync", PHONE, CLOUD)]


def injured(steps: list[Step], dice: random.Random) -> list[Step]:
    """One step fails at a sync; the next one takes up what it did not do."""
    candidates = [i for i, step in enumerate(steps) if step.kind == "apply" and not step.between]
    index = dice.choice(candidates)
    call = dice.choice(("fdatasync", "fdatasync", "fdatasync", "writes"))
    error = dice.choice((5, 28))
    step = steps[index]
    place = dice.randint(1, dice.choice((4, len(step.groups) + 4)))
    fault = f"{call}:{place}:{error}:{dice.choice((1, 1, 2, 1000))}"
    hurt = Step("apply", step.store, groups=step.groups, is_relaxed=step.is_relaxed, fault=fault)
    return [*steps[:index], hurt, step, *steps[index + 1:]]


BENCHES = ("single", "pair", "heavy")


def small(name: str, is_relaxed: bool) -> list[Step]:
    """A workload whose every storage call is a place to break: the same for every seed."""
    steps = small_steps(name)
    return [replace(s, is_relaxed=is_relaxed and s.kind == "apply") for s in steps]


def small_steps(name: str) -> list[Step]:
    writer = Writer(random.Random(name), name == "pair")
    if name == "single":
        return [
            Step("init", CLOUD),
            Step("apply", CLOUD, groups=writer.groups(CLOUD, 4)),
            Step("apply", CLOUD, groups=[writer.group(CLOUD, 4, 12)]),
            Step("backup", CLOUD, "backup"),
        ]
    if name == "heavy":
        return [Step("init", CLOUD), heavy(writer, 24, is_relaxed=False)]
    steps = [Step("init", CLOUD), Step("init", PHONE)]
    steps.append(Step("apply", PHONE, groups=writer.groups(PHONE, 2) + [posts(PHONE)]))
    steps.append(Step("apply", CLOUD, groups=writer.groups(CLOUD, 2)))
    steps.append(Step("sync", PHONE, CLOUD))
    steps.append(Step("apply", CLOUD, groups=writer.groups(CLOUD, 1)))
    return [*steps, Step("merge", CLOUD, PHONE)]


def posts(store: str) -> list[Json]:
    """The second is void once an authority has heard of it."""
    return [
        operation("create", "Post", "ours", {"title": "Ann's"}, user("ann")),
        operation("update", "Post", "ours", {"title": "Bob's"}, user("bob")),
        operation("update", "Post", "ours", {"likes": {"add": 1}}, user("ann"))]


def creation(seed: int, is_relaxed: bool) -> list[Step]:
    """A store while it is made, and its first writes."""
    writer = Writer(random.Random(f"creation {seed}"))
    return [Step("init", CLOUD), apply(writer, CLOUD, 2, is_relaxed)]
