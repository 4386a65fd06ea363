"""A file system of a scratch machine or of a sandbox: what was there at first, and putting it back.

Nothing outside that one file system is ever touched: what is mounted in it is left alone, and a
directory that has become another file system's can't be mended.
"""

import os
import stat
from collections.abc import Iterator

Mark = tuple[int, ...]
"""Of a directory: mode, owner, group. Of anything else also device, size, change time, inode."""

_KEPT = 4096
"""Bytes: of files up to this size the content is kept."""

_MANY = 50
"""Names of one file in a directory from which on they are looked at as one."""


class NotMendable(Exception):
    """Something changed that can't be put back."""


class Tree:
    """The files below ``top`` on its file system, as they are now; ``apart`` are not looked at.

    A directory of many names of one file is looked at as a whole, and can't be mended.
    """

    def __init__(self, top: str, apart: frozenset[str] = frozenset()) -> None:
        self.top = top
        self._apart = apart
        self._device = os.stat(top).st_dev
        self._bundles: dict[str, Mark] = {}
        self._bundles = dict(self._alike())
        self._marks = dict(self._look())
        self._contents = {path: self._content(path) for path in self._marks if self._small(path)}

    def mend(self) -> bool:
        """Take away what was added, put back what was changed; whether all is as it was."""
        try:
            now = dict(self._look())
            for path in sorted(now.keys() - self._marks.keys(), reverse=True):
                (os.rmdir if stat.S_ISDIR(now[path][0]) else os.unlink)(self._at(path))
            for path in sorted(self._marks):
                if now.get(path) != self._marks[path]:
                    self._put_back(path, now.get(path))
        except (OSError, NotMendable):
            return False
        return True

    def _at(self, path: str) -> str:
        return f"{self.top}/{path}"

    def _look(self) -> Iterator[tuple[str, Mark]]:
        places = [""]
        while places:
            place = places.pop()
            if place in self._bundles:
                if self._bundle(place) != self._bundles[place]:
                    raise NotMendable(place)
                continue
            with os.scandir(self._at(place)) as entries:
                for entry in entries:
                    path = f"{place}/{entry.name}" if place else entry.name
                    if path in self._apart:
                        continue
                    status = entry.stat(follow_symlinks=False)
                    yield path, _mark(status)
                    if stat.S_ISDIR(status.st_mode) and status.st_dev == self._device:
                        places.append(path)

    def _alike(self) -> Iterator[tuple[str, Mark]]:
        """Directories of many names of one file: such as the programs of busybox."""
        names: dict[str, set[int]] = {}
        counts: dict[str, int] = {}
        for path, mark in self._look():
            place = path.rpartition("/")[0]
            counts[place] = counts.get(place, 0) + 1
            names.setdefault(place, set()).add(mark[0] if stat.S_ISDIR(mark[0]) else mark[6])
        for place, inodes in names.items():
            if len(inodes) == 1 and counts[place] > _MANY:
                yield place, self._bundle(place)

    def _bundle(self, place: str) -> Mark:
        """What changes when a name comes or goes there, or when the file of all of them changes."""
        directory = os.lstat(self._at(place))
        with os.scandir(self._at(place)) as entries:
            first = next(entries, None)
            if first is None:
                raise NotMendable(place)
            status = first.stat(follow_symlinks=False)
        return (*_mark(directory), directory.st_mtime_ns, directory.st_ctime_ns, *_mark(status))

    def _small(self, path: str) -> bool:
        mark = self._marks[path]
        if stat.S_ISREG(mark[0]):
            return mark[4] <= _KEPT and mark[7] == 1
        return not stat.S_ISDIR(mark[0])

    def _content(self, path: str) -> bytes:
        mode = self._marks[path][0]
        if stat.S_ISLNK(mode):
            return os.readlink(os.fsencode(self._at(path)))
        if not stat.S_ISREG(mode):
            return b""
        with open(self._at(path), "rb") as file:
            return file.read()

    def _put_back(self, path: str, now: Mark | None) -> None:
        mode, owner, group, *rest = self._marks[path]
        place = self._at(path)
        if stat.S_ISDIR(mode):
            if now is None:
                os.mkdir(place)
            elif not stat.S_ISDIR(now[0]):
                raise NotMendable(path)
        else:
            if path not in self._contents or (now is not None and stat.S_ISDIR(now[0])):
                raise NotMendable(path)
            if now is not None:
                os.unlink(place)
            self._make(place, mode, rest[0], self._contents[path])
        os.chown(place, owner, group, follow_symlinks=False)
        if not stat.S_ISLNK(mode):
            os.chmod(place, stat.S_IMODE(mode))
        self._marks[path] = _mark(os.lstat(place))
        if self._marks[path][:3] != (mode, owner, group):
            raise NotMendable(path)

    def _make(self, place: str, mode: int, device: int, content: bytes) -> None:
        if stat.S_ISLNK(mode):
            os.symlink(content, os.fsencode(place))
        elif stat.S_ISREG(mode):
            with open(place, "xb") as file:
                file.write(content)
        elif stat.S_ISSOCK(mode):
            raise NotMendable(place)
        else:
            os.mknod(place, mode, device)


def _mark(status: os.stat_result) -> Mark:
    owned = (status.st_mode, status.st_uid, status.st_gid)
    if stat.S_ISDIR(status.st_mode):
        return (*owned, status.st_dev)
    more = (status.st_rdev, status.st_size, status.st_ctime_ns, status.st_ino, status.st_nlink)
    return (*owned, *more)
