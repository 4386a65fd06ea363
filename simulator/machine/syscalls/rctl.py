"""rctl_add_rule(2), rctl_remove_rule(2), rctl_get_rules(2), rctl_get_limits(2), rctl_get_racct(2).

Rules go in and out as text. Source: sys/kern/kern_rctl.c.
"""

from typing import Any

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import sysctl
from simulator.machine.kernel.rctl import rules, usage
from simulator.machine.kernel.rctl.rules import CITE, Filter
from simulator.machine.kernel.rctl.usage import Holder
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls.registry import freebsd

RELEASE = (9, 0)
_LONGEST = 4096
"""RCTL_MAX_INBUFSIZE."""
_LARGEST = 16 << 20
"""kern.racct.rctl.maxbufsize."""


@freebsd("rctl_add_rule", since=RELEASE)
def rctl_add_rule(trap: Trap, text: str, size: int, out: Any = None, room: int = 0) -> int:
    """E2BIG EINVAL ENAMETOOLONG ENOSYS EOPNOTSUPP EPERM ERANGE ESRCH."""
    del out, room
    rules.add(trap.store, _asked(trap, text, size))
    return 0


@freebsd("rctl_remove_rule", since=RELEASE)
def rctl_remove_rule(trap: Trap, text: str, size: int, out: Any = None, room: int = 0) -> int:
    """E2BIG EINVAL ENAMETOOLONG ENOSYS EPERM ERANGE ESRCH: every rule that the filter matches."""
    del out, room
    if not rules.remove(trap.store, _asked(trap, text, size)):
        trap.fail(Errno.ESRCH, N_("No rule matches."), CITE)
    return 0


@freebsd("rctl_get_rules", since=RELEASE)
def rctl_get_rules(trap: Trap, text: str, size: int, out: Any, room: int) -> Result:
    """E2BIG EINVAL ENAMETOOLONG ENOSYS EPERM ERANGE ESRCH. The data is rules with commas."""
    del out
    wanted = _asked(trap, text, size)
    if room > _LARGEST:
        trap.fail(Errno.E2BIG, N_("No answer is so long."), CITE)
    return _answer(trap, ",".join(map(str, rules.listed(trap.store, wanted))), room)


@freebsd("rctl_get_limits", since=RELEASE)
def rctl_get_limits(trap: Trap, text: str, size: int, out: Any, room: int) -> Result:
    """E2BIG EINVAL ENOSYS EOPNOTSUPP EPERM ERANGE ESRCH: the rules that a process is under."""
    del out
    wanted = _asked(trap, text, size)
    if wanted.subject not in (None, "process"):
        trap.fail(Errno.EOPNOTSUPP, N_("Limits are a process's."), CITE)
    if wanted.who is None:
        trap.fail(Errno.EINVAL, N_("Limits are of one process."), CITE)
    if room > _LARGEST:
        trap.fail(Errno.E2BIG, N_("No answer is so long."), CITE)
    task = trap.store.row(Task, wanted.who)
    return _answer(trap, ",".join(map(str, rules.applying(trap.store, task))), room)


@freebsd("rctl_get_racct", since=RELEASE, partial="of disks, stacks and pcpu it says 0")
def rctl_get_racct(trap: Trap, text: str, size: int, out: Any, room: int) -> Result:
    """E2BIG EINVAL ENAMETOOLONG ENOSYS EPERM ERANGE ESRCH: what a subject holds."""
    del out
    wanted = _asked(trap, text, size)
    if wanted.subject is None or wanted.who is None:
        trap.fail(Errno.EINVAL, N_("What is held is held by somebody."), CITE)
    whose = Holder(wanted.subject, wanted.who)
    told = [
        f"{name}={usage.shown(trap.store, name, whose)}"
        for name, kind in rules.RESOURCES.items()
        if wanted.subject != "process" or not kind.sloppy
    ]
    return _answer(trap, ",".join(told), room)


def _asked(trap: Trap, text: str, size: int) -> Filter:
    """What every one of the calls begins with."""
    if not sysctl.number(trap.store, trap.family, "kern.racct.enable"):
        trap.fail(Errno.ENOSYS, N_("Resources are not accounted for: kern.racct.enable."), CITE)
    trap.need(Privilege.RESOURCE_RULES)
    if not size:
        trap.fail(Errno.EINVAL, N_("There is no text."), CITE)
    if size > _LONGEST:
        trap.fail(Errno.E2BIG, N_("No rule is so long."), CITE)
    return rules.read(trap.store, text)


def _answer(trap: Trap, text: str, room: int) -> Result:
    if room < len(text) + 1:
        trap.fail(Errno.ERANGE, N_("The answer is longer than the buffer."), CITE)
    return Returned(0, text)
