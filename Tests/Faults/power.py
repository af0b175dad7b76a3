"""Power cuts: a workload is recorded once, and cut at many moments, each with many outcomes."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Callable

import workload
from bounds import Expectation, during, expectations
from campaign import Report, Settings
from checks import Failure, check_state
from replay import ATOMS, Disk, Tree
from session import Recording, RecordingFailed, record
from shimlog import Kind
from workload import Step
from workspace import Workspace


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


def moments(recording: Recording, dice: random.Random, count: int) -> list[Cut]:
    """Half of them anywhere, half just before a sync ends or just after an answer."""
    total = len(recording.records)
    marks = [r.index for r in recording.records if r.kind in (Kind.SYNC, Kind.SYNC_ALL)]
    marks += [r.index + 1 for r in recording.records if r.kind == Kind.ACKNOWLEDGE]
    found = []
    for number in range(count):
        at = dice.choice(marks) if number % 2 else dice.randint(1, total)
        found.append(Cut(at, dice.choice(list(ATOMS)), dice.randrange(1 << 32)))
    return sorted(found, key=lambda cut: cut.at)


WORKLOADS: dict[str, Callable[[int, bool], list[Step]]] = {
    "power": workload.long,
    "rows": workload.many,
    "creation": workload.creation,
}


def cuts(settings: Settings, seed: int, count: int) -> Report:
    """Power cuts in the workload of a seed."""
    return campaign(settings, "power", seed, count)


def rows(settings: Settings, seed: int, count: int) -> Report:
    """The same with so many records that they move from one place to another."""
    return campaign(settings, "rows", seed, count)


def creation(settings: Settings, seed: int, count: int) -> Report:
    """Power cuts while a store is made."""
    return campaign(settings, "creation", seed, count)


def campaign(settings: Settings, name: str, seed: int, count: int) -> Report:
    report = Report(name)
    workspace = Workspace.make(settings.base / f"{name}-{seed}")
    steps = WORKLOADS[name](seed, settings.is_relaxed)
    try:
        recording = record(steps, workspace, settings.shim, f"{name}:{seed}")
    except RecordingFailed as error:
        report.fail(Failure("recording", str(error)), f"{settings.flags}--record {name}:{seed}")
        return report
    recording.save(workspace)
    judge(settings, workspace, recording, moments(recording, random.Random(seed), count), report)
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
        try:
            lost = check_state(
                workspace, expected, random.Random(cut.seed), forks_allowed=settings.is_relaxed)
            report.lost_max = max(report.lost_max, lost)
        except Failure as failure:
            step = recording.steps[max(timeline.step(cut.at), 0)].step
            again = f"{settings.flags}--again {workspace.path} --state {cut}"
            message = f"{recording.name}, in {step}: {failure.message}"
            report.fail(Failure(failure.kind, message), again)
            if settings.stops_at_failure:
                return


def fingerprint(tree: Tree) -> int:
    return hash((tuple(tree.directories), tuple(sorted(tree.files.items()))))
