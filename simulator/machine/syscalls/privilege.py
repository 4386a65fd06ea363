"""setppriv(2), getppriv(2), setpflags(2), getpflags(2): a SunOS process's own privilege sets.

A set is a list of names, and which set is one of ``Effective``, ``Permitted``, ``Inheritable``,
``Limit``. Source: uts/common/syscall/ppriv.c, privileges(5).
"""

from typing import Any, NoReturn

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.constants import PRIV_OFF, PRIV_ON, PRIV_SET
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import privset
from simulator.machine.kernel.cred import Credentials
from simulator.machine.kernel.privset import PRIV_AWARE
from simulator.machine.kernel.trap import Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import sunos

AWARE_FLAG = 0x0002
"""PRIV_AWARE of sys/priv.h, as getpflags(2) gives it."""


@sunos("getppriv")
def getppriv(trap: Trap, which: str) -> Result:
    """getppriv(2): EINVAL. The data is a list of names."""
    sets = observed(trap.cred)
    if which not in sets:
        _invalid(trap, N_("There is no such privilege set."))
    return Returned(0, list(privset.names(sets[which])))


@sunos("setppriv", partial="what execve(2) makes of the sets is only done to the limit set")
def setppriv(trap: Trap, operation: int, which: str, given: Any = None) -> int:
    """setppriv(2): EINVAL EPERM. The process is privilege aware from now on.

    Nothing can be added to the permitted or the limit set, nor to the others beyond the permitted.
    """
    sets = observed(trap.cred)
    if which not in sets or operation not in (PRIV_ON, PRIV_OFF, PRIV_SET):
        _invalid(trap, N_("There is no such privilege set, or no such operation."))
    names = " ".join(map(str, decode.sequence(given, "a privilege set")))
    try:
        asked = privset.mask(names)
    except KeyError:
        _invalid(trap, N_("There is no such privilege."))
    old = sets[which]
    new = {PRIV_ON: old | asked, PRIV_OFF: old & ~asked, PRIV_SET: asked}[operation]
    ceiling = old if which in ("Permitted", "Limit") else sets["Permitted"]
    if new & ~ceiling:
        trap.deny(
            Errno.EPERM,
            "privileges",
            N_("A process can only give privileges up: these are not in its permitted set."),
            "setppriv(2)",
        )
    sets[which] = new
    if which == "Permitted":
        sets["Effective"] &= new
        sets["Inheritable"] &= new
    if which == "Limit":
        trap.update(cred=msgspec.structs.replace(trap.cred, bounding=new))
    else:
        trap.update(cred=_aware(trap.cred, sets))
    return 0


@sunos("getpflags")
def getpflags(trap: Trap, flag: int) -> int:
    """getpflags(2): EINVAL."""
    if flag != AWARE_FLAG:
        _invalid(trap, N_("There is no such process flag."))
    return int(bool(trap.cred.securebits & PRIV_AWARE))


@sunos("setpflags")
def setpflags(trap: Trap, flag: int, value: int) -> int:
    """setpflags(2): EINVAL. With PRIV_AWARE the sets are what counts, no longer uid 0."""
    if flag != AWARE_FLAG or value not in (0, 1):
        _invalid(trap, N_("There is no such process flag, or no such value."))
    cred = _aware(trap.cred, observed(trap.cred))
    if not value:
        cred = msgspec.structs.replace(cred, securebits=cred.securebits & ~PRIV_AWARE)
    trap.update(cred=cred)
    return 0


def observed(cred: Credentials) -> dict[str, int]:
    """The four sets as they count."""
    return {
        "Effective": privset.effective(cred),
        "Permitted": privset.permitted(cred),
        "Inheritable": privset.inheritable(cred),
        "Limit": cred.bounding,
    }


def _aware(cred: Credentials, sets: dict[str, int]) -> Credentials:
    return msgspec.structs.replace(
        cred,
        effective=sets["Effective"],
        permitted=sets["Permitted"],
        inheritable=sets["Inheritable"],
        securebits=cred.securebits | PRIV_AWARE,
    )


def _invalid(trap: Trap, why: str) -> NoReturn:
    trap.fail(Errno.EINVAL, why, "setppriv(2)")
