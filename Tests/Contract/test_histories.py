"""Random histories. `SEEDS` says how many; `SEED` replays one."""

from __future__ import annotations

import os

from command import CommandTest
from scenario import History

FIRST_SEED = 1


class HistoriesTest(CommandTest):
    def test_every_store_shows_what_the_model_makes_of_its_log_and_all_converge(self) -> None:
        for seed in seeds():
            with self.subTest(seed=seed):
                directory = self.directory / str(seed)
                directory.mkdir()
                print(f"seed {seed}", flush=True)
                history = History(seed, directory)
                try:
                    history.run()
                except AssertionError as error:
                    steps = "\n".join(history.trace)
                    self.fail(f"{error}\nreplay: SEED={seed}\n{steps}")


def seeds() -> range:
    if "SEED" in os.environ:
        seed = int(os.environ["SEED"])
        return range(seed, seed + 1)
    return range(FIRST_SEED, FIRST_SEED + int(os.environ.get("SEEDS", "4")))
