"""One entry of a trace as one word, and how two words compare."""

import fnmatch
from collections.abc import Iterable
from typing import cast

import msgspec

from simulator.experiment.probes.trace import Entry, Status
from simulator.machine.abi.i18n import N_, language


def word(entry: Entry) -> str:
    """``EPERM``, ``0``, ``fd``, ``pid``, ``blocked``, ``killed SIGKILL``, ``skipped``, ..."""
    match entry.status:
        case Status.FAILED:
            return str(entry.errno)
        case Status.RETURNED:
            if entry.value_class == "number" or (
                entry.value in (0, 1) and entry.value_class in ("fd", "pid", "addr")
            ):
                return str(entry.value)
            return entry.value_class
        case Status.KILLED:
            return f"killed {entry.signal}"
        case _:
            return str(entry.status)


class Reason(msgspec.Struct, frozen=True):
    """Why, in both languages."""

    en: str
    es: str

    def __str__(self) -> str:
        return self.es if language() == "es" else self.en


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that is known: where it shows, why, on which kernels.

    ``spec``, ``probe`` and ``call`` are shell patterns, ``arg`` one for the call's first text
    argument; ``model`` and ``real`` are words of ``word`` (patterns too). ``kernel`` is a
    half-open range such as ``>=5.6,<7``, empty for all. ``lacks`` names a feature of ``facts`` or
    a capability: the difference is only known on a machine without it.
    """

    id: str
    reason: Reason
    spec: str = "*"
    probe: str = "*"
    call: str = "*"
    model: str = "*"
    real: str = "*"
    kernel: str = ""
    arg: str = "*"
    lacks: str = ""

    def explains(self, spec: str, probe: str, entry: Entry, words: tuple[str, str]) -> bool:
        """Whether this is that difference."""
        texts = [arg for arg in entry.args if isinstance(arg, str)]
        pairs = (
            (spec, self.spec),
            (probe, self.probe),
            (entry.call, self.call),
            (texts[0] if texts else "", self.arg),
            (words[0], self.model),
            (words[1], self.real),
        )
        return all(fnmatch.fnmatchcase(text, pattern) for text, pattern in pairs)


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """Results of one call that a specification leaves open: any of them agrees with any."""

    call: str
    results: tuple[str, ...]
    reason: Reason


_OPENING = {"open": 0, "creat": 0, "openat": 1, "openat2": 1}
_READING = {"read", "pread64", "getdents64"}
_KERNEL_TEXTS = {"proc": "/proc", "sysfs": "/sys", "securityfs": "/sys/kernel/security"}
"""Where the file systems of a kernel's texts are usually mounted."""


def sources(entries: tuple[Entry, ...]) -> dict[int, str]:
    """For each entry that reads, by its number, the path that its descriptor was opened by.

    Below a mount of /proc that a probe made elsewhere it is spelt as below the usual one.
    """
    paths: dict[int, str] = {}
    mounts: dict[str, str] = {}
    found: dict[int, str] = {}
    for number, entry in enumerate(entries):
        if entry.status is not Status.RETURNED or not entry.args:
            continue
        at = _OPENING.get(entry.call)
        if at is not None and at < len(entry.args) and entry.value is not None:
            paths[entry.value] = _usual(str(entry.args[at]), mounts)
        elif entry.call == "mount" and len(entry.args) > 2:
            mounts[str(entry.args[1])] = _KERNEL_TEXTS.get(str(entry.args[2]), "")
        elif entry.call in _READING and isinstance(first := next(iter(entry.args)), int):
            found[number] = paths.get(first, "")
    return found


def _usual(path: str, mounts: dict[str, str]) -> str:
    for place, usual in mounts.items():
        if usual and path.startswith(f"{place}/"):
            return usual + path.removeprefix(place)
    return path


def of_the_machine(entry: Entry, source: str) -> str:
    """Why a call's count of bytes is this machine's own affair; empty when it is not."""
    if entry.call == "getdents64" and of_a_root(cast("Iterable[str]", entry.data or ())):
        return N_("which names are in the root depends on the image")
    link = entry.call == "readlink" and entry.args and str(entry.args[0]).startswith("/proc/")
    if link or entry.call == "syslog" or source.startswith(("/proc/", "/sys/")):
        return N_("the length of a kernel's text depends on the machine")
    return ""


def of_a_root(names: Iterable[str]) -> bool:
    """Whether these are the names in a machine's or a container's root."""
    return {"dev", "etc", "proc", "sys"}.issubset(names)


def both_counts(words: tuple[str, str]) -> bool:
    """Two positive numbers."""
    return all(text.isdigit() and int(text) > 0 for text in words)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """``divergences.toml`` as a whole."""

    difference: tuple[Difference, ...] = ()
    allowed: tuple[Allowed, ...] = ()


def release(text: str) -> tuple[int, int]:
    """The first two numbers of a kernel release."""
    parts = [*text.split("-")[0].split("."), "0", "0"]
    return int(parts[0]), int(parts[1]) if parts[1].isdigit() else 0


def in_range(kernel: str, wanted: str) -> bool:
    """Whether a release lies in ``>=5.6,<7``."""
    here = release(kernel)
    for rule in filter(None, (part.strip() for part in wanted.split(","))):
        sign = rule.rstrip("0123456789.")
        bound = release(rule[len(sign) :])
        fits = {">=": here >= bound, "<": here < bound, "<=": here <= bound, ">": here > bound}
        if not fits.get(sign, here == bound):
            return False
    return True
