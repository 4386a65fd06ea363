"""Making traces comparable: identities by first occurrence, paths by constant, no times."""

import re
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from simulator.experiment.probes.classes import FD_PAIRS
from simulator.experiment.probes.trace import Entry, Status, Trace
from simulator.machine.abi.call import Data, Value

Plain: TypeAlias = "int | str | tuple[Plain, ...] | None"

_TIMES = frozenset({"atime", "mtime", "ctime", "btime", "birthtime", "stime"})
_IDENTITIES = {"ino": "ino", "dev": "dev", "mnt_id": "mnt", "fsid": "fsid", "pid": "pid"}
_NAMESPACE_LINK = re.compile(r"\b(mnt|pid|net|uts|ipc|user|cgroup|time|pid_for_children):\[(\d+)\]")
_KEPT_PIDS = (0, 1)


class Compared(msgspec.Struct, frozen=True):
    """The part of an entry that two runs of one program must share."""

    step: int
    rep: int
    actor: str
    call: str
    status: Status
    value: Plain = None
    errno: str | None = None
    data: Plain = None
    signal: str | None = None


class _Names:
    """Numbers of one trace, named in the order in which they first appear."""

    def __init__(self, constants: Mapping[str, Value]) -> None:
        self._seen: dict[tuple[str, int], str] = {}
        self._count: dict[str, int] = {}
        self._paths = _path_constants(constants)
        for name, value in sorted(constants.items()):
            if name.endswith("_PID") and isinstance(value, int):
                self._seen.setdefault(("pid", value), name)

    def of(self, kind: str, number: int) -> str:
        key = (kind, number)
        if key not in self._seen:
            count = self._count.get(kind, 0)
            self._count[kind] = count + 1
            self._seen[key] = f"{kind}#{count}"
        return self._seen[key]

    def text(self, text: str) -> str:
        for path, name in self._paths:
            text = text.replace(path, f"<{name}>")
        return _NAMESPACE_LINK.sub(
            lambda match: f"{match[1]}:[{self.of('ns', int(match[2]))}]", text
        )


def normalise(trace: Trace) -> tuple[Compared, ...]:
    """``trace`` as two kernels can be compared by."""
    names = _Names(trace.constants)
    return tuple(_compared(entry, names) for entry in trace.entries)


def first_difference(one: Trace, other: Trace) -> int | None:
    """The number (from 0) of the first entry in which the traces differ, or ``None``."""
    left, right = normalise(one), normalise(other)
    for number, (here, there) in enumerate(zip(left, right, strict=False)):
        if here != there:
            return number
    return None if len(left) == len(right) else min(len(left), len(right))


def _path_constants(constants: Mapping[str, Value]) -> list[tuple[str, str]]:
    """Longest first, so that a path inside another constant's path keeps its own name."""
    paths = [
        (value, name)
        for name, value in constants.items()
        if isinstance(value, str) and value.startswith("/") and len(value) > 1
    ]
    return sorted(paths, key=lambda pair: (-len(pair[0]), pair[1]))


def _compared(entry: Entry, names: _Names) -> Compared:
    return Compared(
        step=entry.step,
        rep=entry.rep,
        actor=entry.actor,
        call=entry.call,
        status=entry.status,
        value=_value(entry, names),
        errno=None if entry.errno is None else str(entry.errno),
        data=_data(entry, names),
        signal=entry.signal,
    )


def _value(entry: Entry, names: _Names) -> Plain:
    value = entry.value
    if value is None or entry.status is not Status.RETURNED:
        return value
    return _identity(entry.value_class, value, names)


def _identity(kind: str, value: int, names: _Names) -> Plain:
    if kind == "number" or (kind == "pid" and value in _KEPT_PIDS):
        return value
    # An address says nothing but that there is one: address space layout is random.
    return "addr" if kind == "addr" else names.of(kind, value)


def _data(entry: Entry, names: _Names) -> Plain:
    data = entry.data
    if entry.call in FD_PAIRS and isinstance(data, tuple | list):
        return tuple(
            names.of("fd", item) if isinstance(item, int) else _plain(item, names) for item in data
        )
    return _plain(data, names)


def _plain(data: Data, names: _Names) -> Plain:
    match data:
        case None | int():
            return data
        case str():
            return names.text(data)
        case bytes():
            return names.text(data.decode("utf-8", "backslashreplace"))
        case tuple() | list():
            return tuple(_plain(item, names) for item in data)
        case dict():
            return tuple(
                (str(key), _field(str(key), item, names))
                for key, item in sorted(data.items(), key=lambda pair: str(pair[0]))
                if str(key).removeprefix("st_").removesuffix("_ns") not in _TIMES
            )


def _field(key: str, item: Data, names: _Names) -> Plain:
    kind = _IDENTITIES.get(key.removeprefix("st_"))
    if kind is not None and isinstance(item, int):
        return _identity(kind, item, names)
    return _plain(item, names)
