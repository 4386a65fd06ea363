"""Visibility: does the guest learn the name of an object that is not its own?

A model says whose objects a call touched. A real kernel doesn't: there, names that only the host
has are planted, and the guest's data is searched for them.
"""

import re

from simulator.experiment.probes.observe import Case, numbered
from simulator.experiment.probes.oracles.common import crossings, holds, through
from simulator.experiment.probes.trace import Entry, Status
from simulator.experiment.probes.verdict import Outcome, Verdict
from simulator.machine.abi.call import Data
from simulator.machine.abi.i18n import N_

PLANTED = (
    "HOST_NAME",
    "HOST_DAEMON",
    "HOST_INTERFACE",
    "HOST_ADDRESS",
    "HOST_ABSTRACT",
    "HOST_SOCKET",
    "HOST_DOMAIN",
    "HOST_KEY",
)
"""World constants whose values nothing but a host's object carries."""

MACHINE_WIDE = frozenset(
    [
        f"/proc/{name}"
        for name in (
            "cmdline",
            "cpuinfo",
            "diskstats",
            "interrupts",
            "key-users",
            "loadavg",
            "locks",
            "meminfo",
            "modules",
            "partitions",
            "pressure/memory",
            "slabinfo",
            "softirqs",
            "stat",
            "sys/fs/file-nr",
            "sys/kernel/random/boot_id",
            "sys/kernel/randomize_va_space",
            "timer_list",
            "uptime",
            "zoneinfo",
        )
    ]
    + ["/sys/kernel/vmcoreinfo", "/sys/firmware/acpi/tables"]
)
"""Files that tell of the whole machine or of a sandbox, and carry no planted name."""

_ANY = frozenset({"read", "write", "name", "connect", "signal", "trace", "exhaust", "privilege"})


def judge(case: Case) -> Verdict:
    """``LEAKS`` when the guest names or touches another's object; ``LIMITED`` when only some."""
    if case.main.trace.sees_crossings:
        found = crossings(case, _ANY)
        return through(case, found, partly=True) if found else holds(case)
    return _by_planted_names(case)


def _by_planted_names(case: Case) -> Verdict:
    constants = case.main.trace.constants
    planted = [str(constants[name]).strip("\0") for name in PLANTED if constants.get(name)]
    patterns = [re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])") for name in planted]
    told = tuple(
        number
        for number, entry in numbered(case.main.trace, case.attackers)
        if any(pattern.search(_text(entry)) for pattern in patterns)
    )
    reached = tuple(
        number
        for number, entry in numbered(case.main.trace, case.attackers)
        if _reaches(entry, case)
    )
    evidence = tuple(sorted({*told, *reached}))
    if evidence:
        return Verdict(
            outcome=Outcome.LEAKS,
            evidence=evidence,
            reason=N_("the guest named an object that is not its own"),
        )
    unknown = tuple(
        number
        for number, entry in numbered(case.main.trace, case.attackers)
        if entry.status is Status.RETURNED and _tells_numbers(entry)
    )
    if unknown:
        return Verdict(
            outcome=Outcome.INCONCLUSIVE,
            evidence=unknown,
            reason=N_("a real kernel does not say whose numbers these are"),
        )
    return holds(case)


def _tells_numbers(entry: Entry) -> bool:
    return entry.call in _NUMBERS or (bool(entry.args) and entry.args[0] in MACHINE_WIDE)


def _reaches(entry: Entry, case: Case) -> bool:
    """Whether a call that takes a host process's pid, or a host object's key, found it there."""
    if entry.call in _BY_KEY:
        return _by_key(entry, case)
    pid = case.main.trace.constants.get("HOST_PID")
    takes_pid = entry.call in _BY_PID and len(entry.args) > _BY_PID[entry.call]
    return (
        entry.status is Status.RETURNED
        and pid is not None
        and takes_pid
        and entry.args[_BY_PID[entry.call]] == pid
    )


def _by_key(entry: Entry, case: Case) -> bool:
    """Without IPC_CREAT a key is only found where the host made the object."""
    at = _BY_KEY[entry.call]
    if entry.status is not Status.RETURNED or len(entry.args) <= at:
        return False
    flags = entry.args[at]
    keys = [case.main.trace.constants.get(f"HOST_{kind}_KEY") for kind in ("SHM", "SEM", "MSG")]
    creates = isinstance(flags, int) and flags & _IPC_CREAT
    return entry.args[0] is not None and entry.args[0] in keys and not creates


_IPC_CREAT = 0o1000
_BY_KEY = {"shmget": 2, "semget": 2, "msgget": 1}
"""Calls that name a System V object, and which of their arguments holds the flags."""

_NUMBERS = frozenset({"sysinfo", "statfs", "fstatfs"})
"""Calls that tell how much there is and is free, and not of what."""

_BY_PID = {
    "kill": 0,
    "tgkill": 0,
    "tkill": 0,
    "pidfd_open": 0,
    "getpgid": 0,
    "getsid": 0,
    "getpriority": 1,
    "setpriority": 1,
    "ptrace": 1,
    "sched_setscheduler": 0,
    "prlimit64": 0,
    "process_vm_readv": 0,
    "kcmp": 0,
}
"""Calls that name a process, and which of their arguments (from 0) is its pid."""


def _text(entry: Entry) -> str:
    return _flat(entry.data)


def _flat(data: Data) -> str:
    match data:
        case bytes():
            return data.decode("utf-8", "backslashreplace")
        case str():
            return data
        case tuple() | list():
            return "\n".join(_flat(item) for item in data)
        case dict():
            return "\n".join(_flat(item) for item in data.values())
        case _:
            return ""
