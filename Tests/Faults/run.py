"""Fault injection: `python3 Tests/Faults/run.py [--slice] [--seed S] [--states N] …`.

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
import traceback
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Contract")]

import command  # noqa: E402 - found only once its directory is on the path
import points  # noqa: E402
import power  # noqa: E402
import selftest  # noqa: E402
import workload  # noqa: E402
from campaign import Report, Settings  # noqa: E402
from checks import Failure  # noqa: E402
from points import Point  # noqa: E402
from power import Cut  # noqa: E402
from session import Recording, RecordingFailed, record  # noqa: E402
from workspace import Workspace  # noqa: E402

CAMPAIGNS = ("selftest", "power", "rows", "creation", "kill", "faults")
STATES, STATES_OF_SLICE = 5_000, 200
STATES_A_RECORDING, STATES_A_RECORDING_OF_SLICE, STATES_OF_ROWS = 150, 50, 25
POINTS_OF_SLICE = 60
POINTS_A_TASK = 20
HEAVY_POINTS = 400
"""Of the large workload only some, chosen by the seed; of the small ones every call."""
FAILURES_SHOWN = 10


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="a random one where left out")
    parser.add_argument("--states", type=int, metavar="N", help=f"power cuts, {STATES} otherwise")
    parser.add_argument("--slice", action="store_true", help="a sample of all, in half a minute")
    parser.add_argument("--durability", choices=("full", "relaxed"), default="full")
    parser.add_argument("--tidemark", metavar="PATH", help="the command; TIDEMARK otherwise")
    parser.add_argument("--campaign", action="append", choices=CAMPAIGNS,
                        help="only this one; may be given again")
    parser.add_argument("--jobs", type=int, metavar="N", default=os.cpu_count() or 1)
    parser.add_argument("--workspace", type=Path, metavar="DIR",
                        help="where states are laid out; /dev/shm where that is there")
    parser.add_argument("--again", type=Path, metavar="DIR", help="a recording that was kept")
    parser.add_argument("--state", type=Cut.parse, metavar="K:MODE:SEED", help="a state of it")
    parser.add_argument("--point", type=Point.parse, help="one fault, as a failure names it")
    parser.add_argument("--record", metavar="WORKLOAD:SEED", help="a workload without a crash")
    options = parser.parse_args()
    if bool(options.again) != bool(options.state):
        parser.error("--again and --state go together")
    return options


def main() -> int:
    options = parse()
    if options.tidemark:
        os.environ["TIDEMARK"] = os.path.abspath(options.tidemark)
    is_relaxed = options.durability == "relaxed"
    reason = cannot_run(is_relaxed)
    if reason:
        print(f"the fault campaigns are skipped: {reason}")
        return 0
    parent = options.workspace or (Path("/dev/shm") if Path("/dev/shm").is_dir() else None)
    base = Path(tempfile.mkdtemp(prefix="tidemark-faults-", dir=parent)).resolve()
    try:
        settings = Settings(build_shim(base), base, is_relaxed)
        if options.again or options.point or options.record:
            return look_again(options, settings)
        return run_campaigns(options, settings)
    finally:
        clean(base)


def cannot_run(is_relaxed: bool) -> str | None:
    if sys.platform != "linux":
        return "a library is preloaded as Linux does it"
    if shutil.which("cc") is None:
        return "there is no C compiler (cc)"
    if command.binary() is None:
        return "there is no binary: build the command, or name it in TIDEMARK"
    if is_relaxed and b"--durability" not in command.tidemark("apply", "--help").out:
        return "this command's apply has no --durability"
    return None


def build_shim(base: Path) -> Path:
    shim = base / "shim.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim, HERE / "shim.c"], check=True)
    return shim


def clean(base: Path) -> None:
    """Recordings with a failure stay, for their commands name them."""
    kept = [path for path in base.iterdir() if (path / "recording").exists()]
    for path in base.iterdir():
        if path.is_dir() and path not in kept:
            shutil.rmtree(path, ignore_errors=True)
    if kept:
        print(f"{len(kept)} recordings with a failure stay in {base}: remove it when done",
              file=sys.stderr)
    else:
        shutil.rmtree(base, ignore_errors=True)


# ---- Campaigns -----------------------------------------------------------------------------------

Task = tuple[Any, ...]
"""A function that returns a report, and its arguments; one process runs it."""


def run_campaigns(options: argparse.Namespace, settings: Settings) -> int:
    seed = random.randrange(1 << 31) if options.seed is None else options.seed
    chosen = options.campaign or CAMPAIGNS
    print(f"seed {seed}, durability {options.durability}, {command.binary()}", flush=True)
    reports = {name: Report(name) for name in (*CAMPAIGNS, "broken")}
    begun = time.monotonic()
    with ProcessPoolExecutor(max_workers=options.jobs) as pool:
        futures = [pool.submit(*task) for task in tasks(options, settings, seed, chosen)]
        for future in as_completed(futures):
            report = result(future, seed)
            left = FAILURES_SHOWN - len(reports[report.campaign].failures)
            for failure in report.failures[:max(left, 0)]:
                print(f"{report.campaign}: {failure}", flush=True)
            reports[report.campaign].add(report)
    return summarize(reports, time.monotonic() - begun, settings.is_relaxed)


def result(future: Future[Report], seed: int) -> Report:
    """What a task came to; one that could not go on is a failure, and the others go on."""
    try:
        return future.result()
    except Exception as error:
        report = Report("broken")
        message = "".join(traceback.format_exception(error))
        report.fail(Failure("broken", message), f"--seed {seed}")
        return report


def tasks(
    options: argparse.Namespace, settings: Settings, seed: int, chosen: list[str]
) -> list[Task]:
    is_slice = options.slice
    states = options.states or (STATES_OF_SLICE if is_slice else STATES)
    found: list[Task] = []
    if "rows" in chosen and not is_slice:
        found += [(power.rows, settings, seed + n, STATES_OF_ROWS)
                  for n in range(-(-states // 1_000))]
    if "power" in chosen:
        each = STATES_A_RECORDING_OF_SLICE if is_slice else STATES_A_RECORDING
        found += [(power.cuts, settings, seed + n, each) for n in range(-(-states // each))]
    if "creation" in chosen:
        found += [(power.creation, settings, seed + n, states // 10) for n in range(2)]
    dice = random.Random(seed)
    for name in ("kill", "faults"):
        if name in chosen:
            found += point_tasks(settings, name, dice, is_slice)
    if "selftest" in chosen:
        found += [(selftest.run, settings, seed, name)
                  for name in selftest.names(settings.is_relaxed)]
    return found


def point_tasks(
    settings: Settings, name: str, dice: random.Random, is_slice: bool
) -> list[Task]:
    found: list[Point] = []
    for which in workload.BENCHES:
        if which == "heavy" and is_slice:
            continue
        bench = points.bench(settings, which)
        here = bench.kills() if name == "kill" else bench.faults()
        if which == "heavy":
            here = dice.sample(here, min(len(here), HEAVY_POINTS))
        found += here
    dice.shuffle(found)
    if is_slice:
        found = found[:POINTS_OF_SLICE]
    return [(points.check, settings, name, found[n:n + POINTS_A_TASK])
            for n in range(0, len(found), POINTS_A_TASK)]


def summarize(reports: dict[str, Report], seconds: float, is_relaxed: bool) -> int:
    for name, report in reports.items():
        if not report.states and not report.failures:
            continue
        kinds = "".join(f", {count} {kind}" for kind, count in sorted(report.kinds.items()))
        repeated = f" ({report.repeated} more were equal to one)" if report.repeated else ""
        print(f"{name:9} {report.states} states{repeated}{kinds}")
        if is_relaxed and report.lost_max:
            print(f"{'':9} the longest tail that a power cut took: {report.lost_max} entries")
    states = sum(report.states for report in reports.values())
    failed = sum(report.failed for report in reports.values())
    print(f"{seconds:.0f} s, {states / max(seconds, 0.001):.0f} states a second")
    print(f"{states} states, {failed} failed")
    return 0 if failed == 0 and states > 0 else 1


# ---- One state again -----------------------------------------------------------------------------


def look_again(options: argparse.Namespace, settings: Settings) -> int:
    report = Report("again")
    if options.again:
        workspace = Workspace(options.again)
        recording = Recording.load(workspace)
        workspace.inodes.update(entry.file for entry in recording.records)
        print(f"{recording.name}, after {options.state.at} of {len(recording.records)} records; "
              f"as the checks left it: {workspace.root}")
        power.judge(settings, workspace, recording, [options.state], report)
    elif options.point:
        points.bench(settings, options.point.bench).check(options.point, report)
    else:
        name, seed = options.record.split(":")
        steps = power.WORKLOADS[name](int(seed), settings.is_relaxed)
        report.states = 1
        try:
            record(steps, Workspace.make(settings.base / "record"), settings.shim, name)
        except RecordingFailed as error:
            report.fail(Failure("recording", str(error)), f"--record {options.record}")
    for failure in report.failures:
        print(failure)
    print(f"{report.states} states, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
