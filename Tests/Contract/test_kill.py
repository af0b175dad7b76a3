"""`kill -9` at random moments and at the very moment of an answer: what was acknowledged is there,
and no transaction in halves."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time

from command import DONE, CommandTest, Json, Store, operation
from invariants import assert_sound, events_of, transactions
from schemas import SOCIAL
from stream import Stream

ROUNDS = int(os.environ.get("KILLS", "15"))
ROUNDS_A_STORE = 4
LINES_MAX = 1_000
PAUSE_SECONDS = 0.0005
STARTUP_SECONDS = 0.15


class KillTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.dice = random.Random(int(os.environ.get("SEED", "1")))
        self.numbers = itertools.count(1)
        self.new_store()

    def new_store(self) -> None:
        path = self.directory / f"store{next(self.numbers)}"
        self.store = Store.create(path, SOCIAL, "a" * 16, "authority")

    def test_a_line_is_answered_as_it_comes(self) -> None:
        stream = Stream(self.store)
        self.addCleanup(stream.kill)
        for line in self.transaction(members=1):
            self.assertEqual(stream.submit(line)["decision"], "accepted")
        self.assertEqual(stream.finish(), DONE)

    def test_what_was_acknowledged_survives_a_kill(self) -> None:
        acknowledged = 0
        for round in range(ROUNDS):
            if round % ROUNDS_A_STORE == 0:
                self.new_store()
            with self.subTest(round=round):
                acknowledged += self.one_round(signal.SIGKILL)
        self.assertGreater(acknowledged, ROUNDS, "too few answers came for this test to say much")

    def test_an_interrupt_is_no_worse(self) -> None:
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(how.name):
                self.one_round(how)

    def one_round(self, how: signal.Signals) -> int:
        at_answer = how == signal.SIGKILL and self.dice.random() < 0.5
        stream = Stream(self.store, self.dice.randint(1, 40) if at_answer else None)
        lines: list[Json] = []
        feeder = threading.Thread(target=self.feed, args=(stream, lines), daemon=True)
        feeder.start()
        time.sleep(STARTUP_SECONDS * self.dice.random() * 4)
        answers = stream.kill(how)
        feeder.join()
        log = assert_sound(self.store)
        self.check_acknowledged(lines, answers, log)
        self.check_whole(lines, log)
        self.store.check()
        return len(answers)

    def feed(self, stream: Stream, lines: list[Json]) -> None:
        while len(lines) < LINES_MAX:
            part = self.transaction(members=self.dice.choice((1, 1, 3)))
            lines.extend(part)
            if not all(stream.feed(line) for line in part):
                return
            time.sleep(PAUSE_SECONDS)

    def transaction(self, members: int) -> list[Json]:
        """Creates with ids of their own; several in one transaction share a `tx`."""
        number = next(self.numbers)
        return [
            operation("create", "Note", f"{number}.{member} of {members}", {"title": str(number)},
                      tx=None if members == 1 else f"t{number}")
            for member in range(members)]

    def check_acknowledged(self, lines: list[Json], answers: list[Json], log: list[Json]) -> None:
        written = {line["dot"]: line for line in events_of(log)}
        for answer in answers:
            given = lines[answer["line"] - 1]
            self.assertEqual(answer["decision"], "accepted")
            self.assertTrue(answer["dot"] in written, f"not in the log, and acknowledged: {answer}")
            kept = written[answer["dot"]]
            self.assertEqual((kept["id"], kept["fields"]), (given["id"], given["fields"]))

    def check_whole(self, lines: list[Json], log: list[Json]) -> None:
        for members in transactions(log).values():
            wanted = int(members[0]["id"].split(" of ")[1])
            self.assertEqual(len(members), wanted, f"half a transaction: {members}")
        ids = [line["id"] for line in events_of(log)]
        self.assertEqual(len(ids), len(set(ids)), "a line was written twice")
