"""Filters on system calls: seccomp(2), kernel/seccomp.c (seccomp_run_filters).

Every installed filter looks at a call, the newest first, and the strictest answer stands. Filters
see numbers, never what an address points to; so do the rules here.
"""

from functools import lru_cache
from typing import Any

from simulator.machine.abi.call import Call, Denial, Killed
from simulator.machine.abi.constants import SIGKILL, SIGSYS
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.x86_64 import NUMBERS
from simulator.machine.families.linux import bpf
from simulator.machine.families.linux.numbers import ERRNO_NUMBERS
from simulator.machine.kernel import exit as exits
from simulator.machine.kernel.seccomp import STRICT
from simulator.machine.kernel.security import Policy
from simulator.machine.kernel.task import SeccompFilter, SeccompRule
from simulator.machine.kernel.trap import NotModelled, Trap

SAME_CALL = {"waitpid": "wait4", "sigprocmask": "rt_sigprocmask", "sigpending": "rt_sigpending"}
"""Names that a C library offers for a call that the kernel knows by another."""

_WHY = N_("A seccomp filter turns this call away before the kernel looks at it.")
_SEVERITY = {"ALLOW": 3, "KILL": 0, "TRAP": 1}
_ERRNO = 2
_ACTIONS = {
    0x80000000: "KILL",
    0x00000000: "KILL",
    0x00030000: "TRAP",
    0x00050000: "ERRNO",
    0x7FC00000: "ENOSYS",
    0x7FF00000: "ENOSYS",
    0x7FFC0000: "ALLOW",
    0x7FFF0000: "ALLOW",
}
"""SECCOMP_RET_*; with nobody listening, USER_NOTIF and TRACE fail with ENOSYS."""


@lru_cache(maxsize=64)
def _refusal(errno: str) -> Denial:
    return Denial(Errno(errno), "seccomp", _WHY, "seccomp(2)")


def filters(trap: Trap, call: Call) -> Denial | Killed | None:
    """The strictest answer of the caller's filters to ``call``; a killing one ends the caller."""
    stack = trap.task.seccomp
    if not stack or call.name[0] == "@":
        return None
    name = SAME_CALL.get(call.name, call.name)
    worst = "ALLOW"
    for one in reversed(stack):
        action = verdict(one, name, call.args)
        if severity(action) < severity(worst):
            worst = action
    if worst == "ALLOW":
        return None
    if worst in ("KILL", "TRAP"):
        strict = any(one.name == STRICT.name for one in stack)
        signo = SIGKILL if strict else SIGSYS
        exits.end(trap.store, trap.task.id, signo)
        return Killed("SIGKILL" if strict else "SIGSYS")
    return _refusal(worst)


def verdict(one: SeccompFilter, name: str, args: tuple[Any, ...] = ()) -> str:
    """What a single filter says, be it a program or rules (``answer``)."""
    return _run(one, name, args) if one.program else answer(one, name, args)


def _run(one: SeccompFilter, name: str, args: tuple[Any, ...]) -> str:
    """The answer of a filter that is a program, as an action's name."""
    number = NUMBERS.get(name, -1)
    value = bpf.run(one.program, number, tuple(map(as_register, args)))
    action = _ACTIONS.get(value & 0xFFFF0000, "KILL")
    if action == "ERRNO":
        for errno, code in ERRNO_NUMBERS.items():
            if code == value & 0xFFFF:
                return errno
        raise NotModelled("a filter that answers with an error that has no name")
    return action


def severity(action: str) -> int:
    """The order of precedence of seccomp(2), 0 the strictest."""
    return _SEVERITY.get(action, _ERRNO)


def answer(one: SeccompFilter, name: str, args: tuple[Any, ...]) -> str:
    """What a single filter says: ``ALLOW``, an errno name, ``TRAP`` or ``KILL``."""
    for rule in one.rules:
        if name in rule.calls and _matches(rule, args):
            return rule.action
    return "ALLOW" if name in one.allow else one.default


def _matches(rule: SeccompRule, args: tuple[Any, ...]) -> bool:
    if rule.op == "any":
        return True
    value = as_register(args[rule.index]) if rule.index < len(args) else 0
    match rule.op:
        case "masked_eq":
            return value & rule.mask == rule.value
        case "eq":
            return value == rule.value
        case "ne":
            return value != rule.value
        case "gt":
            return value > rule.value
        case "ge":
            return value >= rule.value
        case "lt":
            return value < rule.value
        case "le":
            return value <= rule.value
        case _:
            raise ValueError(rule.op)


def as_register(argument: Any) -> int:
    """What the filter reads: the number, or some address for what lies in memory."""
    if isinstance(argument, int):
        return argument & 0xFFFFFFFFFFFFFFFF
    return 0 if argument is None else 0x7FFF00000000


SECCOMP = Policy(name="seccomp", filters=filters)
