"""The simulated disk's /var/lib/docker in a real file: a journal of what was written to it.

Each record is a batch of changes with its length and checksum; it is on the real disk before a
client is told of what it holds, so a kill loses nothing that was acknowledged: a batch that was cut
off is not read. Restoring puts the tree into a freshly booted machine under new inode numbers, as a
disk that is plugged into another machine.
"""

import os
import zlib
from pathlib import Path
from typing import Any

import msgspec

from simulator.machine.abi.errors import VitrinaError
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Dentry, Extent, Inode
from simulator.machine.state.store import Store

ROOT = "/var/lib/docker"
_MAGIC = b"vitrina engine state 1\n"
_HEAD = 8


class StateError(VitrinaError):
    """A state file that can't be read or written; one line."""


class _Batch(msgspec.Struct):
    """Inodes by number (None: gone) and names by (directory, name)."""

    root: int
    inodes: dict[int, dict[str, Any] | None]
    names: list[tuple[int, str, int | None]]


class DiskFile:
    """One state file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None
        self._kernel: Kernel | None = None
        self._position = 0
        self._root = 0
        self._sb = 0

    def restore(self, kernel: Kernel) -> None:
        """Put the kept tree where it belongs. Raises ``StateError``."""
        if not self.path.exists():
            return
        inodes: dict[int, dict[str, Any]] = {}
        names: dict[tuple[int, str], int] = {}
        root = 0
        for batch in self._batches():
            root = batch.root
            for number, row in batch.inodes.items():
                if row is None:
                    inodes.pop(number, None)
                else:
                    inodes[number] = row
            for directory, name, number in batch.names:
                if number is None:
                    names.pop((directory, name), None)
                else:
                    names[directory, name] = number
        if root:
            _plant(kernel, root, inodes, names)

    def _batches(self) -> list[_Batch]:
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror}") from None
        if not content:
            return []
        if not content.startswith(_MAGIC):
            raise StateError(_("{path}: this is no state of an engine").format(path=self.path))
        at = len(_MAGIC)
        found: list[_Batch] = []
        while at + _HEAD <= len(content):
            size = int.from_bytes(content[at : at + 4], "big")
            check = int.from_bytes(content[at + 4 : at + 8], "big")
            body = content[at + _HEAD : at + _HEAD + size]
            if len(body) < size or zlib.crc32(body) != check:
                break  # the last batch was being written: nobody had been told of it
            found.append(msgspec.msgpack.decode(body, type=_Batch))
            at += _HEAD + size
        return found

    def begin(self, kernel: Kernel) -> None:
        """Write the whole tree to a fresh file, which takes the old one's place at once."""
        self._kernel = kernel
        store = kernel.store
        task = store.row(Task, 1)
        assert isinstance(task.root.inode, int)
        self._root = tree.mkdirs(store, task.root.inode, ROOT)
        self._sb = store.row(Inode, self._root).sb
        batch = _whole(store, self._root)
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            self._file = beside.open("wb")
            self._file.write(_MAGIC)
            self._write(batch)
            beside.replace(self.path)
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror}") from None
        self._position = len(store.journal)

    def flush(self) -> None:
        """Add what has changed since the last time."""
        assert self._kernel is not None
        store = self._kernel.store
        journal = store.journal
        if self._position > len(journal):
            self._position = 0  # history began anew, after a flush
        inodes: dict[int, dict[str, Any] | None] = {}
        names: dict[tuple[int, str], int | None] = {}
        for write in journal[self._position :]:
            if write.table is Inode:
                row = write.new or write.old
                if isinstance(row, Inode) and row.sb == self._sb and isinstance(row.id, int):
                    new = write.new
                    inodes[row.id] = _plain(new) if isinstance(new, Inode) else None
            elif write.table is Dentry:
                key: Any = write.key
                if isinstance(key[0], int):
                    new = write.new
                    number = new.inode if isinstance(new, Dentry) else None
                    names[key] = number if isinstance(number, int) else None
        self._position = len(journal)
        listed = [(directory, name, number) for (directory, name), number in names.items()]
        if inodes or listed:
            self._write(_Batch(self._root, inodes, listed))

    def _write(self, batch: _Batch) -> None:
        body = msgspec.msgpack.encode(batch)
        head = len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big")
        self._file.write(head + body)
        self._file.flush()
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Write what is left."""
        if self._file is not None:
            self.flush()
            self._file.close()


def _plain(inode: Inode) -> dict[str, Any]:
    return msgspec.to_builtins(inode, builtin_types=(bytes,))


def _whole(store: Store, root: int) -> _Batch:
    inodes: dict[int, dict[str, Any] | None] = {}
    names: list[tuple[int, str, int | None]] = []
    below: dict[int, list[tuple[str, int]]] = {}
    for dentry in store.all(Dentry):
        directory, name = dentry.id
        if isinstance(directory, int) and isinstance(dentry.inode, int):
            below.setdefault(directory, []).append((name, dentry.inode))
    todo = [root]
    while todo:
        number = todo.pop()
        if number in inodes:
            continue
        inodes[number] = _plain(store.row(Inode, number))
        for name, inside in below.get(number, ()):
            names.append((number, name, inside))
            todo.append(inside)
    return _Batch(root, inodes, names)


def _plant(
    kernel: Kernel,
    root: int,
    inodes: dict[int, dict[str, Any]],
    names: dict[tuple[int, str], int],
) -> None:
    """The tree below ``root`` under new numbers, in the place of what boot put there."""
    store = kernel.store
    task = store.row(Task, 1)
    assert isinstance(task.root.inode, int)
    place = tree.mkdirs(store, task.root.inode, ROOT)
    sb = store.row(Inode, place).sb
    for key in [d.id for d in store.all(Dentry) if d.id[0] == place]:
        store.drop(Dentry, key)
    below: dict[int, list[tuple[str, int]]] = {}
    for (directory, name), number in names.items():
        below.setdefault(directory, []).append((name, number))
    new = {root: place}
    todo = [root]
    reached: list[int] = [root]
    while todo:
        for _name, number in below.get(todo.pop(), ()):
            if number not in new and number in inodes:
                new[number] = store.new_id(Inode)
                reached.append(number)
                todo.append(number)
    for number in reached:
        row = dict(inodes[number])
        row["id"], row["sb"] = new[number], sb
        if row.get("parent") is not None:
            row["parent"] = new.get(row["parent"], store.row(Inode, place).parent)
        row["extents"] = tuple(Extent(**one) for one in row.get("extents") or ())
        store.put(Inode(**row))
        for name, inside in below.get(number, ()):
            if inside in new:
                store.put(Dentry(id=(new[number], name), inode=new[inside]))
