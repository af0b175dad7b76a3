"""Runs the contract suite: `python3 Tests/Contract/run.py [--seeds N] [-k PATTERN] [--jobs N]`.

Classes of tests run side by side, each in a process of its own. The last line is
`N passed, N failed, N skipped`; the exit status is 0 only if nothing failed and a binary was there
to be tested.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
import unittest
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import command  # noqa: E402 - found only once its directory is on the path


@dataclass(frozen=True)
class Report:
    """What one class of tests came to."""

    text: str
    total: int
    failed: int
    skipped: int
    timings: list[tuple[float, str]]


class Result(unittest.TextTestResult):
    """Counts tests, not subtests: one with a failing subtest is one failure."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.failed: set[str] = set()
        self.timings: list[tuple[float, str]] = []

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.started = time.monotonic()

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.timings.append((time.monotonic() - self.started, test.id()))

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self.failed.add(test.id())

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self.failed.add(test.id())

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.failed.add(test.id())


def test_names(patterns: list[str]) -> dict[str, list[str]]:
    """The names of the chosen tests, by class."""
    loader = unittest.TestLoader()
    if patterns:
        loader.testNamePatterns = [p if "*" in p else f"*{p}*" for p in patterns]
    waiting: list[Any] = [loader.discover(str(HERE), "test_*.py", str(HERE))]
    classes: dict[str, list[str]] = {}
    while waiting:
        item = waiting.pop()
        if isinstance(item, unittest.TestSuite):
            waiting.extend(item)
        else:
            classes.setdefault(item.id().rsplit(".", 1)[0], []).append(item.id())
    return classes


def run_class(names: list[str]) -> Report:
    stream = io.StringIO()
    suite = unittest.TestLoader().loadTestsFromNames(sorted(names))
    runner = unittest.TextTestRunner(stream=stream, verbosity=2, resultclass=Result)
    result = runner.run(suite)
    # A class that cannot be set up counts all its tests, as failed or as skipped.
    not_run = len(names) - result.testsRun
    whole = any("setUpClass" in name for name in result.failed)
    failed = not_run if whole else len(result.failed)
    skipped = len([t for t, _ in result.skipped if "setUpClass" not in t.id()])
    skipped += 0 if whole else not_run
    return Report(stream.getvalue(), len(names), failed, skipped, result.timings)


def run(classes: dict[str, list[str]], jobs: int) -> list[Report]:
    """Each class's report, printed as it comes; those known to take long go first."""
    long = ("Histories", "Kill", "RealInput", "BadInput", "Damage", "Enforce")
    order = sorted(classes, key=lambda name: not any(part in name for part in long))
    reports = []
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(run_class, classes[name]) for name in order]
        for future in as_completed(futures):
            reports.append(future.result())
            print(reports[-1].text, flush=True)
    return reports


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, metavar="N", help="random histories to run")
    parser.add_argument("-k", dest="patterns", action="append", default=[], metavar="PATTERN",
                        help="only tests whose names hold this")
    parser.add_argument("--jobs", type=int, metavar="N", default=os.cpu_count() or 1,
                        help="classes to run side by side")
    parser.add_argument("--timings", action="store_true", help="list the ten slowest tests")
    options = parser.parse_args()
    if options.seeds is not None:
        os.environ["SEEDS"] = str(options.seeds)

    reports = run(test_names(options.patterns), options.jobs)
    if options.timings:
        for seconds, name in sorted((t for r in reports for t in r.timings), reverse=True)[:10]:
            print(f"{seconds:7.2f} s  {name}")
    total = sum(report.total for report in reports)
    failed = sum(report.failed for report in reports)
    skipped = sum(report.skipped for report in reports)
    if command.binary() is None:
        print("There is no binary to test: run `swift build`, or name one in TIDEMARK.")
    print(f"{total - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 0 if failed == 0 and total > 0 and command.binary() is not None else 1


if __name__ == "__main__":
    sys.exit(main())
