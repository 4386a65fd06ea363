"""Permission bits as people write them: ``u+x,go-w`` and ``-rw-r--r--`` (chmod(1), ls(1))."""

import re

from simulator.machine.abi.constants import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFSOCK,
)

_LETTERS = {S_IFBLK: "b", S_IFCHR: "c", S_IFDIR: "d", S_IFIFO: "p", S_IFLNK: "l", S_IFSOCK: "s"}
_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=][rwxXstugo]*)+)")
_ACTION = re.compile(r"([-+=])([rwxXstugo]*)")
_WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}


def letters(mode: int) -> str:
    """The ten characters of ``ls -l``."""
    out = _LETTERS.get(mode & S_IFMT, "-")
    for shift, special, letter in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        three = mode >> shift & 7
        out += "r" if three & 4 else "-"
        out += "w" if three & 2 else "-"
        if mode & special:
            out += letter if three & 1 else letter.upper()
        else:
            out += "x" if three & 1 else "-"
    return out


def change(text: str, mode: int, *, directory: bool, umask: int) -> int | None:
    """``mode`` after the change that ``text`` asks for; None when it asks nothing sensible."""
    if text.isdigit():
        return int(text, 8) & 0o7777 if not set(text) & {"8", "9"} else None
    bits = mode & 0o7777
    for clause in text.split(","):
        found = _CLAUSE.fullmatch(clause)
        if found is None:
            return None
        who = 0
        for letter in found.group(1):
            who |= _WHO[letter]
        for sign, what in _ACTION.findall(found.group(2)):
            bits = _apply(bits, sign, what, who, directory=directory, umask=umask)
    return bits


def _apply(bits: int, sign: str, what: str, who: int, *, directory: bool, umask: int) -> int:
    asked = _asked(what, bits, directory=directory)
    mask = who or (0o7777 & ~umask)
    asked &= mask
    if sign == "+":
        return bits | asked
    if sign == "-":
        return bits & ~asked
    cleared = (who or 0o777) & (0o777 if directory else 0o7777)
    return bits & ~cleared | asked


def _asked(what: str, bits: int, *, directory: bool) -> int:
    asked = 0
    for letter in what:
        if letter == "X":
            asked |= 0o111 if directory or bits & 0o111 else 0
        elif letter in "ugo":
            three = bits >> {"u": 6, "g": 3, "o": 0}[letter] & 7
            asked |= three * 0o111
        else:
            asked |= {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}[letter]
    return asked
