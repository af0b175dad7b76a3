"""The workload as the Swift side wrote it: the same bytes for every peer."""

import struct
from pathlib import Path

POST_BYTES = 308
BATCH_COUNT = 1000
CREATE, UPDATE, DELETE = 0, 1, 2


class Post:
    __slots__ = ("id", "title", "text", "owner", "date")

    def __init__(self, text):
        self.id = text[0:36]
        self.title = text[36:76]
        self.text = text[76:276]
        self.owner = text[276:284]
        self.date = text[284:308]


def read_posts(directory):
    data = (Path(directory) / "posts").read_bytes().decode("ascii")
    return [Post(data[at : at + POST_BYTES]) for at in range(0, len(data), POST_BYTES)]


def read_operations(directory):
    return list(struct.iter_unpack("<II", (Path(directory) / "operations").read_bytes()))


def read_edits(directory, name):
    data = (Path(directory) / name).read_bytes()
    return [(post, title.decode("ascii")) for post, title in struct.iter_unpack("<I40s", data)]


def batches(items, count=BATCH_COUNT):
    return [items[at : at + count] for at in range(0, len(items), count)]


def live_posts(posts, operations):
    """The ids of the posts that are there in the end, in an order far from that of their creation."""
    deleted = {place for kind, place in operations if kind == DELETE}
    return sorted(post.id for place, post in enumerate(posts) if place not in deleted)
