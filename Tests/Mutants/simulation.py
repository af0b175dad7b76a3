"""Builds the sources with planted faults, and sees that the simulator catches each.

    python3 Tests/Mutants/simulation.py [--runs 10000] [--only TEXT] [--directory DIR]

A simulator that has not caught a planted fault proves nothing. The faults are in `mutants.py`. The sources
are copied, and the copy is changed; what is in this tree stays as it is. A text that is not found any
more is an error: the fault is to be moved to where the code went.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from mutants import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUESTION = """#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The planted fault that is on; 0 for none.
private let chosenMutant: Int32 = {
  guard let text = unsafe getenv("TIDEMARK_MUTANT") else { return 0 }
  return unsafe atoi(text)
}()

public func isMutant(_ number: Int32) -> Bool { chosenMutant == number }
"""


def plant(directory):
    """Copies the sources, and plants every fault."""
    for name in ("Package.swift", "Package.resolved", "Sources", "Tests"):
        source = ROOT / name
        target = directory / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    (directory / "Sources/TidemarkEvents/Mutant.swift").write_text(QUESTION)
    for number, (name, places) in enumerate(MUTANTS.items(), 1):
        for path, text, replacement, *count in places:
            file = directory / path
            source = file.read_text()
            wanted = count[0] if count else 1
            if source.count(text) != wanted:
                sys.exit(f"mutant {number}, {name}: {path} holds {source.count(text)} times: {text}")
            file.write_text(source.replace(text, replacement.replace("MUTANT", f"isMutant({number})")))


def build(directory):
    subprocess.run(
        ["swift", "build", "--configuration", "release", "--product", "tidemark"],
        cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return directory / ".build/release/tidemark"


def simulate(command, number, runs, seconds, directory):
    """How a campaign with one fault ended: its exit status and what it said."""
    environment = dict(os.environ, TIDEMARK_MUTANT=str(number), SWIFT_BACKTRACE="enable=no")
    done = subprocess.run(
        [command, "simulate", "--runs", str(runs), "--seconds", str(seconds), "--no-shrink",
         "--output", str(directory)],
        env=environment, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip().split("\n")[0]


def main():
    parser = argparse.ArgumentParser(description="Sees that planted faults are caught.")
    parser.add_argument("--runs", type=int, default=10000)
    parser.add_argument("--seconds", type=float, default=600, help="at most so long for each")
    parser.add_argument("--only", default="", help="faults whose names hold this text")
    parser.add_argument("--directory", default="/tmp/tidemark-mutants", help="where to build")
    options = parser.parse_args()
    directory = pathlib.Path(options.directory)
    directory.mkdir(exist_ok=True)
    plant(directory)
    command = build(directory)
    status, said = simulate(command, 0, 20, options.seconds, directory)
    if status != 0:
        sys.exit(f"without a fault the simulator must not fail: {said}")
    survivors = []
    last = 0
    for number, name in enumerate(MUTANTS, 1):
        if options.only not in name:
            continue
        started = time.monotonic()
        status, said = simulate(command, number, options.runs, options.seconds, directory)
        if status == 0:
            survivors.append(name)
        # The seeds count the runs.
        found = re.match(r"seed (\d+) fails: (\S+)", said)
        last = max(last, int(found[1]) if found else 0)
        verdict = f"run {found[1]}, {found[2].rstrip(':')}" if found else "SURVIVES"
        print(f"{number:3} {name:42} {verdict:28} {time.monotonic() - started:6.1f} s", flush=True)
    # What catches a fault must be the fault, and not a seed that fails by itself.
    status, said = simulate(command, 0, last, options.seconds, directory)
    if status != 0:
        sys.exit(f"without a fault the simulator must not fail: {said}")
    caught = sum(1 for name in MUTANTS if options.only in name) - len(survivors)
    print(f"{caught} caught, {len(survivors)} survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
