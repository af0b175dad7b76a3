"""The campaigns: which crashes and faults are tried, and what each came to."""

from __future__ import annotations

import os
import random
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

import workload
from checks import (
    Bounds, Expectation, Failure, after, check_ending, check_exchange, check_sound, check_state,
    during, expectations, held, make_again, run)
from command import DONE, SAYS_NO
from replay import ATOMS, Disk, Kind, Tree
from session import (
    KILLED, Ran, Recording, RecordingFailed, Workspace, record, rest_of, run_step, under_shim)
from workload import CLOUD, Step

EIO, ENOSPC = 5, 28
ALWAYS = 1_000_000


@dataclass(frozen=True)
class Settings:
    """What all campaigns of one run share."""

    shim: Path
    base: Path
    is_relaxed: bool = False
    lies: tuple[str, ...] = ()
    """What the disk only pretends to do."""
    early: int = 0
    """By how many records acknowledgements are taken to have come too early."""
    stops_at_failure: bool = False


@dataclass
class Report:
    """What a part of a campaign came to."""

    campaign: str
    states: int = 0
    repeated: int = 0
    lost_max: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def fail(self, failure: Failure, again: str) -> None:
        self.kinds[failure.kind] += 1
        self.failures.append(f"{failure}\n  again: python3 Tests/Faults/run.py {again}")

    def add(self, other: Report) -> None:
        self.states += other.states
        self.repeated += other.repeated
        self.lost_max = max(self.lost_max, other.lost_max)
        self.kinds += other.kinds
        self.failures += other.failures


# ---- Power cuts ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cut:
    """A power cut after so many records, and the seed of what is left."""

    at: int
    mode: str
    seed: int

    def __str__(self) -> str:
        return f"{self.at}:{self.mode}:{self.seed}"

    @staticmethod
    def parse(text: str) -> Cut:
        at, mode, seed = text.split(":")
        return Cut(int(at), mode, int(seed))


class Timeline:
    """What had been acknowledged after so many records."""

    def __init__(self, recording: Recording, early: int = 0) -> None:
        self.recording = recording
        self.early = early
        main = {taken.ran.process for taken in recording.steps}
        self.starts = [r.index for r in recording.records
                       if r.kind == Kind.START and r.process in main]
        self.acknowledged = [(r.index, r.data.count(b"\n")) for r in recording.records
                             if r.kind == Kind.ACKNOWLEDGE and r.process in main]
        self.bounds = expectations(recording, is_cut=True)

    def step(self, at: int) -> int:
        """The number of the step that ran last."""
        return bisect_right(self.starts, at - 1) - 1

    def answers(self, step: int, at: int) -> int:
        first = bisect_left(self.acknowledged, (self.starts[step], 0))
        last = bisect_left(self.acknowledged, (at + self.early, 0))
        return sum(count for _, count in self.acknowledged[first:last])

    def expectation(self, at: int) -> Expectation:
        index = self.step(at)
        if index < 0:
            return Expectation(self.bounds[0])
        taken = self.recording.steps[index]
        answers = min(self.answers(index, at), len(taken.ran.answers))
        is_over = taken.step.kind != "apply" and answers > 0
        before = self.bounds[index]
        stores = self.bounds[index + 1] if is_over else {
            store: during(before[store], store, self.recording, index, answers, True,
                          self.bounds[index + 1][store].statuses)
            for store in before}
        backups = [n for n, t in enumerate(self.recording.steps) if t.step.kind == "backup"]
        has_backup = any(n < index or (n == index and is_over) for n in backups)
        return Expectation(stores, has_backup)


def cuts(recording: Recording, dice: random.Random, count: int) -> list[Cut]:
    """Half of them anywhere, half just before a sync ends or just after an answer."""
    total = len(recording.records)
    marks = [r.index for r in recording.records if r.kind in (Kind.SYNC, Kind.SYNC_ALL)]
    marks += [r.index + 1 for r in recording.records if r.kind == Kind.ACKNOWLEDGE]
    found = []
    for number in range(count):
        at = dice.choice(marks) if number % 2 else dice.randint(1, total)
        found.append(Cut(at, dice.choice(list(ATOMS)), dice.randrange(1 << 32)))
    return sorted(found, key=lambda cut: cut.at)


def power(settings: Settings, seed: int, count: int) -> Report:
    """Power cuts in the workload of a seed."""
    steps = workload.long(seed, settings.is_relaxed)
    return power_cuts(settings, "power", seed, steps, count)


def rows(settings: Settings, seed: int, count: int) -> Report:
    """The same with so many records that they move from one place to another."""
    return power_cuts(settings, "rows", seed, workload.many(seed, settings.is_relaxed), count)


def creation(settings: Settings, seed: int, count: int) -> Report:
    """Power cuts while a store is made."""
    steps = workload.creation(seed, settings.is_relaxed)
    return power_cuts(settings, "creation", seed, steps, count)


def power_cuts(
    settings: Settings, campaign: str, seed: int, steps: list[Step], count: int
) -> Report:
    report = Report(campaign)
    workspace = Workspace.make(settings.base / f"{campaign}-{seed}")
    try:
        recording = record(steps, workspace, settings.shim, f"{campaign}:{seed}")
    except RecordingFailed as error:
        report.fail(Failure("recording", str(error)), f"--record {campaign}:{seed}")
        return report
    recording.save(workspace)
    judge(settings, workspace, recording, cuts(recording, random.Random(seed), count), report)
    if not report.failures or settings.stops_at_failure:
        workspace.remove()
    return report


def judge(
    settings: Settings, workspace: Workspace, recording: Recording, found: list[Cut],
    report: Report,
) -> None:
    timeline = Timeline(recording, settings.early)
    disk = Disk(settings.lies)
    seen: set[int] = set()
    place = 0
    for cut in found:
        while place < cut.at:
            disk.apply(recording.records[place])
            place += 1
        expected = timeline.expectation(cut.at)
        tree = disk.crash(cut.seed, cut.mode)
        known = hash((fingerprint(tree), *((b.lower, b.upper) for b in expected.stores.values())))
        if known in seen:
            report.repeated += 1
            continue
        seen.add(known)
        report.states += 1
        workspace.lay_out(tree)
        forks_allowed = settings.is_relaxed
        try:
            lost = check_state(workspace, expected, random.Random(cut.seed), forks_allowed)
            report.lost_max = max(report.lost_max, lost)
        except Failure as failure:
            step = recording.steps[max(timeline.step(cut.at), 0)].step
            again = f"--again {workspace.path} --state {cut}"
            report.fail(Failure(failure.kind, f"{recording.names}, in {step}: {failure.message}"), again)
            if settings.stops_at_failure:
                return


def fingerprint(tree: Tree) -> int:
    return hash((tuple(tree.directories), tuple(sorted(tree.files.items()))))


# ---- Every call, one by one ----------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """One step of a small workload, and what is done to it: KILLAT=n, FAULT=… or SHORT=…."""

    bench: str
    step: int
    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.bench}:{self.step}:{self.name}={self.value}"

    @staticmethod
    def parse(text: str) -> Point:
        bench, step, plan = text.split(":", 2)
        name, value = plan.split("=", 1)
        return Point(bench, int(step), name, value)


class Bench:
    """A small workload that ran once, and can be taken up again before each of its steps."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings = settings
        self.name = name
        self.dice = random.Random(name)
        self.workspace = Workspace.make(settings.base / f"bench-{name}-{os.getpid()}")
        self.recording = record(
            workload.small(name), self.workspace, settings.shim, name, keeps_trees=True)
        self.bounds = expectations(self.recording, is_cut=False)

    def calls(self) -> Iterator[tuple[int, int, int]]:
        """For each step its storage calls, and those of them that write data."""
        ends = [r for r in self.recording.records if r.kind == Kind.END]
        for index, end in enumerate(ends):
            yield index, end.length, end.offset

    def kills(self) -> list[Point]:
        return [Point(self.name, index, "KILLAT", str(n))
                for index, calls, _ in self.calls() for n in range(1, calls + 1)]

    def faults(self) -> list[Point]:
        found = []
        for index, calls, writes in self.calls():
            for n in range(1, calls + 1):
                found += [Point(self.name, index, "FAULT", f"any:{n}:{error}:{count}")
                          for error in (EIO, ENOSPC) for count in (1, ALWAYS)]
            found += [Point(self.name, index, "SHORT", f"any:{n}:{byte_count}")
                      for n in range(1, writes + 1) for byte_count in (1, 512, 4096)]
        return found

    def check(self, point: Point, report: Report) -> None:
        report.states += 1
        try:
            self.run(point)
        except Failure as failure:
            step = self.recording.steps[point.step].step
            report.fail(Failure(failure.kind, f"in {step}: {failure.message}"), f"--point {point}")

    def run(self, point: Point) -> None:
        taken = self.recording.steps[point.step]
        assert taken.before is not None
        self.workspace.log.unlink(missing_ok=True)
        self.workspace.lay_out(taken.before)
        plan = {point.name: point.value}
        ran = run_step(taken.step, self.workspace,
                       under_shim(self.workspace, self.settings.shim, **plan))
        if not (point.name == "KILLAT" and ran.status == KILLED):
            check_ending(ran.status, ran.message, ran.is_hung)
        if [a.get("dot") for a in ran.answers if taken.step.kind == "apply"] != [
                a.get("dot") for a in taken.ran.answers if taken.step.kind == "apply"
        ][:len(ran.answers)]:
            raise Failure("dots", f"other dots were answered than without a fault: {ran.answers}")
        self.check_left(taken.step, point.step, ran)
        self.check_again(taken.step, point.step, ran)

    def check_left(self, step: Step, index: int, ran: Ran) -> None:
        """What was acknowledged is there, and no more than was in flight."""
        answers = len(ran.answers) + self.settings.early
        for store in step.writes:
            before = self.bounds[index][store]
            bounds = after(before, store, self.recording, index, False) if ran.is_done else during(
                before, store, self.recording, index, answers, False)
            if not before.is_there and not ran.is_done:
                continue
            path = self.workspace.root / store
            check_sound("verify", path)
            held(path, bounds)

    def check_again(self, step: Step, index: int, ran: Ran) -> None:
        """The step succeeds once nothing fails any more, and comes to what it should."""
        root = self.workspace.root
        final = self.recording.steps[index].after
        match step.kind:
            case "init" if not ran.is_done:
                make_again(root / step.store)
            case "apply" if not ran.is_done:
                first = len(self.recording.steps[index - 1].after[step.store])
                written = run("log", root / step.store, "--json").lines[first:]
                rest = rest_of(step, ran.answers, written)
                self.succeed(Step("apply", step.store, groups=rest))
            case "sync" | "merge":
                self.succeed(step)
            case "backup":
                self.check_backup(step)
        for store in step.writes:
            log = final[store]
            count = len(log)
            statuses = self.bounds[index + 1][store].statuses
            held(root / store, Bounds(log, count, count, count, True, statuses))
            check_sound("replay", root / store)
        if self.name == "pair" and index > 1 and self.dice.random() < 0.25:
            check_exchange(root, forks_allowed=False)

    def succeed(self, step: Step) -> None:
        ran = run_step(step, self.workspace, under_shim(self.workspace, self.settings.shim))
        if ran.is_hung or ran.status not in (DONE, SAYS_NO):
            raise Failure("refuses", f"{step} again: exit {ran.status}: {ran.message}")

    def check_backup(self, step: Step) -> None:
        """Whole or absent; where it is absent it can be made."""
        target = self.workspace.root / (step.other or "")
        if not (target / "data.mdb").exists():
            self.succeed(step)
        check_sound("verify", target)
        log = self.recording.steps[-1].after[CLOUD]
        held(target, Bounds(log, len(log), len(log), len(log), True,
                            self.bounds[-1][CLOUD].statuses))


BENCHES: dict[tuple[int, Path, str], Bench] = {}
"""One of each in a process: it takes a while to make."""


def bench(settings: Settings, name: str) -> Bench:
    key = (os.getpid(), settings.base, name)
    if key not in BENCHES:
        BENCHES[key] = Bench(settings, name)
    return BENCHES[key]


def points(settings: Settings, campaign: str, found: list[Point]) -> Report:
    report = Report(campaign)
    for point in found:
        bench(settings, point.bench).check(point, report)
        if report.failures and settings.stops_at_failure:
            break
    return report
