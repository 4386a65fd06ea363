"""Filters that a process puts on its own calls: seccomp(2).

A filter is written as its rules (a dict of ``SeccompFilter``'s fields) or as the classic BPF
instructions that the kernel takes, a list of (code, jt, jf, k).
"""

from typing import Any, cast

from simulator.machine.abi.constants import (
    SECCOMP_GET_ACTION_AVAIL,
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_SET_MODE_STRICT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.seccomp import STRICT, mode
from simulator.machine.kernel.task import SeccompFilter, SeccompRule
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux

FILTER_FLAGS = 0x3F
TSYNC, NEW_LISTENER, TSYNC_ESRCH, WAIT_KILLABLE = 1, 8, 16, 32
BPF_MAXINSNS = 4096
ACTIONS = frozenset(
    (0x80000000, 0x00000000, 0x00030000, 0x00050000, 0x7FC00000, 0x7FF00000, 0x7FFC0000, 0x7FFF0000)
)
"""KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, USER_NOTIF, TRACE, LOG, ALLOW."""


@linux("seccomp", since=(3, 17))
def seccomp(trap: Trap, operation: int, flags: int = 0, argument: Any = None) -> int:
    """seccomp(2): EACCES EFAULT EINVAL EOPNOTSUPP."""
    if operation == SECCOMP_SET_MODE_STRICT:
        if flags or argument:
            trap.fail(Errno.EINVAL, "", "seccomp(2)")
        return install_strict(trap)
    if operation == SECCOMP_SET_MODE_FILTER:
        return install(trap, flags, argument)
    if operation == SECCOMP_GET_ACTION_AVAIL:
        if flags:
            trap.fail(Errno.EINVAL, "", "seccomp(2)")
        if argument is None:
            trap.fail(Errno.EFAULT, "", "seccomp(2)")
        if argument & 0xFFFFFFFF not in ACTIONS:
            trap.fail(Errno.EOPNOTSUPP, N_("The kernel has no such action."), "seccomp(2)")
        return 0
    return trap.fail(Errno.EINVAL, N_("seccomp has no such operation."), "seccomp(2)")


def install_strict(trap: Trap) -> int:
    """Four calls and no more. EINVAL once there are filters."""
    if mode(trap.task) == 2:
        trap.fail(Errno.EINVAL, N_("The process is in filter mode already."), "seccomp(2)")
    trap.update(seccomp=(STRICT,))
    return 0


def install(trap: Trap, flags: int, given: Any) -> int:
    """Put one more filter on top. EACCES without no_new_privs or CAP_SYS_ADMIN."""
    if flags & ~FILTER_FLAGS or (
        flags & TSYNC and flags & NEW_LISTENER and not flags & TSYNC_ESRCH
    ):
        trap.fail(Errno.EINVAL, "", "seccomp(2)")
    if flags & WAIT_KILLABLE and not flags & NEW_LISTENER:
        trap.fail(Errno.EINVAL, "", "seccomp(2)")
    if given is None or isinstance(given, int):
        trap.fail(Errno.EFAULT, N_("The filter's address is not in memory."), "seccomp(2)")
    if isinstance(given, list) and not 0 < len(cast("list[Any]", given)) <= BPF_MAXINSNS:
        trap.fail(Errno.EINVAL, N_("A filter has 1 to 4096 instructions."), "seccomp(2)")
    if not trap.task.no_new_privs and not trap.has(Privilege.SECCOMP, trap.cred.user_ns):
        trap.deny(
            Errno.EACCES,
            "no-new-privs",
            N_("A filter needs no_new_privs first, or CAP_SYS_ADMIN."),
            "seccomp(2)",
        )
    if mode(trap.task) == 1:
        trap.fail(Errno.EINVAL, N_("The process is in strict mode already."), "seccomp(2)")
    if flags & NEW_LISTENER:
        raise NotModelled("seccomp user notification")
    trap.update(seccomp=(*trap.task.seccomp, _filter(trap, given)))
    return 0


def _filter(trap: Trap, given: Any) -> SeccompFilter:
    if isinstance(given, (list, tuple)):
        rows = decode.sequence(given, "a BPF program")
        program = tuple(tuple(decode.numbers(row, "a BPF instruction")) for row in rows)
        if any(len(row) != 4 for row in program):
            raise NotModelled("a BPF instruction is (code, jt, jf, k)")
        if not _well_formed(program):
            trap.fail(Errno.EINVAL, N_("The kernel's check refuses this program."), "seccomp(2)")
        return SeccompFilter(name="bpf", program=program)
    fields = decode.structure(given, "a seccomp filter")
    rules = tuple(
        SeccompRule(
            calls=frozenset(rule["calls"]),
            action=rule["action"],
            index=rule.get("index", 0),
            op=rule.get("op", "any"),
            mask=rule.get("mask", 0),
            value=rule.get("value", 0),
        )
        for rule in (decode.structure(one, "a rule") for one in fields.get("rules", ()))
    )
    return SeccompFilter(
        name=fields.get("name", "filter"),
        allow=frozenset(fields.get("allow", ())),
        rules=rules,
        default=fields.get("default", "EPERM"),
    )


_BPF_CODES = frozenset(
    bytes.fromhex(
        "20 15 25 35 45 1d 2d 3d 4d 05 06 16 80 00 01 02 03 07 87 60 61 81"
        "04 14 24 34 44 54 64 74 a4 84 0c 1c 2c 3c 4c 5c 6c 7c ac"
    )
)
"""Instructions that seccomp_check_filter() lets in."""


def _well_formed(program: tuple[tuple[int, ...], ...]) -> bool:
    """bpf_check_classic() and seccomp_check_filter(): known codes, jumps inside, RET at the end."""
    for at, (code, yes, no, k) in enumerate(program):
        rest = len(program) - at - 1
        if code not in _BPF_CODES or (code == 0x20 and (k >= 64 or k & 3)):
            return False
        if code == 0x05 and k >= rest:
            return False
        if code & 0x07 == 0x05 and code != 0x05 and (yes >= rest or no >= rest):
            return False
    return program[-1][0] in (0x06, 0x16)
