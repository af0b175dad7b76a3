"""What a disk may hold after a power cut: from a log that `shim.c` wrote, a moment and a seed.

    python3 Tests/Faults/replay.py LOG TARGET --at K --mode page|sector --seed S

The model, which is what a file system may do, not what one of them does:
- a sync makes durable what was written to its file before it began; a write through a descriptor
  opened with O_DSYNC or O_SYNC makes durable the pages that it touches, and the size that it needs;
- everything else is in the page cache. There a page, or in the other mode a sector of 512 bytes, is
  on the disk as it was after any number of its writes, whatever became of its neighbours;
- a size is as it was after any number of its changes. What it covers and was not written is zeros.
  What came after a cut of the file is there only with the cut;
- a name is durable when its directory was synced. Before that any of the changes to a directory may
  be there without the others, a rename within a directory as a whole;
- a sync that failed leaves its pages clean in the cache: no later sync writes them, unless they are
  written again. They may or may not be on the disk.
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterable, Iterator

from shimlog import Kind, Record, read_log

PAGE = 4096
SECTOR = 512
ATOMS = {"page": PAGE, "sector": SECTOR}

LIES = ("sync", "at-once", "directories")
"""What a disk can be made to lie about, so that a campaign can be seen to fail: syncs of files,
what O_DSYNC promises, syncs of directories."""

KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16


class ReplayError(Exception):
    """The log holds something that the replay cannot follow."""


@dataclass(slots=True)
class Dice:
    """The choices of one power cut. Each file, and each directory, has its own luck."""

    random: random.Random
    luck: str = "random"

    LUCKS = ("none", "all", "random", "random", "mostly", "rarely")

    def turn(self) -> None:
        self.luck = self.random.choice(Dice.LUCKS)

    def pick(self, low: int, high: int) -> int:
        """How many of the changes that may be there are there."""
        if low >= high or self.luck == "none":
            return low
        if self.luck == "all":
            return high
        if self.luck == "mostly" and self.random.random() < 0.9:
            return high
        if self.luck == "rarely" and self.random.random() < 0.9:
            return low
        return self.random.randint(low, high)


@dataclass(slots=True)
class Chunk:
    """A change to one page that is not durable yet."""

    index: int
    offset: int
    data: bytes
    is_cut: bool

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


@dataclass(slots=True)
class SizeChange:
    index: int
    size: int
    is_cut: bool


@dataclass
class File:
    """An inode: what of it is durable, and what came after that."""

    image: bytearray = field(default_factory=bytearray)
    durable_size: int = 0
    size: int = 0
    pages: dict[int, list[Chunk]] = field(default_factory=dict)
    sizes: list[SizeChange] = field(default_factory=list)
    stranded: dict[int, int] = field(default_factory=dict)
    """Pages that a failed sync has left clean: how many records there were when it began."""

    def write(self, index: int, offset: int, data: bytes, at_once: bool = False) -> None:
        end = offset + len(data)
        if end > self.size:
            self.size = end
            self.sizes.append(SizeChange(index, end, False))
        pages = range(offset // PAGE, (end + PAGE - 1) // PAGE)
        for page in pages:
            low, high = max(offset, page * PAGE), min(end, (page + 1) * PAGE)
            chunk = Chunk(index, low, data[low - offset:high - offset], False)
            self.pages.setdefault(page, []).append(chunk)
        if at_once:
            for page in pages:
                self.settle(page, index + 1)
            if end > self.durable_size:
                self.settle_size(index + 1)

    def resize(self, index: int, size: int) -> None:
        if size < self.size:
            self.clear(index, size, self.size, is_cut=True)
        if size != self.size:
            self.sizes.append(SizeChange(index, size, size < self.size))
        self.size = size

    def clear(self, index: int, low: int, high: int, is_cut: bool = False) -> None:
        for page in range(low // PAGE, (high + PAGE - 1) // PAGE):
            begin, end = max(low, page * PAGE), min(high, (page + 1) * PAGE)
            self.pages.setdefault(page, []).append(Chunk(index, begin, bytes(end - begin), is_cut))

    def sync(self, begun: int) -> None:
        for page in list(self.pages):
            since = self.stranded.get(page)
            if since is not None:
                if not any(since <= chunk.index < begun for chunk in self.pages[page]):
                    continue
                del self.stranded[page]
            self.settle(page, begun)
        self.settle_size(begun)

    def fail_sync(self, begun: int) -> None:
        for page, chunks in self.pages.items():
            if chunks[0].index < begun:
                self.stranded[page] = begun

    def settle(self, page: int, begun: int) -> None:
        """What was done to a page before that is durable."""
        left = []
        for chunk in self.pages[page]:
            if chunk.index < begun:
                put(self.image, chunk.offset, chunk.data)
            else:
                left.append(chunk)
        if left:
            self.pages[page] = left
        else:
            del self.pages[page]
            self.stranded.pop(page, None)

    def settle_size(self, begun: int) -> None:
        while self.sizes and self.sizes[0].index < begun:
            self.durable_size = self.sizes.pop(0).size

    def crash(self, dice: Dice, atom: int) -> bytes:
        dice.turn()
        kept = dice.pick(0, len(self.sizes))
        size = self.sizes[kept - 1].size if kept else self.durable_size
        cut = max((s.index for s in self.sizes[:kept] if s.is_cut), default=-1)
        uncut = min((s.index for s in self.sizes[kept:] if s.is_cut), default=None)
        dice.turn()
        out = bytearray(self.image)
        for page in sorted(self.pages):
            for begin in range(page * PAGE, (page + 1) * PAGE, atom):
                touching = [c for c in self.pages[page]
                            if c.offset < begin + atom and c.end > begin]
                low = sum(c.index <= cut for c in touching)
                high = len(touching) if uncut is None else sum(c.index < uncut for c in touching)
                for chunk in touching[:dice.pick(low, high)]:
                    first, last = max(begin, chunk.offset), min(begin + atom, chunk.end)
                    put(out, first, chunk.data[first - chunk.offset:last - chunk.offset])
        return sized(out, size)

    def live(self) -> bytes:
        """As the program itself sees it."""
        out = bytearray(self.image)
        chunks = sorted((c for page in self.pages.values() for c in page), key=lambda c: c.index)
        for chunk in chunks:
            put(out, chunk.offset, chunk.data)
        return sized(out, self.size)


def put(image: bytearray, offset: int, data: bytes) -> None:
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset:offset + len(data)] = data


def sized(image: bytearray, size: int) -> bytes:
    return bytes(image[:size]) if len(image) >= size else bytes(image) + bytes(size - len(image))


DIRECTORY = -1
"""Stands for an inode where a name leads to a directory."""


@dataclass(slots=True)
class NameChange:
    index: int
    set: str | None = None
    removed: str | None = None
    file: int = 0

    def apply(self, names: dict[str, int]) -> None:
        if self.set is not None:
            names[self.set] = self.file
        if self.removed is not None and (self.set is None or names.get(self.removed) == self.file):
            names.pop(self.removed, None)


@dataclass
class Directory:
    names: dict[str, int] = field(default_factory=dict)
    changes: list[NameChange] = field(default_factory=list)

    def sync(self, begun: int) -> None:
        while self.changes and self.changes[0].index < begun:
            self.changes.pop(0).apply(self.names)

    def crash(self, dice: Dice) -> dict[str, int]:
        dice.turn()
        names = dict(self.names)
        for change in self.changes:
            if dice.pick(0, 1):
                change.apply(names)
        return names

    def live(self) -> dict[str, int]:
        names = dict(self.names)
        for change in self.changes:
            change.apply(names)
        return names


@dataclass
class Tree:
    """A directory's content: files by name with their inodes, and the directories in it."""

    files: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)


class Disk:
    """The watched directory, which was empty when the log began."""

    def __init__(self, lies: Iterable[str] = ()) -> None:
        self.lies = frozenset(lies)
        self.files: dict[int, File] = {}
        self.directories: dict[str, Directory] = {"": Directory()}

    def apply(self, record: Record) -> None:
        match record.kind:
            case Kind.OPEN:
                self.open(record)
            case Kind.WRITE:
                at_once = bool(record.flags & 1) and "at-once" not in self.lies
                self.file(record).write(record.index, record.offset, record.data, at_once)
            case Kind.STORE:
                # What a map shows behind the end of its file is no part of the file.
                data = record.data[:max(self.file(record).size - record.offset, 0)]
                self.file(record).write(record.index, record.offset, data)
            case Kind.TRUNCATE:
                self.file(record).resize(record.index, record.length)
            case Kind.ALLOCATE:
                self.allocate(record)
            case Kind.RENAME:
                self.rename(record)
            case Kind.LINK:
                self.change(record, record.name, record.file)
            case Kind.UNLINK:
                self.change(record, record.name, None)
            case Kind.MKDIR:
                self.directories[record.name] = Directory()
                self.change(record, record.name, DIRECTORY)
            case Kind.SYNC | Kind.SYNC_ALL:
                self.sync(record)
            case Kind.OPAQUE:
                raise ReplayError(f"the replay cannot follow: {record.name}")
            case _:
                pass

    def file(self, record: Record) -> File:
        if record.file not in self.files:
            raise ReplayError(f"a file that was there before the log began: {record}")
        return self.files[record.file]

    def open(self, record: Record) -> None:
        if record.flags & 1:
            self.files[record.file] = File()
            self.change(record, record.name, record.file)
        elif record.flags & 2:
            self.file(record).resize(record.index, 0)

    def allocate(self, record: Record) -> None:
        file, end = self.file(record), record.offset + record.length
        if record.flags & ~(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE):
            raise ReplayError(f"the replay cannot follow fallocate, mode {record.flags}")
        if record.flags & (PUNCH_HOLE | ZERO_RANGE):
            file.clear(record.index, record.offset, min(end, file.size))
        if not record.flags & KEEP_SIZE and end > file.size:
            file.resize(record.index, end)

    def change(self, record: Record, name: str, file: int | None) -> None:
        parent, _, last = name.rpartition("/")
        if parent not in self.directories:
            raise ReplayError(f"a directory that was there before the log began: {parent}")
        change = NameChange(record.index, last, None, file) if file is not None \
            else NameChange(record.index, None, last)
        self.directories[parent].changes.append(change)

    def rename(self, record: Record) -> None:
        source, _, old = record.name.rpartition("/")
        target, _, new = record.other.rpartition("/")
        if source == target:
            change = NameChange(record.index, new, old, record.file)
            self.directories[target].changes.append(change)
        else:
            self.change(record, record.other, record.file)
            self.change(record, record.name, None)

    def sync(self, record: Record) -> None:
        everything = record.kind == Kind.SYNC_ALL
        if "directories" not in self.lies and not record.error:
            for name, directory in self.directories.items():
                if everything or (record.flags and name == record.name):
                    directory.sync(record.begun)
        if "sync" not in self.lies and not record.flags:
            for file in self.files.values() if everything else [self.file(record)]:
                if record.error:
                    file.fail_sync(record.begun)
                else:
                    file.sync(record.begun)

    def crash(self, seed: int, mode: str) -> Tree:
        """One of the trees that may be found after a power cut now."""
        dice = Dice(random.Random(seed))
        names = {name: directory.crash(dice) for name, directory in self.directories.items()}
        return self.tree(names, lambda file: file.crash(dice, ATOMS[mode]))

    def live(self) -> Tree:
        """The tree as the program sees it."""
        names = {name: directory.live() for name, directory in self.directories.items()}
        return self.tree(names, File.live)

    def tree(
        self, names: dict[str, dict[str, int]], content: Callable[[File], bytes]
    ) -> Tree:
        tree = Tree()
        for name, file in self.reachable("", names):
            if file == DIRECTORY:
                tree.directories.append(name)
            else:
                tree.files[name] = (file, content(self.files[file]))
        return tree

    def reachable(self, start: str, names: dict[str, dict[str, int]]) -> Iterator[tuple[str, int]]:
        for name, file in sorted(names[start].items()):
            path = f"{start}/{name}" if start else name
            yield path, file
            if file == DIRECTORY:
                yield from self.reachable(path, names)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("target", type=Path, help="a directory that is made")
    parser.add_argument("--at", type=int, metavar="K", help="after K records; all of them")
    parser.add_argument("--mode", choices=ATOMS, default="page")
    parser.add_argument("--seed", type=int, help="a random one where left out")
    parser.add_argument("--lie", action="append", default=[], choices=LIES,
                        help="the disk only pretends to do this")
    options = parser.parse_args()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    records = read_log(options.log)
    disk = Disk(options.lie)
    for record in records[:options.at]:
        disk.apply(record)
    tree = disk.crash(seed, options.mode)
    options.target.mkdir()
    for name in tree.directories:
        (options.target / name).mkdir()
    for name, (_, content) in tree.files.items():
        (options.target / name).write_bytes(content)
    at = len(records) if options.at is None else options.at
    print(f"after {at} of {len(records)} records, mode {options.mode}, seed {seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
