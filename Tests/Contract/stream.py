"""`apply -` as a stream: one line in, one answer out, while the process lives."""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
from typing import Any

from command import DOCUMENTED, TIMEOUT_SECONDS, Store, binary, encode, environment, parse_object

ANSWER_SECONDS = 10.0


class Stream:
    """A running `apply DIR - --json`. Answers are read as they come, by a thread of their own."""

    def __init__(self, store: Store, kill_at: int | None = None) -> None:
        """With `kill_at` it is killed the moment that this answer is read."""
        path = binary()
        assert path is not None
        self.process = subprocess.Popen(
            [path, "apply", store.path, "-", "--json"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment())
        self.kill_at = kill_at
        self.answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        """Whole lines only: half an answer acknowledges nothing."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):
                answer = parse_object(line[:-1])
                if answer["line"] == self.kill_at:
                    self.process.kill()
                self.answers.put(answer)
        self.answers.put(None)

    def feed(self, *operations: dict[str, Any]) -> bool:
        """Writes lines; false where nobody reads them any more."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(encode(operations))
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return False
        return True

    def submit(self, operation: dict[str, Any]) -> dict[str, Any] | None:
        """One line and its answer; `None` where the process ended without one."""
        if not self.feed(operation):
            return None
        try:
            return self.answers.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            raise AssertionError("a line on standard input is not answered as it comes") from None

    def finish(self) -> int:
        """Ends the input and waits for the process."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        status = self.process.wait(TIMEOUT_SECONDS)
        assert status in DOCUMENTED, f"ended with {status}"
        return status

    def kill(self, how: signal.Signals = signal.SIGKILL) -> list[dict[str, Any]]:
        """Kills it; returns every answer that had come and was not taken yet."""
        self.process.send_signal(how)
        self.process.wait(TIMEOUT_SECONDS)
        self.reader.join(TIMEOUT_SECONDS)
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        taken = []
        while not self.answers.empty():
            answer = self.answers.get()
            if answer is not None:
                taken.append(answer)
        return taken
