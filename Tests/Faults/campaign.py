"""What all campaigns have: their settings, and what they came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from checks import Failure


@dataclass(frozen=True)
class Settings:
    """What all campaigns of one run share."""

    shim: Path
    base: Path
    is_relaxed: bool = False
    lies: tuple[str, ...] = ()
    """What the disk only pretends to do."""
    early: int = 0
    """By how many records acknowledgements are taken to have come too early."""
    stops_at_failure: bool = False

    @property
    def flags(self) -> str:
        """What a command that looks at a failure again has to say."""
        return "--durability relaxed " if self.is_relaxed else ""


@dataclass
class Report:
    """What a part of a campaign came to."""

    campaign: str
    states: int = 0
    repeated: int = 0
    lost_max: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(self.kinds.values())

    def fail(self, failure: Failure, again: str) -> None:
        self.kinds[failure.kind] += 1
        self.failures.append(f"{failure}\n  again: python3 Tests/Faults/run.py {again}")

    def add(self, other: Report) -> None:
        self.states += other.states
        self.repeated += other.repeated
        self.lost_max = max(self.lost_max, other.lost_max)
        self.kinds += other.kinds
        self.failures += other.failures
