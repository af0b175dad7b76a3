"""Runs steps under the shim, and keeps what is needed to judge a crash afterwards."""

from __future__ import annotations

import os
import pickle
import select
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from command import Json, Outcome, binary, encode, environment, parse_lines
from replay import Disk, Tree
from shimlog import Record, read_log
from workload import CLOUD, PHONE, Step
from workspace import Workspace

HANG_SECONDS = 30
"""Waited a second at a time, so that it is no hang where all of this was stopped for a while."""

KILLED = 99
"""How the shim ends a process."""

BYTES_SHARED_BY_MAP = {"lock.mdb": 1 << 20, "journal-0": 4096}
"""So many first bytes no log can hold to the end, since other processes store into their maps."""


@dataclass
class Ran:
    """How one step went."""

    status: int
    answers: list[Json]
    message: str
    process: int
    is_hung: bool = False

    @property
    def is_done(self) -> bool:
        return self.status in (0, 1) and not self.is_hung


def under_shim(workspace: Workspace, shim: Path, **plan: str) -> dict[str, str]:
    """The environment of a process that is watched; `plan` is FAULT, SHORT or KILLAT."""
    return environment(LD_PRELOAD=str(shim), FAULTS_ROOT=str(workspace.root),
                       FAULTS_LOG=str(workspace.log), **plan)


def run_step(step: Step, workspace: Workspace, env: dict[str, str]) -> Ran:
    """Runs the command to its end, or until it hangs."""
    path = binary()
    assert path is not None, "no binary"
    process = subprocess.Popen(
        [path, *step.arguments], cwd=workspace.root, env=env, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    assert process.stdin and process.stdout and process.stderr
    feed = Feed(process)
    try:
        for number, group in enumerate(step.groups):
            if step.between and number == len(step.groups) // 2:
                visit(step.between, workspace, env)
            if not feed.give(group):
                break
        feed.close()
        status = process.wait(HANG_SECONDS)
    except (TimeoutError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()
        return Ran(-9, feed.answers(), "it was still running", process.pid, is_hung=True)
    finally:
        message = process.stderr.read().decode("utf-8", "replace")
        for pipe in (process.stdout, process.stderr):
            pipe.close()
    return Ran(status, feed.answers(), message, process.pid)


def visit(step: Step, workspace: Workspace, env: dict[str, str]) -> None:
    """Another process, and how it ended is a matter of its own."""
    ran = run_step(step, workspace, env)
    if not ran.is_done:
        raise RecordingFailed(f"{step}, while another writes: exit {ran.status}: {ran.message}")


class Feed:
    """Gives groups of lines, each when the one before is answered."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.out = bytearray()
        self.given = 0
        assert process.stdin
        # A group may be larger than the pipe, and the answers as well.
        os.set_blocking(process.stdin.fileno(), False)

    def give(self, group: list[Json]) -> bool:
        """False where the process ended without answering."""
        assert self.process.stdin and self.process.stdout
        content = memoryview(encode(group))
        self.given += len(group)
        while content or self.out.count(b"\n") < self.given:
            readable, writable = self.wait(writes=bool(content))
            if writable:
                try:
                    content = content[os.write(self.process.stdin.fileno(), content):]
                except BrokenPipeError:
                    return False
            if readable and not self.read():
                return False
        return True

    def wait(self, writes: bool) -> tuple[bool, bool]:
        """Until there is something to read, or room to write."""
        assert self.process.stdin and self.process.stdout
        inputs, outputs = [self.process.stdout], [self.process.stdin] if writes else []
        for _ in range(HANG_SECONDS):
            readable, writable, _ = select.select(inputs, outputs, [], 1)
            if readable or writable:
                return bool(readable), bool(writable)
        raise TimeoutError

    def read(self) -> bool:
        assert self.process.stdout
        part = os.read(self.process.stdout.fileno(), 1 << 16)
        self.out += part
        return bool(part)

    def close(self) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        while self.wait(writes=False) and self.read():
            pass

    def answers(self) -> list[Json]:
        """Whole lines only: half an answer acknowledges nothing."""
        end = self.out.rfind(b"\n") + 1
        return parse_lines(bytes(self.out[:end]))


def finish(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Outcome:
    """Runs the command to its end. Raises `TimeoutError` where it does not come to one."""
    path = binary()
    assert path is not None, "no binary"
    words = [os.fspath(argument) for argument in arguments]
    process = subprocess.Popen([path, *words], cwd=cwd, env=environment(), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(HANG_SECONDS):
        try:
            out, err = process.communicate(stdin, timeout=1)
        except subprocess.TimeoutExpired:
            continue
        return Outcome(tuple(words), process.returncode, out, err)
    process.kill()
    process.communicate()
    raise TimeoutError(f"tidemark {' '.join(words)}")


def log_lines(store: Path) -> list[Json]:
    """What the log of a store holds, read from a copy, so that the store itself stays as it is."""
    if not (store / "data.mdb").exists():
        return []
    copy = store.parent.parent / "copy"
    shutil.copytree(store, copy)
    try:
        run = finish("log", copy, "--json")
        if run.status != 0:
            raise RecordingFailed(f"after the recording, with no crash: {run}")
        return run.lines
    finally:
        shutil.rmtree(copy)


class RecordingFailed(Exception):
    """A workload did not run as it should, with no crash at all."""


@dataclass
class Taken:
    """One step of a recording, and what the stores held when it had ended."""

    step: Step
    ran: Ran
    after: dict[str, list[Json]]
    before: Tree | None = None
    """All files as they were before it, where they are wanted."""


@dataclass
class Recording:
    """A workload that ran to its end, with everything that it did to its files."""

    steps: list[Taken] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    name: str = ""

    def save(self, workspace: Workspace) -> None:
        with open(workspace.path / "recording", "wb") as file:
            pickle.dump((self.name, self.steps), file)

    @staticmethod
    def load(workspace: Workspace) -> Recording:
        with open(workspace.path / "recording", "rb") as file:
            name, steps = pickle.load(file)
        return Recording(steps, read_log(workspace.log), name)


def record(
    steps: list[Step], workspace: Workspace, shim: Path, name: str, keeps_trees: bool = False
) -> Recording:
    """Runs a workload; where a step was made to fail, the next one takes up what it left."""
    recording = Recording(name=name)
    held_before: list[Json] = []
    for step in steps:
        previous = recording.steps[-1] if recording.steps else None
        before = previous.after if previous else {CLOUD: [], PHONE: []}
        if step.fault:
            held_before = before[step.store]
        if previous and previous.step.fault:
            step = resumed(previous, step, len(held_before))
        plan = {"FAULT": step.fault} if step.fault else {}
        tree = workspace.tree() if keeps_trees else None
        ran = run_step(step, workspace, under_shim(workspace, shim, **plan))
        if ran.is_hung or (not step.fault and not ran.is_done):
            raise RecordingFailed(f"{step}: exit {ran.status}: {ran.message}")
        after = {**before, **{store: log_lines(workspace.root / store) for store in step.writes}}
        recording.steps.append(Taken(step, ran, after, tree))
    recording.records = read_log(workspace.log)
    workspace.inodes.update(entry.file for entry in recording.records)
    check_explains(recording.records, workspace)
    return recording


def resumed(previous: Taken, step: Step, before: int) -> Step:
    """The lines that a failed step neither answered nor wrote."""
    log = previous.after[step.store]
    rest = rest_of(previous.step, previous.ran.answers, log[before:])
    return Step("apply", step.store, groups=rest, is_relaxed=step.is_relaxed)


def rest_of(step: Step, answers: list[Json], written: list[Json]) -> list[list[Json]]:
    """The lines, in their groups, that are neither answered nor among what the step wrote."""
    events = [line for line in written if line["kind"] != "tombstone"]
    rest: list[list[Json]] = []
    number, taken = 0, 0
    for group in step.groups:
        left = []
        for line in group:
            number += 1
            is_answered = number <= len(answers)
            if is_answered and "dot" not in answers[number - 1]:
                continue
            event = events[taken] if taken < len(events) else {}
            if (event.get("kind"), event.get("id")) == (line["op"], line["id"]):
                taken += 1
            elif not is_answered:
                left.append(line)
        if left:
            rest.append(left)
    return rest


def check_explains(records: list[Record], workspace: Workspace) -> None:
    """The log accounts for every byte that is there: nothing was written behind the shim's back."""
    disk = Disk()
    for entry in records:
        disk.apply(entry)
    expected, actual = disk.live(), workspace.tree()
    if sorted(expected.directories) != actual.directories:
        raise RecordingFailed(f"directories: {expected.directories}, and not {actual.directories}")
    if expected.files.keys() != actual.files.keys():
        raise RecordingFailed(f"files: {sorted(expected.files)}, and not {sorted(actual.files)}")
    for name, (inode, content) in actual.files.items():
        first = BYTES_SHARED_BY_MAP.get(Path(name).name, 0)
        known, bytes_known = expected.files[name]
        if (known, bytes_known[first:]) != (inode, content[first:]):
            raise RecordingFailed(f"{name} holds what no call has written")
