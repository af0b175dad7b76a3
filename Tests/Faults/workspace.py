"""Where states are laid out.

A **workspace** is a directory with `root/`, which is watched and in which the command runs, and
beside it the schema, the log and a vault. The vault keeps inodes: a store tells a copy of itself by
the inode of its data file, and what comes back after a power cut is no copy. So states are written
into the very files that the recording wrote.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from replay import Tree
from workload import SCHEMA


@dataclass(frozen=True)
class Workspace:
    path: Path
    inodes: set[int] = field(default_factory=set)
    """Those that are kept when the root is emptied."""

    @staticmethod
    def make(path: Path) -> Workspace:
        workspace = Workspace(path)
        for directory in (workspace.root, workspace.vault):
            directory.mkdir(parents=True)
        (path / "schema.graphql").write_text(SCHEMA.sdl, encoding="utf-8")
        return workspace

    @property
    def root(self) -> Path:
        return self.path / "root"

    @property
    def vault(self) -> Path:
        return self.path / "vault"

    @property
    def log(self) -> Path:
        return self.path / "log"

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def tree(self) -> Tree:
        """What is there now."""
        tree = Tree()
        for directory, directories, files in os.walk(self.root):
            directories.sort()
            for name in directories:
                tree.directories.append(os.path.relpath(os.path.join(directory, name), self.root))
            for name in files:
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    inode = os.fstat(file.fileno()).st_ino
                    tree.files[os.path.relpath(path, self.root)] = (inode, file.read())
        tree.directories.sort()
        return tree

    def put_away(self) -> None:
        """Empties the root; the inodes that are known go into the vault."""
        for directory, directories, files in os.walk(self.root, topdown=False):
            for name in files:
                path = os.path.join(directory, name)
                inode = os.stat(path).st_ino
                kept = self.vault / str(inode)
                if inode in self.inodes and not kept.exists():
                    os.rename(path, kept)
                else:
                    os.unlink(path)
            for name in directories:
                os.rmdir(os.path.join(directory, name))

    def lay_out(self, tree: Tree) -> None:
        """Makes the root hold this, each file in the inode that it has in the tree."""
        self.put_away()
        for name in tree.directories:
            os.mkdir(self.root / name, 0o700)
        linked: dict[int, Path] = {}
        for name, (inode, content) in tree.files.items():
            target = self.root / name
            if inode in linked:
                os.link(linked[inode], target)
                continue
            linked[inode] = target
            kept = self.vault / str(inode)
            descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                write_whole(descriptor, content)
            finally:
                os.close(descriptor)
            os.rename(kept, target)


def write_whole(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view):]
