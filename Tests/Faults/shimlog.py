"""Reads the log that `shim.c` writes. The layout of a record stands there."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

HEADER = struct.Struct("<IIQQQQIIIIII")


class Kind(IntEnum):
    START = 1
    OPEN = 2
    WRITE = 3
    TRUNCATE = 4
    ALLOCATE = 5
    RENAME = 6
    LINK = 7
    UNLINK = 8
    MKDIR = 9
    SYNC = 10
    SYNC_ALL = 11
    STORE = 12
    ACKNOWLEDGE = 13
    OPAQUE = 14
    INJECTED = 15
    END = 16


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log; `begun` counts the records of all processes."""

    index: int
    kind: Kind
    error: int
    begun: int
    file: int
    offset: int
    length: int
    flags: int
    name: str
    other: str
    data: bytes
    process: int


def read_log(path: Path) -> list[Record]:
    raw = path.read_bytes()
    records: list[Record] = []
    own: dict[int, list[int]] = {}  # Of each process, the numbers of its records.
    place = 0
    while place < len(raw):
        (kind, error, begun, file, offset, length, flags,
         name_bytes, other_bytes, data_bytes, _, process) = HEADER.unpack_from(raw, place)
        place += HEADER.size
        name = raw[place:place + name_bytes].decode("utf-8", "surrogateescape")
        place += name_bytes
        other = raw[place:place + other_bytes].decode("utf-8", "surrogateescape")
        place += other_bytes
        data = raw[place:place + data_bytes]
        place += data_bytes
        index = len(records)
        numbers = own.setdefault(process, [])
        numbers.append(index)
        begun = numbers[begun] if begun < len(numbers) else index
        records.append(Record(index, Kind(kind), error, begun, file, offset, length, flags, name,
                              other, data, process))
    return records
