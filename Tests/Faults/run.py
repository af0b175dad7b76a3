"""Fault injection: `python3 Tests/Faults/run.py [--slice] [--seed S] [--states N] [--durability D]`.

The last line is `N states, N failed`; the exit status is 0 only if nothing failed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Contract")]

import campaigns  # noqa: E402 - found only once their directories are on the path
import command  # noqa: E402
from campaigns import Cut, Point, Report, Settings  # noqa: E402
from session import Recording, RecordingFailed, Workspace, record  # noqa: E402
import workload  # noqa: E402

CAMPAIGNS = ("selftest", "power", "rows", "creation", "kill", "faults")
STATES, STATES_OF_SLICE = 5_000, 300
STATES_A_RECORDING = 150
POINTS_A_TASK = 20
HEAVY_POINTS = 400
"""Of the large workload only some, chosen by the seed; of the small ones every call."""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="a random one where left out")
    parser.add_argument("--states", type=int, metavar="N", help=f"power cuts, {STATES} otherwise")
    parser.add_argument("--slice", action="store_true", help="a sample of all, in about 20 seconds")
    parser.add_argument("--durability", choices=("full", "relaxed"), default="full")
    parser.add_argument("--tidemark", metavar="PATH", help="the command; TIDEMARK otherwise")
    parser.add_argument("--campaign", action="append", choices=CAMPAIGNS, help="only this; again")
    parser.add_argument("--jobs", type=int, metavar="N", default=os.cpu_count() or 1)
    parser.add_argument("--workspace", type=Path, metavar="DIR",
                        help="where states are laid out; /dev/shm where it is there")
    parser.add_argument("--again", type=Path, metavar="DIR", help="a recording that was kept")
    parser.add_argument("--state", metavar="K:MODE:SEED", help="the state of it to look at")
    parser.add_argument("--point", metavar="POINT", help="one fault, as a failure names it")
    parser.add_argument("--record", metavar="WORKLOAD:SEED", help="one workload without a crash")
    return parser.parse_args()


def main() -> int:
    options = parse()
    if options.tidemark:
        os.environ["TIDEMARK"] = os.path.abspath(options.tidemark)
    reason = cannot_run(options.durability == "relaxed")
    if reason:
        print(f"the fault campaign is skipped: {reason}")
        return 0
    parent = options.workspace or (Path("/dev/shm") if Path("/dev/shm").is_dir() else None)
    base = Path(tempfile.mkdtemp(prefix="tidemark-faults-", dir=parent)).resolve()
    settings = Settings(build_shim(base), base, options.durability == "relaxed")
    try:
        if options.again or options.point or options.record:
            return look_again(options, settings)
        return campaign(options, settings)
    finally:
        # Recordings with a failure stay; their commands name them.
        kept = [path for path in base.glob("*-*") if (path / "recording").exists()]
        if not kept:
            shutil.rmtree(base, ignore_errors=True)


def cannot_run(is_relaxed: bool) -> str | None:
    if sys.platform != "linux":
        return "it preloads a library as Linux does"
    if shutil.which("cc") is None:
        return "there is no C compiler (cc)"
    if command.binary() is None:
        return "there is no binary: build the command, or name it in TIDEMARK"
    if is_relaxed:
        usage = command.tidemark("apply", "--help").out
        if b"--durability" not in usage:
            return "this command has no --durability"
    return None


def build_shim(base: Path) -> Path:
    shim = base / "shim.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim, HERE / "shim.c"], check=True)
    return shim


# ---- Campaigns -----------------------------------------------------------------------------------


def campaign(options: argparse.Namespace, settings: Settings) -> int:
    seed = random.randrange(1 << 31) if options.seed is None else options.seed
    chosen = options.campaign or CAMPAIGNS
    print(f"seed {seed}, durability {options.durability}, {command.binary()}", flush=True)
    reports = {name: Report(name) for name in CAMPAIGNS if name in chosen}
    begun = time.monotonic()
    with ProcessPoolExecutor(max_workers=options.jobs) as pool:
        futures = {pool.submit(function, *arguments): function
                   for function, *arguments in tasks(options, settings, seed, chosen)}
        for future in as_completed(futures):
            report = future.result()
            reports[report.campaign].add(report)
            for failure in report.failures:
                print(f"{report.campaign}: {failure}", flush=True)
    return summarize(reports, time.monotonic() - begun, settings.is_relaxed)


def tasks(options, settings: Settings, seed: int, chosen) -> list[tuple]:
    """What is to be done, in parts for one process each; the long ones first."""
    dice = random.Random(seed)
    states = options.states or (STATES_OF_SLICE if options.slice else STATES)
    found: list[tuple] = []
    if "power" in chosen:
        each = 50 if options.slice else STATES_A_RECORDING
        found += [(campaigns.power, settings, seed + n, each) for n in range(-(-states // each))]
    if "rows" in chosen and not options.slice:
        found += [(campaigns.rows, settings, seed + n, 25) for n in range(-(-states // 1_000))]
    if "creation" in chosen:
        count = states // 5 if options.slice else states // 10
        found += [(campaigns.creation, settings, seed + n, count // 2) for n in range(2)]
    for name in ("kill", "faults"):
        if name in chosen:
            found += point_tasks(settings, name, dice, options.slice)
    if "selftest" in chosen:
        found += [(self_test, settings, seed, name) for name in SELF_TESTS
                  if not (settings.is_relaxed and name == "early")]
    return found


def point_tasks(settings: Settings, name: str, dice: random.Random, is_slice: bool) -> list[tuple]:
    found: list[Point] = []
    for which in workload.BENCHES:
        bench = campaigns.bench(settings, which)
        here = bench.kills() if name == "kill" else bench.faults()
        found += here if which != "heavy" else dice.sample(here, min(len(here), HEAVY_POINTS))
    dice.shuffle(found)
    if is_slice:
        found = found[:80]
    return [(campaigns.points, settings, name, found[n:n + POINTS_A_TASK])
            for n in range(0, len(found), POINTS_A_TASK)]


def summarize(reports: dict[str, Report], seconds: float, is_relaxed: bool) -> int:
    for name, report in reports.items():
        repeated = f", {report.repeated} more were equal to one of them" if report.repeated else ""
        kinds = "".join(f", {count} {kind}" for kind, count in sorted(report.kinds.items()))
        print(f"{name:9} {report.states} states{repeated}{kinds}")
        if is_relaxed and report.lost_max:
            print(f"{'':9} the longest lost tail: {report.lost_max} entries")
    states = sum(report.states for report in reports.values())
    failed = sum(len(report.failures) for report in reports.values())
    print(f"{seconds:.0f} s, {states / max(seconds, 0.001):.0f} states a second")
    print(f"{states} states, {failed} failed")
    return 0 if failed == 0 and states > 0 else 1


# ---- That it can fail ----------------------------------------------------------------------------

SELF_TESTS = {
    "sync": "a disk that only pretends to sync",
    "directories": "a disk that only pretends to sync directories",
    "early": "answers that come before the commit",
    "claimed": "an answer more than there was before the process ended",
}


def self_test(settings: Settings, seed: int, name: str) -> Report:
    """A lie that the campaign must notice."""
    report = Report("selftest")
    base = settings.base / f"selftest-{name}"
    lying = replace(settings, base=base, stops_at_failure=True)
    match name:
        case "sync":
            lying = replace(lying, lies=("sync", "at-once"), stops_at_failure=False)
            found = campaigns.power(lying, seed, 40)
        case "directories":
            found = campaigns.creation(replace(lying, lies=("directories",)), seed, 400)
        case "early":
            found = campaigns.power(replace(lying, early=3), seed, STATES_A_RECORDING)
        case _:
            lying = replace(lying, early=1)
            points = [p for p in campaigns.bench(lying, "single").kills() if p.step == 1]
            found = campaigns.points(lying, "kill", points)
    shutil.rmtree(base, ignore_errors=True)
    report.states = 1
    if not found.kinds.keys() & {"lost", "unopenable"}:
        message = f"{SELF_TESTS[name]} was not noticed in {found.states} states: {found.failures}"
        report.fail(campaigns.Failure("blind", message), f"--campaign selftest --seed {seed}")
    return report


# ---- One state again -----------------------------------------------------------------------------


def look_again(options: argparse.Namespace, settings: Settings) -> int:
    report = Report("again")
    if options.again:
        workspace = Workspace(options.again)
        recording = Recording.load(workspace)
        workspace.inodes.update(entry.file for entry in recording.records)
        print(f"{recording.names}, {len(recording.records)} records, left in {workspace.root}")
        campaigns.judge(settings, workspace, recording, [Cut.parse(options.state)], report)
    elif options.point:
        point = Point.parse(options.point)
        bench = campaigns.bench(settings, point.bench)
        bench.check(point, report)
    else:
        name, seed = options.record.split(":")
        steps = {
            "power": workload.long, "rows": workload.many, "creation": workload.creation
        }[name](int(seed), settings.is_relaxed)
        try:
            record(steps, Workspace.make(settings.base / "record"), settings.shim, name)
        except RecordingFailed as error:
            report.fail(campaigns.Failure("recording", str(error)), f"--record {options.record}")
        report.states = 1
    for failure in report.failures:
        print(failure)
    print(f"{report.states} states, {len(report.failures)} failed")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
