"""Reading what a waiting call points to, where it cannot change before the kernel reads it too.

The process itself waits, shares its memory with nobody that runs (``judge`` refuses threads), and
nobody may write into it. So what lies in private memory of no file stays as it is, and what lies in
the program's own file, which nobody can write while it runs (ETXTBSY).
"""

import os
from pathlib import Path

_LONGEST = 4096
"""``PATH_MAX``, and as much as mount(2) takes of its strings."""


class UnsteadyError(ValueError):
    """Memory that somebody else could write before the kernel reads it, or that nobody can read."""


def text(pid: int, address: int) -> str:
    """A string up to its NUL. Raises ``UnsteadyError``."""
    content, found, _rest = _read(pid, address, _LONGEST).partition(b"\0")
    if not found:
        raise UnsteadyError
    return content.decode("utf-8", "surrogateescape")


def number(pid: int, address: int) -> int:
    """A C ``unsigned int``. Raises ``UnsteadyError``."""
    return int.from_bytes(_read(pid, address, 4), "little")


def _read(pid: int, address: int, size: int) -> bytes:
    """As much as there is of steady memory, up to ``size`` bytes."""
    end = address
    for low, high, steady in _areas(pid):
        if low <= end < high and steady:
            end = high
        elif low > end or end - address >= size:
            break
    wanted = min(size, end - address)
    if wanted <= 0:
        raise UnsteadyError
    try:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(memory, wanted, address)
        finally:
            os.close(memory)
    except OSError as error:
        raise UnsteadyError from error


def _areas(pid: int) -> list[tuple[int, int, bool]]:
    """(first address, end, whether it is steady): proc_pid_maps(5)."""
    program = os.readlink(f"/proc/{pid}/exe")
    found: list[tuple[int, int, bool]] = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        words = line.split(maxsplit=5)
        low, high = (int(word, 16) for word in words[0].split("-"))
        name = words[5] if len(words) > 5 else ""
        own = words[4] == "0" or (name == program and "w" not in words[1])
        found.append((low, high, words[1][3] == "p" and own))
    return found
