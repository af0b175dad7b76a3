"""The file that a CRDT library's updates are appended to: the library itself keeps none."""

import os
import struct


class AppendLog:
    def __init__(self, directory, is_full):
        self.path = os.path.join(directory, "updates")
        self.file = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        self.is_full = is_full

    def append(self, update):
        os.write(self.file, struct.pack("<I", len(update)) + update)
        if self.is_full:
            os.fdatasync(self.file)

    def close(self):
        os.close(self.file)

    def size(self):
        return os.stat(self.path).st_size

    def read(self):
        with open(self.path, "rb") as file:
            data = file.read()
        at = 0
        while at < len(data):
            (length,) = struct.unpack_from("<I", data, at)
            yield data[at + 4 : at + 4 + length]
            at += 4 + length
