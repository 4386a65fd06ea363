"""/proc/PID/timens_offsets: how far a time namespace's clocks are from the machine's.

Source: time_namespaces(7), kernel/time/namespace.c.
"""

from typing import TYPE_CHECKING, NoReturn

import msgspec

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import NsId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock
from simulator.machine.kernel.namespace import TimeNs
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_SECOND = 1_000_000_000
_LONGEST = (1 << 63) // _SECOND
_CLOCKS = {"monotonic": "monotonic_offset", "1": "monotonic_offset"} | {
    "boottime": "boottime_offset",
    "7": "boottime_offset",
}


def write_offsets(trap: "Trap", ns: NsId, text: str) -> int:
    """Set the offsets of ``ns``, the time namespace of some task's children.

    Lines of ``monotonic|boottime seconds nanoseconds``. Errors: EINVAL; EPERM without the right
    over its owner; ERANGE when a clock would leave its range; EACCES once a process lives in it.
    """
    changes = dict(_parse(trap, line) for line in text.strip("\n").split("\n")[:2])
    row = trap.store.row(TimeNs, ns)
    trap.need(Privilege.CLOCK_SET, row.owner)
    now = clock.monotonic(trap.store)
    if any(not 0 <= now + offset <= _LONGEST * _SECOND // 2 for offset in changes.values()):
        trap.fail(Errno.ERANGE, N_("The clock would leave its range."), "time_namespaces(7)")
    if is_frozen(trap.store, ns):
        trap.deny(
            Errno.EACCES,
            "time-ns",
            N_("A process lives in the time namespace already, so its offsets stay."),
            "time_namespaces(7)",
        )
    trap.store.put(msgspec.structs.replace(row, **changes))
    return len(text)


def is_frozen(world: World, ns: NsId) -> bool:
    """Whether the offsets can't be changed: somebody lives in the namespace."""
    return any(task.ns.time == ns for task in world.all(Task))


def show_offsets(world: World, ns: NsId) -> str:
    """Both offsets, as reading the file gives them."""
    row = world.row(TimeNs, ns)
    pairs = (("monotonic", row.monotonic_offset), ("boottime", row.boottime_offset))
    return "".join(
        f"{name:<10s} {offset // _SECOND:10d} {offset % _SECOND:9d}\n" for name, offset in pairs
    )


def _parse(trap: "Trap", line: str) -> tuple[str, int]:
    words = line.split()
    if len(words) != 3 or words[0] not in _CLOCKS:
        _malformed(trap)
    try:
        seconds, nanoseconds = int(words[1]), int(words[2])
    except ValueError:
        _malformed(trap)
    if not 0 <= nanoseconds < _SECOND:
        _malformed(trap)
    if abs(seconds) > _LONGEST:
        trap.fail(Errno.ERANGE, N_("The clock would leave its range."), "time_namespaces(7)")
    return _CLOCKS[words[0]], seconds * _SECOND + nanoseconds


def _malformed(trap: "Trap") -> NoReturn:
    trap.fail(
        Errno.EINVAL,
        N_("An offset is a clock's name, seconds and nanoseconds."),
        "time_namespaces(7)",
    )
