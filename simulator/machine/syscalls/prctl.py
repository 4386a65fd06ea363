"""A process's own attributes: prctl(2). Each option is a function of the four arguments."""

from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from simulator.machine.abi import constants as c
from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import Pid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import pids
from simulator.machine.kernel.family import Release
from simulator.machine.kernel.seccomp import mode
from simulator.machine.kernel.signal import NSIG
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux
from simulator.machine.syscalls.seccomp import install, install_strict

SECURE_ALL_BITS = 0x55 | 0x500
SECURE_ALL_LOCKS = SECURE_ALL_BITS << 1
SECURE_UNPRIVILEGED = 0xF00
"""SECBIT_EXEC_RESTRICT_FILE, SECBIT_EXEC_DENY_INTERACTIVE and their locks: anybody may set them."""
COMM_LENGTH = 15
LAST_OPTION = 79
OTHER_OPTIONS = (0x53564D41, 0x41555856)
"""PR_SET_VMA, PR_GET_AUXV: the options with numbers of their own besides Yama's."""

Arguments = tuple[Any, Any, Any, Any]
Option = Callable[[Trap, Arguments], Result | int]


@linux("prctl")
def prctl(
    trap: Trap, option: int, arg2: Any = 0, arg3: Any = 0, arg4: Any = 0, arg5: Any = 0
) -> Result | int:
    """prctl(2): EINVAL for what an option does not take; see each one below."""
    handler = OPTIONS.get(option)
    if handler is None:
        if 0 < option <= LAST_OPTION or option in OTHER_OPTIONS:
            raise NotModelled("prctl: an option that the model does not know")
        trap.fail(Errno.EINVAL, N_("prctl has no such option."), "prctl(2)")
    if _SINCE.get(option, ()) > trap.family.release:
        trap.fail(Errno.EINVAL, N_("prctl has no such option."), "prctl(2)")
    return handler(trap, (arg2, arg3, arg4, arg5))


def _set_death_signal(trap: Trap, args: Arguments) -> int:
    signal = decode.number(args[0], "a signal")
    if not 0 <= signal <= NSIG:
        _invalid(trap)
    trap.update(death_signal=signal)
    return 0


def _get_death_signal(trap: Trap, _args: Arguments) -> Result:
    return Returned(0, trap.task.death_signal)


def _get_dumpable(trap: Trap, _args: Arguments) -> int:
    return int(trap.task.dumpable)


def _set_dumpable(trap: Trap, args: Arguments) -> int:
    if args[0] not in (0, 1):
        _invalid(trap)
    trap.update(dumpable=bool(args[0]))
    return 0


def _get_keepcaps(trap: Trap, _args: Arguments) -> int:
    return int(bool(trap.cred.securebits & c.SECBIT_KEEP_CAPS))


def _set_keepcaps(trap: Trap, args: Arguments) -> int:
    if args[0] not in (0, 1):
        _invalid(trap)
    bits = trap.cred.securebits
    if bits & c.SECBIT_KEEP_CAPS_LOCKED:
        _locked(trap)
    bits = bits | c.SECBIT_KEEP_CAPS if args[0] else bits & ~c.SECBIT_KEEP_CAPS
    _set_cred(trap, securebits=bits)
    return 0


def _set_name(trap: Trap, args: Arguments) -> int:
    if args[0] is None or args[0] == 0:
        trap.fail(Errno.EFAULT, "", "prctl(2)")
    trap.update(comm=decode.text(args[0]).partition("\0")[0][:COMM_LENGTH])
    return 0


def _get_name(trap: Trap, _args: Arguments) -> Result:
    return Returned(0, trap.task.comm)


def _get_seccomp(trap: Trap, _args: Arguments) -> int:
    return mode(trap.task)


def _set_seccomp(trap: Trap, args: Arguments) -> int:
    if args[0] == c.SECCOMP_MODE_STRICT:
        return install_strict(trap)
    if args[0] == c.SECCOMP_MODE_FILTER:
        return install(trap, 0, args[1])
    return _invalid(trap)


def _read_bounding(trap: Trap, args: Arguments) -> int:
    _need_capability_number(trap, args[0])
    return trap.cred.bounding >> args[0] & 1


def _drop_bounding(trap: Trap, args: Arguments) -> int:
    trap.need(Privilege.SET_CAPABILITIES, trap.cred.user_ns)
    _need_capability_number(trap, args[0])
    _set_cred(trap, bounding=trap.cred.bounding & ~(1 << args[0]))
    return 0


def _get_securebits(trap: Trap, _args: Arguments) -> int:
    return trap.cred.securebits


def _set_securebits(trap: Trap, args: Arguments) -> int:
    old, new = trap.cred.securebits, args[0]
    changed = old ^ new
    locks = old & SECURE_ALL_LOCKS
    if locks >> 1 & changed or locks & ~new or new & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS):
        _locked(trap)
    if not changed or changed & ~SECURE_UNPRIVILEGED:
        trap.need(Privilege.SET_CAPABILITIES, trap.cred.user_ns)
    _set_cred(trap, securebits=new)
    return 0


def _set_subreaper(trap: Trap, args: Arguments) -> int:
    trap.update(subreaper=bool(args[0]))
    return 0


def _get_subreaper(trap: Trap, _args: Arguments) -> Result:
    return Returned(0, int(trap.task.subreaper))


def _set_no_new_privs(trap: Trap, args: Arguments) -> int:
    if args != (1, 0, 0, 0):
        _invalid(trap)
    trap.update(no_new_privs=True)
    return 0


def _get_no_new_privs(trap: Trap, args: Arguments) -> int:
    if any(args):
        _invalid(trap)
    return int(trap.task.no_new_privs)


def _ambient(trap: Trap, args: Arguments) -> int:
    operation, number, *rest = args
    cred = trap.cred
    if operation == c.PR_CAP_AMBIENT_CLEAR_ALL:
        if number or any(rest):
            _invalid(trap)
        _set_cred(trap, ambient=0)
        return 0
    if not 0 <= number < trap.family.capabilities.bit_length() or any(rest):
        _invalid(trap)
    bit = 1 << number
    if operation == c.PR_CAP_AMBIENT_IS_SET:
        return int(bool(cred.ambient & bit))
    if operation == c.PR_CAP_AMBIENT_LOWER:
        _set_cred(trap, ambient=cred.ambient & ~bit)
        return 0
    if operation != c.PR_CAP_AMBIENT_RAISE:
        _invalid(trap)
    if not cred.permitted & cred.inheritable & bit or (
        cred.securebits & c.SECBIT_NO_CAP_AMBIENT_RAISE
    ):
        trap.deny(
            Errno.EPERM,
            "capability",
            N_("Only a capability both permitted and inheritable can become ambient."),
            "capabilities(7)",
        )
    _set_cred(trap, ambient=cred.ambient | bit)
    return 0


def _set_ptracer(trap: Trap, args: Arguments) -> int:
    """Yama: who else may trace the caller. EINVAL without Yama and for an unknown pid."""
    if "yama" not in trap.family.features:
        _invalid(trap)
    number = decode.signed(args[0])
    if number == 0:
        trap.update(allowed_tracer=None)
    elif number == -1:
        trap.update(allowed_tracer=Pid(-1))
    else:
        task = pids.find(trap, number)
        if task is None:
            _invalid(trap)
        trap.update(allowed_tracer=Pid(task.id))
    return 0


OPTIONS: dict[int, Option] = {
    c.PR_SET_PDEATHSIG: _set_death_signal,
    c.PR_GET_PDEATHSIG: _get_death_signal,
    c.PR_GET_DUMPABLE: _get_dumpable,
    c.PR_SET_DUMPABLE: _set_dumpable,
    c.PR_GET_KEEPCAPS: _get_keepcaps,
    c.PR_SET_KEEPCAPS: _set_keepcaps,
    c.PR_SET_NAME: _set_name,
    c.PR_GET_NAME: _get_name,
    c.PR_GET_SECCOMP: _get_seccomp,
    c.PR_SET_SECCOMP: _set_seccomp,
    c.PR_CAPBSET_READ: _read_bounding,
    c.PR_CAPBSET_DROP: _drop_bounding,
    c.PR_GET_SECUREBITS: _get_securebits,
    c.PR_SET_SECUREBITS: _set_securebits,
    c.PR_SET_CHILD_SUBREAPER: _set_subreaper,
    c.PR_GET_CHILD_SUBREAPER: _get_subreaper,
    c.PR_SET_NO_NEW_PRIVS: _set_no_new_privs,
    c.PR_GET_NO_NEW_PRIVS: _get_no_new_privs,
    c.PR_CAP_AMBIENT: _ambient,
    c.PR_SET_PTRACER: _set_ptracer,
}

_SINCE: dict[int, Release] = {
    c.PR_SET_NAME: (2, 6, 9),
    c.PR_GET_NAME: (2, 6, 11),
    c.PR_GET_SECCOMP: (2, 6, 23),
    c.PR_SET_SECCOMP: (2, 6, 23),
    c.PR_CAPBSET_READ: (2, 6, 25),
    c.PR_CAPBSET_DROP: (2, 6, 25),
    c.PR_GET_SECUREBITS: (2, 6, 26),
    c.PR_SET_SECUREBITS: (2, 6, 26),
    c.PR_SET_CHILD_SUBREAPER: (3, 4),
    c.PR_GET_CHILD_SUBREAPER: (3, 4),
    c.PR_SET_PTRACER: (3, 4),
    c.PR_SET_NO_NEW_PRIVS: (3, 5),
    c.PR_GET_NO_NEW_PRIVS: (3, 5),
    c.PR_CAP_AMBIENT: (4, 3),
}
"""Options of prctl(2): EINVAL before."""


def _set_cred(trap: Trap, **changes: int) -> None:
    trap.update(cred=msgspec.structs.replace(trap.cred, **changes))


def _need_capability_number(trap: Trap, number: int) -> None:
    if not 0 <= number < trap.family.capabilities.bit_length():
        _invalid(trap)


def _locked(trap: Trap) -> NoReturn:
    trap.deny(
        Errno.EPERM,
        "securebits",
        N_("The secure bits are locked, or there is no such bit."),
        "capabilities(7)",
    )


def _invalid(trap: Trap) -> NoReturn:
    trap.fail(Errno.EINVAL, N_("The option does not take this argument."), "prctl(2)")
