"""Every storage call of a small workload, one by one: the process ends before it, or it fails."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import workload
from bounds import Bounds, during, expectations
from campaign import Report, Settings
from checks import Failure, check_ending, check_exchange, check_sound, held, make_again, run
from command import BAD_STORE, DONE, SAYS_NO, Json
from session import KILLED, Ran, record, rest_of, run_step, under_shim
from shimlog import Kind
from workload import CLOUD, Step
from workspace import Workspace

EIO, ENOSPC = 5, 28
ALWAYS = 1_000_000
UNKNOWN = "is not known"
"""What the command says where it cannot tell whether a write happened."""


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
        self.workspace = Workspace.make(settings.base / f"bench-{name}-{os.getpid()}")
        self.recording = record(
            workload.small(name, settings.is_relaxed), self.workspace, settings.shim, name,
            keeps_trees=True)
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
            again = f"{self.settings.flags}--point {point}"
            report.fail(Failure(failure.kind, f"in {step}: {failure.message}"), again)

    def start(self, point: Point) -> Ran:
        """Runs the step again from where it began, and breaks it."""
        taken = self.recording.steps[point.step]
        assert taken.before is not None
        self.workspace.log.unlink(missing_ok=True)
        self.workspace.lay_out(taken.before)
        plan = {point.name: point.value}
        return run_step(taken.step, self.workspace,
                        under_shim(self.workspace, self.settings.shim, **plan))

    def run(self, point: Point) -> None:
        taken = self.recording.steps[point.step]
        ran = self.start(point)
        if not (point.name == "KILLAT" and ran.status == KILLED):
            check_ending(ran.status, ran.message, ran.is_hung)
        for answer, usual in zip(ran.answers, taken.ran.answers):
            if answer.get("dot") != usual.get("dot"):
                raise Failure("dots", f"answered {answer}, and {usual} without a fault")
        self.check_left(taken.step, point.step, ran)
        self.check_again(taken.step, point.step, ran)
        dice = random.Random(str(point))
        if self.name == "pair" and point.step > 1 and dice.random() < 0.25:
            check_exchange(self.workspace.root, forks_allowed=False)

    def check_left(self, step: Step, index: int, ran: Ran) -> None:
        """What was acknowledged is there, and no more than was in flight."""
        answers = len(ran.answers) + self.settings.early
        for store in step.writes:
            before = self.bounds[index][store]
            if not before.is_there and not ran.is_done and not ran.answers:
                continue  # Being made, and nobody was told that it is.
            bounds = self.bounds[index + 1][store] if ran.is_done else during(
                before, store, self.recording, index, answers, is_cut=False)
            check_sound("verify", self.workspace.root / store)
            log = held(self.workspace.root / store, bounds)
            if step.kind == "apply" and ran.status == BAD_STORE and UNKNOWN not in ran.message:
                check_nothing_more(log, max(bounds.acknowledged, bounds.lower), ran.message)

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


def check_nothing_more(log: list[Json], answered: int, message: str) -> None:
    """Who is told that lines were not written writes them again."""
    if len(log) > answered:
        more = len(log) - answered
        raise Failure("written", f"{more} entries more than were answered: {message}")


BENCHES: dict[tuple[int, Path, str], Bench] = {}
"""One of each in a process: it takes a while to make."""


def bench(settings: Settings, name: str) -> Bench:
    key = (os.getpid(), settings.base, name)
    if key not in BENCHES:
        BENCHES[key] = Bench(settings, name)
    return BENCHES[key]


def check(settings: Settings, campaign: str, found: list[Point]) -> Report:
    report = Report(campaign)
    for point in found:
        bench(settings, point.bench).check(point, report)
        if report.failures and settings.stops_at_failure:
            break
    return report
