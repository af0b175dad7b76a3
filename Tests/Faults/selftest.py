"""That the campaigns can fail: each is told a lie that it must notice."""

from __future__ import annotations

import shutil
from dataclasses import replace

import points
import power
from campaign import Report, Settings
from checks import Failure
from command import BAD_STORE
from points import Point

LIES = {
    "sync": "a disk that only pretends to sync",
    "directories": "a disk that only pretends to sync directories",
    "early": "answers that come before the commit",
    "claimed": "an answer more than there was before the process ended",
    "injected": "nothing: that faults reach the command at all",
}


def names(is_relaxed: bool) -> list[str]:
    """Relaxed durability allows what an early answer comes to."""
    return [name for name in LIES if not (is_relaxed and name == "early")]


def run(settings: Settings, seed: int, name: str) -> Report:
    if name == "injected":
        return injects(settings)
    report = Report("selftest", states=1)
    base = settings.base / f"selftest-{name}"
    found = told(replace(settings, base=base, stops_at_failure=True), seed, name)
    shutil.rmtree(base, ignore_errors=True)
    if not found.kinds.keys() & {"lost", "unopenable"}:
        message = f"{LIES[name]} was not noticed in {found.states} states: {found.failures}"
        report.fail(Failure("blind", message), f"--campaign selftest --seed {seed}")
    return report


def injects(settings: Settings) -> Report:
    """A disk on which nothing can be written ends the command by its status for that."""
    report = Report("selftest", states=1)
    bench = points.bench(settings, "single")
    for plan in (Point("single", 1, "FAULT", f"writes:1:{points.EIO}:{points.ALWAYS}"),
                 Point("single", 1, "FAULT", f"fdatasync:1:{points.ENOSPC}:{points.ALWAYS}")):
        ran = bench.start(plan)
        if ran.status != BAD_STORE or ran.answers:
            report.fail(Failure("blind", f"{plan} came to {ran}"), f"--point {plan}")
    return report


def told(settings: Settings, seed: int, name: str) -> Report:
    match name:
        case "sync":
            lying = replace(settings, lies=("sync", "at-once"), stops_at_failure=False)
            return power.cuts(lying, seed, 40)
        case "directories":
            return power.creation(replace(settings, lies=("directories",)), seed, 400)
        case "early":
            return power.cuts(replace(settings, early=6), seed, 150)
    lying = replace(settings, early=1)
    found = [p for p in points.bench(lying, "single").kills() if p.step == 1]
    return points.check(lying, "kill", found)
