"""Where a path leads for a process: by its own root, working directory and pids, not by ours.

``/proc/PID/root/...`` alone would follow an absolute link from our root, and ``/proc/self`` as us.
"""

import ctypes
import os
import stat
from collections import deque

from simulator.experiment.real.link import inner_pids
from simulator.machine.abi.call import Value

PROC = 0x9FA0
_AT_FDCWD = 0xFFFFFF9C
_LINKS = 40
"""``MAXSYMLINKS``: path_resolution(7)."""
_PROC_ROOT = 1
_FOUND = os.O_PATH | os.O_CLOEXEC


def magic(descriptor: int) -> int:
    """Its file system's kind: statfs(2)."""
    memory = ctypes.create_string_buffer(256)
    if ctypes.CDLL(None).fstatfs(descriptor, memory):
        return 0
    return int.from_bytes(memory.raw[:8], "little")


def find(
    pid: int, value: Value, directory: int | None = None, *, follow: bool = True
) -> int | None:
    """A descriptor of ours (``O_PATH``, to be closed) of what the path names; ``None``: nothing.

    ``directory`` is the descriptor of ``pid`` from which a relative path goes.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if not isinstance(value, str) or not value or "\0" in value:
        return None
    try:
        walk = _Walk(pid, value, directory)
    except OSError:
        return None
    try:
        return walk.end(follow=follow)
    except OSError:
        return None
    finally:
        walk.close()


class _Walk:
    def __init__(self, pid: int, path: str, directory: int | None) -> None:
        self._pid = pid
        self._left = deque(path.split("/"))
        self._links = 0
        self._root = os.open(f"/proc/{pid}/root", _FOUND)
        near = directory is None or directory & 0xFFFFFFFF == _AT_FDCWD
        start = "cwd" if near else f"fd/{directory}"
        try:
            self._here = os.open(f"/proc/{pid}/{'root' if path[0] == '/' else start}", _FOUND)
        except OSError:
            os.close(self._root)
            raise

    def close(self) -> None:
        os.close(self._root)
        os.close(self._here)

    def end(self, *, follow: bool) -> int | None:
        while self._left:
            name = self._left.popleft()
            if name == ".." and os.path.sameopenfile(self._here, self._root):
                continue
            if name not in ("", "."):
                self._step(name, last=not any(self._left) and not follow)
        return os.dup(self._here)

    def _step(self, name: str, *, last: bool) -> None:
        found = os.open(name, _FOUND | os.O_NOFOLLOW, dir_fd=self._here)
        if last or not stat.S_ISLNK(os.fstat(found).st_mode):
            self._go(found)
            return
        os.close(found)
        self._links += 1
        if self._links > _LINKS:
            raise OSError
        in_proc = magic(self._here) == PROC
        if in_proc and os.fstat(self._here).st_ino != _PROC_ROOT:
            # A link of a process's own directory leads where no path may lead.
            self._go(os.open(name, _FOUND, dir_fd=self._here))
            return
        if in_proc and name in ("self", "thread-self"):
            # We have no number in another pid namespace, and the link would not be there.
            target = str(inner_pids(self._pid)[-1])
        else:
            target = os.readlink(name, dir_fd=self._here)
        self._left.extendleft(reversed(target.split("/")))
        if target.startswith("/"):
            self._go(os.dup(self._root))

    def _go(self, to: int) -> None:
        os.close(self._here)
        self._here = to
